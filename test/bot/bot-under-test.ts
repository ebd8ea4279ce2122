import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { pino } from 'pino';
import { vi } from 'vitest';
import { type Bot, type BotOptions, createBot } from '../../src/bot/create-bot.ts';
import type { Requests, SlackBudget, TraceLink, Views } from '../../src/bot/ports.ts';
import { createSeals } from '../../src/fleet/create-seals.ts';
import type { FleetFileError } from '../../src/fleet/errors.ts';
import { type AccessRule, approvalRulesSchema, type Fleet } from '../../src/fleet/fleet.ts';
import { type Machine, machineSchema } from '../../src/fleet/machine.ts';
import { redact } from '../../src/telemetry/redact.ts';
import { isInput } from '../support/block-limits.ts';
import { FakeControls } from '../support/fake-controls.ts';
import { FakeRequests } from '../support/fake-requests.ts';
import { FakeSlack, fakeBot } from '../support/fake-workspace.ts';
import { noSignals } from '../support/no-signals.ts';

/** Resolves once the condition, an assertion, holds; other tests may keep the processors busy meanwhile. */
export function eventually<T>(condition: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(condition, { timeout: 10_000, interval: 10 });
}

export const signingSecret = 'a-signing-secret';
export const silent = pino({ enabled: false });

export function machine(name: string, more: Partial<Machine> = {}): Machine {
  const defaults = machineSchema.parse({
    name,
    address: '127.0.0.1',
    ssh: {},
    hostKey: 'ssh-ed25519 AAAA',
    role: 'web',
    labels: {},
    expect: {},
    checks: ['disk', 'memory'],
    customChecks: {},
    actions: [],
    agent: {},
    limits: {},
  });
  return { ...defaults, ...more };
}

export function fleetOf(machines: readonly Machine[], access: readonly Partial<AccessRule>[]): Fleet {
  return {
    file: 'fleet.yaml',
    machines: new Map(machines.map((each) => [each.name, each])),
    access: access.map((rule, index) => ({
      people: [],
      groups: [],
      machines: 'all',
      verbs: ['view', 'check', 'ask', 'cancel'],
      line: index + 1,
      twoPeople: [],
      upTo: 'reversible',
      ...rule,
    })),
    actions: new Map(),
    suggestions: [],
    approvals: approvalRulesSchema.parse({}),
    ...noSignals,
    perPerson: { requestsPerMinute: 1_000 },
    prices: {},
  };
}

/** Nothing to publish: these tests are about what comes in. */
export const noViews: Views = {
  leaseMs: 60_000,
  take: async () => [],
  release: async () => {},
  postpone: async () => {},
  parts: async () => ({}),
  intend: async () => {},
  record: async () => {},
};
export const noBudget: SlackBudget = { take: async () => 0, block: async () => {} };

/** What Slack got as the answer to one of its requests. */
export interface Acknowledged {
  readonly status: number;
  /** The body as text; '' for a bare acknowledgement. */
  readonly text: string;
}

/** The bot in HTTP mode before a fake Slack, with a fleet that the test can change. */
export class BotUnderTest {
  /** Flags of `users.info`; a user who is not here is unknown to Slack. */
  readonly users = new Map<string, Readonly<Record<string, unknown>>>();
  /** Members of user groups. */
  readonly groups = new Map<string, readonly string[]>();
  /** Whether the bot is a member; a channel that is not here does not exist for it. */
  readonly channels = new Map<string, boolean>();
  requests = new FakeRequests();
  readonly controls = new FakeControls();
  /** Ids of the runs whose traces the bot ended. */
  readonly finishedTraces: string[] = [];
  /** What stands in Slack, by record. */
  readonly parts = new Map<string, Awaited<ReturnType<Views['parts']>>>();
  /** What the bot signs with; taken at `start`. */
  decisionKey: KeyObject | undefined = generateKeyPairSync('ed25519').privateKey;
  fleet: Fleet = fleetOf([], []);
  /** What is wrong with the fleet file on disk. */
  fleetProblem: FleetFileError | undefined;
  traceLink: TraceLink = { missing: 'no MLflow' };
  now = 1_800_000_000_000;
  #bot: Bot | undefined;
  #slack: FakeSlack | undefined;
  #commands = 0;
  #clicks = 0;
  #randoms = 0;

  /** @param store instead of `requests` and what `controls` has of it */
  async start(
    store?: Pick<
      BotOptions,
      'requests' | 'halts' | 'silences' | 'approvals' | 'signerSeen' | 'notices' | 'ledger'
    > &
      Partial<Pick<BotOptions, 'alertMessages'>>,
  ): Promise<void> {
    this.#slack = await FakeSlack.start();
    this.#describePeople();
    this.#bot = createBot({
      connection: { mode: 'http', signingSecret, port: 0, host: '127.0.0.1' },
      botToken: 'xoxb-test',
      slackApiUrl: this.slack.apiUrl,
      fleet: { current: () => this.fleet, invalid: () => this.fleetProblem },
      ...this.controls,
      requests: this.#currentRequests(),
      ...store,
      ...(this.decisionKey === undefined ? {} : { seals: createSeals(this.decisionKey) }),
      meter: this.controls.meter,
      views: { ...noViews, parts: async (id) => this.parts.get(id) ?? {} },
      budget: noBudget,
      linkTo: () => this.traceLink,
      finishTrace: (run) => this.finishedTraces.push(run.id),
      redact,
      clock: () => this.now,
      random: () => this.#random(),
      log: silent,
    });
    await this.#bot.start();
  }

  get slack(): FakeSlack {
    if (this.#slack === undefined) throw new Error('not started');
    return this.#slack;
  }

  get bot(): Bot {
    if (this.#bot === undefined) throw new Error('not started');
    return this.#bot;
  }

  async stop(): Promise<void> {
    await this.#bot?.stop();
    await this.slack.stop();
  }

  /** A fresh store and the usual people: Ann is a member of the workspace, Gus a guest; the bot is in C1. */
  reset(): void {
    this.slack.calls.length = 0;
    this.slack.responses.length = 0;
    this.slack.modals.clear();
    this.requests = new FakeRequests();
    this.controls.reset();
    this.controls.approvals.runs = this.requests.stored;
    this.parts.clear();
    this.finishedTraces.length = 0;
    this.traceLink = { missing: 'no MLflow' };
    this.now = 1_800_000_000_000;
    for (const [id, flags] of [
      ['UANN', {}],
      ['UBEN', {}],
      ['UGUS', { is_restricted: true }],
      ['UBOT', { is_bot: true }],
      ['UOLD', { deleted: true }],
      ['USTRANGER', { is_stranger: true }],
      // What Slack says of people in a Slack Connect channel, and of another workspace of the same grid.
      ['UCONNECT', { is_stranger: false, team_id: 'T0OTHER', enterprise_user: { enterprise_id: 'E0OTHER' } }],
      ['USISTER', { team_id: 'T0SISTER', enterprise_user: { enterprise_id: fakeBot.enterprise_id } }],
    ] as const) {
      this.users.set(id, flags);
    }
    this.groups.set('SOPS', ['UBEN']);
    this.channels.set('C1', true);
    this.fleet = fleetOf(
      [machine('web-01'), machine('web-02'), machine('db-01', { role: 'db' })],
      [
        { people: ['UANN', 'UGUS', 'UBOT', 'UOLD', 'USTRANGER', 'UCONNECT', 'USISTER', 'UNOBODY'] },
        { groups: ['SOPS'], machines: 'web-*' },
      ],
    );
  }

  /** Another number each time: the time stands still here, and ids must differ. */
  #random(): number {
    this.#randoms += 1;
    return (this.#randoms % 1_000) / 1_000;
  }

  /** `requests` as it is at every call: `reset` makes a fresh one. */
  #currentRequests(): Requests {
    return {
      accept: (...args) => this.requests.accept(...args),
      cancel: (...args) => this.requests.cancel(...args),
      run: (...args) => this.requests.run(...args),
      runs: (...args) => this.requests.runs(...args),
      machine: (...args) => this.requests.machine(...args),
      campaign: (...args) => this.requests.campaign(...args),
      changeCampaign: (...args) => this.requests.changeCampaign(...args),
    };
  }

  #describePeople(): void {
    const known = <Value>(value: Value | undefined, error: string, answer: (value: Value) => object) =>
      value === undefined ? { ok: false, error } : { ok: true, ...answer(value) };
    this.slack.handlers.set('users.info', ({ user = '' }) =>
      known(this.users.get(user), 'user_not_found', (flags) => ({
        user: { id: user, team_id: fakeBot.team_id, ...flags },
      })),
    );
    this.slack.handlers.set('usergroups.users.list', ({ usergroup = '' }) =>
      known(this.groups.get(usergroup), 'no_such_subteam', (users) => ({ users })),
    );
    this.slack.handlers.set('conversations.info', ({ channel = '' }) =>
      known(this.channels.get(channel), 'channel_not_found', (is_member) => ({ channel: { is_member } })),
    );
  }

  /** Types `/fleet TEXT`. Every call is another command unless a trigger is given. */
  command(
    text: string,
    { user = 'UANN', channel = 'C1', trigger }: { user?: string; channel?: string; trigger?: string } = {},
  ): Promise<Acknowledged> {
    this.#commands += 1;
    return this.deliver(
      new URLSearchParams({
        command: '/fleet',
        text,
        user_id: user,
        team_id: 'T1',
        channel_id: channel,
        trigger_id: trigger ?? `trigger-${this.#commands}`,
        response_url: this.slack.responseUrl,
        api_app_id: 'A1',
      }).toString(),
    );
  }

  /** Clicks a button; every click is another one. */
  click(
    actionId: string,
    value: string,
    user = 'UANN',
    blockId = 'b',
    channel = 'C1',
  ): Promise<Acknowledged> {
    return this.deliver(this.clickBody(actionId, value, user, blockId, channel));
  }

  /** What Slack sends for a click. */
  clickBody(actionId: string, value: string, user = 'UANN', blockId = 'b', channel = 'C1'): string {
    this.#clicks += 1;
    const payload = {
      type: 'block_actions',
      user: { id: user, team_id: 'T1' },
      team: { id: 'T1' },
      api_app_id: 'A1',
      trigger_id: `click-${this.#clicks}`,
      container: { type: 'message', message_ts: '1.1', channel_id: channel },
      channel: { id: channel },
      response_url: this.slack.responseUrl,
      actions: [{ type: 'button', action_id: actionId, block_id: blockId, value, action_ts: '1.2' }],
    };
    return new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  }

  /** Submits a window with one line of text in its only input. */
  submit(viewId: string, text: string, user = 'UANN'): Promise<Acknowledged> {
    const view = this.slack.modals.get(viewId);
    const input = view?.blocks.find(isInput);
    if (view === undefined || input?.block_id === undefined) throw new Error('no such window');
    const { action_id = '' } = input.element;
    const payload = {
      type: 'view_submission',
      user: { id: user, team_id: 'T1' },
      team: { id: 'T1' },
      api_app_id: 'A1',
      view: {
        ...view,
        id: viewId,
        state: { values: { [input.block_id]: { [action_id]: { value: text } } } },
      },
    };
    return this.deliver(new URLSearchParams({ payload: JSON.stringify(payload) }).toString());
  }

  /** Sends a body as Slack would; a wrong secret makes a wrong signature. */
  async deliver(
    body: string,
    secret = signingSecret,
    { ageSeconds = 0, type = 'application/x-www-form-urlencoded' } = {},
  ): Promise<Acknowledged> {
    const timestamp = String(Math.floor(Date.now() / 1_000) - ageSeconds);
    const signature = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
    const response = await fetch(`http://127.0.0.1:${this.bot.port()}/slack/events`, {
      method: 'POST',
      headers: {
        'content-type': type,
        'x-slack-request-timestamp': timestamp,
        'x-slack-signature': `v0=${signature}`,
      },
      body,
    });
    return { status: response.status, text: await response.text() };
  }
}
