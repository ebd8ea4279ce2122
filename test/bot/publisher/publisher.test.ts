import { WebClient } from '@slack/web-api';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CampaignMember, Requests } from '../../../src/bot/ports.ts';
import { approvalParts } from '../../../src/bot/publisher/approval-parts.ts';
import { createPublisher, type Publisher } from '../../../src/bot/publisher/create-publisher.ts';
import { createPublisherClient } from '../../../src/bot/publisher/create-publisher-client.ts';
import { campaignParts } from '../../../src/bot/publisher/parts.ts';
import type { PublisherSettings } from '../../../src/bot/publisher/settings.ts';
import { createThreads } from '../../../src/bot/threads.ts';
import type { Campaign } from '../../../src/fleet/campaign.ts';
import { SettingsError } from '../../../src/fleet/errors.ts';
import type { Fleet } from '../../../src/fleet/fleet.ts';
import type { Halt, HaltMember } from '../../../src/fleet/halt.ts';
import type { Incident } from '../../../src/fleet/incident.ts';
import { type Run, runStates } from '../../../src/fleet/run.ts';
import { FakeControls } from '../../support/fake-controls.ts';
import { FakeSlack, fakeBot } from '../../support/fake-workspace.ts';
import { MemoryBudget } from '../../support/memory-budget.ts';
import { MemoryViews } from '../../support/memory-views.ts';
import { haltMember, sampleHalt } from '../../support/sample-halt.ts';
import { sampleIncident } from '../../support/sample-incident.ts';
import { sampleApproval } from '../../support/sample-question.ts';
import { acceptedAt, diagnosed, judged, sampleCampaign, sampleRun } from '../../support/sample-run.ts';
import { fleetOf, machine } from '../bot-under-test.ts';

const quick: PublisherSettings = {
  parallelism: 4,
  pollIntervalMs: 5,
  storeRetryMs: 10,
  progressIntervalMs: 60,
  incidentIntervalMs: 60,
  stormIntervalMs: 200,
  refreshLimitMs: 1_000,
  recheckMs: 500,
  settleMs: 20,
  unreachableMs: [10, 40],
  refusedMs: [10, 40],
};
const eventually = { timeout: 8_000, interval: 10 };

let slack: FakeSlack;
let views: MemoryViews;
let runs: Map<string, Run>;
let campaigns: Map<string, { campaign: Campaign; members: CampaignMember[] }>;
let publishers: Publisher[];
let fleet: Fleet;
let controls: FakeControls;

beforeEach(async () => {
  slack = await FakeSlack.start();
  views = new MemoryViews({ leaseMs: 60_000 });
  runs = new Map();
  campaigns = new Map();
  publishers = [];
  fleet = fleetOf([machine('web-01')], []);
  controls = new FakeControls();
});
afterEach(async () => {
  await Promise.all(publishers.map((publisher) => publisher.stop()));
  await slack.stop();
});

const notAsked = () => Promise.reject(new Error('the publisher does not need this'));
const requests: Requests = {
  accept: notAsked,
  cancel: notAsked,
  runs: notAsked,
  machine: notAsked,
  changeCampaign: notAsked,
  run: async (id) => runs.get(id),
  campaign: async (id) => campaigns.get(id),
};

function publish(settings: Partial<PublisherSettings> = {}): Publisher {
  const publisher = createPublisher({
    client: createPublisherClient('xoxb-test', { slackApiUrl: slack.apiUrl, logger: silentSlackLogger }),
    fleet: { current: () => fleet, invalid: () => undefined },
    requests,
    halts: controls.halts,
    handOvers: controls.handOvers,
    threads: createThreads({ views, workspaceUrl: () => fakeBot.url }),
    silences: controls.silences,
    notices: controls.notices,
    incidents: controls.incidents,
    views,
    budget: new MemoryBudget(),
    linkTo: () => ({ missing: 'no MLflow here' }),
    clock: Date.now,
    log: pino({ level: 'silent' }),
    settings: { ...quick, ...settings },
  });
  publisher.start();
  publishers.push(publisher);
  return publisher;
}

const silentSlackLogger = Object.assign(Object.create(null), {
  ...Object.fromEntries(
    ['debug', 'info', 'warn', 'error', 'setLevel', 'setName'].map((name) => [name, () => {}]),
  ),
  getLevel: () => 'error',
});

function change(run: Run, priority: 'verdict' | 'progress' = 'progress'): void {
  runs.set(run.id, run);
  views.markDirty('run', run.id, priority);
}

const finished = (id: string, changes: Partial<Run> = {}) =>
  sampleRun(id, 'done', { ...judged, ...diagnosed, ...changes });
const ours = (channel = 'C0OPS') =>
  slack.messages.filter(
    (m) => m.channel === channel && m.user === fakeBot.user_id && m.ephemeralTo === undefined,
  );
const withBlock = (blockId: string) =>
  ours().filter((m) => m.blocks?.some((block) => block.block_id === blockId));
const shown = (blockId: string) => JSON.stringify(withBlock(blockId)[0]?.blocks);
const upToDate = () => expect.poll(() => views.dirtyCount, eventually).toBe(0);

describe('a run', () => {
  it('is one message, edited through its states, with verdict and diagnosis in its thread', async () => {
    publish();
    change(sampleRun('r-1', 'queued'));
    await upToDate();
    expect(shown('run:r-1:main')).toContain('queued');
    change(sampleRun('r-1', 'tasking', judged), 'verdict');
    await upToDate();
    expect(shown('run:r-1:main')).toContain('looking deeper');
    change(finished('r-1'), 'verdict');
    await upToDate();
    const [main] = withBlock('run:r-1:main');
    expect(shown('run:r-1:main')).toContain('agent measured inactive');
    expect(ours()).toHaveLength(3);
    for (const part of ['verdict', 'diagnosis']) {
      expect(withBlock(`run:r-1:${part}`).map((m) => m.thread_ts)).toEqual([main?.ts]);
    }
  });

  it('that was asked for in a thread is answered there', async () => {
    const root = slack.say('C0OPS', 'U0ANN', 'look at web-01');
    publish();
    const run = finished('r-1');
    change({ ...run, request: { ...run.request, origin: { channel: 'C0OPS', threadTs: root.ts } } });
    await upToDate();
    expect(ours().map((m) => m.thread_ts)).toEqual([root.ts, root.ts, root.ts]);
  });

  it('that did not change costs no call', async () => {
    publish();
    change(finished('r-1'), 'verdict');
    await upToDate();
    const before = slack.calls.length;
    views.markDirty('run', 'r-1', 'verdict');
    await upToDate();
    expect(slack.calls).toHaveLength(before);
  });

  it('that changes twenty times in a moment takes a few edits', async () => {
    publish({ progressIntervalMs: 500 });
    change(sampleRun('r-1', 'queued'));
    await upToDate();
    for (let index = 0; index < 20; index += 1) {
      const state = runStates[1 + (index % 4)] ?? 'gathering';
      change(sampleRun('r-1', state, { failure: { code: 'locked', message: `change ${index}` } }));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await upToDate();
    expect(slack.callsOf('chat.update').length).toBeLessThanOrEqual(5);
    expect(shown('run:r-1:main')).toContain('change 19');
  });

  it('uploads what is longer than a message as a file, once', async () => {
    const findings = Array.from({ length: 90 }, (_, index) => ({
      severity: 'warning' as const,
      subject: `/mnt/${index}`,
      text: `/mnt/${index} is 85% full ${'x'.repeat(400)}`,
      output: 0,
    }));
    publish();
    change(finished('r-1', { findings }), 'verdict');
    await upToDate();
    views.markDirty('run', 'r-1', 'verdict');
    await upToDate();
    const files = slack.messages.flatMap((m) => m.files ?? []);
    expect(files.map((file) => file.title)).toEqual(['Evidence of run r-1']);
    expect(files[0]?.content).toContain('/mnt/89 is 85% full');
    expect(slack.messages.find((m) => m.files !== undefined)?.thread_ts).toBe(
      withBlock('run:r-1:main')[0]?.ts,
    );
  });
});

describe('one message per part, whatever is killed', () => {
  const onceEach = () => {
    const counts = ['main', 'verdict', 'diagnosis'].map((part) => withBlock(`run:r-1:${part}`).length);
    expect(counts).toEqual([1, 1, 1]);
    expect(ours()).toHaveLength(3);
    expect(shown('run:r-1:main')).toContain('critical');
  };

  it.each(['chat.postMessage', 'chat.update'])('when the answer to %s is lost', async (method) => {
    slack.trouble(method, { kind: 'lost-answer' }, { times: 3 });
    publish();
    change(sampleRun('r-1', 'queued'));
    await upToDate();
    change(finished('r-1'), 'verdict');
    await upToDate();
    onceEach();
  });

  it.each([
    ['intend', 'main'],
    ['record', 'main'],
    ['intend', 'verdict'],
    ['record', 'verdict'],
    ['record', 'diagnosis'],
    ['release', ''],
  ] as const)('when the process dies at %s %s', async (step, part) => {
    let died = false;
    views.before = (atStep, atPart) => {
      if (died || atStep !== step || atPart !== part) return;
      died = true;
      throw new Error('killed');
    };
    publish();
    publish();
    change(finished('r-1'), 'verdict');
    await expect.poll(() => died, eventually).toBe(true);
    views.expireLeases();
    await upToDate();
    onceEach();
  });

  it('when the answer to an upload is lost', async () => {
    const comment = Array.from({ length: 3_000 }, (_, index) => `line ${index}`).join('\n');
    slack.trouble('files.completeUploadExternal', { kind: 'lost-answer' });
    publish();
    change(finished('r-1', { diagnosis: { ...diagnosed.diagnosis, comment } }), 'verdict');
    await upToDate();
    expect(slack.messages.flatMap((m) => m.files ?? [])).toHaveLength(1);
  });

  it('when the channel is so busy that the message is pages away', async () => {
    slack.trouble('chat.postMessage', { kind: 'lost-answer' });
    publish({ settleMs: 300 });
    change(sampleRun('r-1', 'queued'));
    await expect.poll(() => ours().length, eventually).toBe(1);
    for (let index = 0; index < 1_100; index += 1) slack.say('C0OPS', 'U0BEN', `chat ${index}`);
    await upToDate();
    expect(withBlock('run:r-1:main')).toHaveLength(1);
    expect(slack.callsOf('conversations.history').length).toBeGreaterThan(1);
  });

  it('when a person pasted our block: only our own message counts', async () => {
    slack.trouble('chat.postMessage', { kind: 'error', code: 'internal_error' });
    const block = { type: 'section', block_id: 'run:r-1:main', text: { type: 'mrkdwn', text: 'x' } } as const;
    slack.say('C0OPS', 'U0BEN', 'look').blocks = [block];
    publish();
    change(sampleRun('r-1', 'queued'));
    await upToDate();
    expect(withBlock('run:r-1:main')).toHaveLength(1);
  });
});

describe('what matters more', () => {
  it('goes first', async () => {
    change(sampleRun('r-progress', 'queued'), 'progress');
    change(sampleRun('r-verdict', 'queued'), 'verdict');
    runs.set('r-decision', sampleRun('r-decision', 'queued'));
    views.markDirty('run', 'r-decision', 'decision');
    publish({ parallelism: 1 });
    await upToDate();
    const order = ours().map((m) => m.blocks?.[0]?.block_id);
    expect(order).toEqual(['run:r-decision:main', 'run:r-verdict:main', 'run:r-progress:main']);
  });

  it('is not held up by a 429 elsewhere', async () => {
    publish();
    change(sampleRun('r-1', 'queued'));
    await upToDate();
    slack.trouble('chat.update', { kind: 'rate-limit', retryAfterS: 3 });
    const begin = Date.now();
    change(sampleRun('r-1', 'gathering'));
    await expect.poll(() => slack.callsOf('chat.update').length, eventually).toBe(1);
    const run = finished('r-2');
    change({ ...run, request: { ...run.request, origin: { channel: 'C0DBA' } } }, 'verdict');
    await expect.poll(() => ours('C0DBA').length, eventually).toBe(3);
    expect(Date.now() - begin).toBeLessThan(3_000);
    await upToDate();
    expect(Date.now() - begin).toBeGreaterThanOrEqual(3_000);
    expect(shown('run:r-1:main')).toContain('gathering');
    expect(slack.callsOf('chat.update')).toHaveLength(2);
  });

  it('is shown in the thread although the edit above it must wait', async () => {
    publish();
    change(sampleRun('r-1', 'gathering'));
    await upToDate();
    slack.trouble('chat.update', { kind: 'rate-limit', retryAfterS: 3 });
    change(sampleRun('r-1', 'tasking', judged), 'verdict');
    await expect.poll(() => withBlock('run:r-1:verdict').length, { timeout: 2_900 }).toBe(1);
    await upToDate();
    expect(shown('run:r-1:main')).toContain('critical');
  });
});

describe('Slack away', () => {
  it('for a while: everything is brought up to date afterwards', async () => {
    publish();
    change(sampleRun('r-1', 'queued'));
    await upToDate();
    slack.away = true;
    change(finished('r-1'), 'verdict');
    change(finished('r-2'), 'verdict');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(views.dirtyCount).toBe(2);
    slack.away = false;
    await upToDate();
    expect(ours()).toHaveLength(6);
    expect(shown('run:r-1:main')).toContain('critical');
  });

  it('is not taken for the end: an unreadable list of dirty views is read again', async () => {
    const take = views.take.bind(views);
    let left = 3;
    views.take = async (limit) => {
      left -= 1;
      if (left >= 0) throw new Error('Redis is away');
      return take(limit);
    };
    publish();
    change(sampleRun('r-1', 'queued'));
    await upToDate();
    expect(ours()).toHaveLength(1);
  });
});

describe('a message that people deleted', () => {
  it('is posted anew once, and then left alone', async () => {
    publish();
    change(sampleRun('r-1', 'queued'));
    await upToDate();
    const remove = () => slack.delete(withBlock('run:r-1:main')[0]?.ts ?? '');
    remove();
    change(sampleRun('r-1', 'gathering'), 'verdict');
    await upToDate();
    expect(withBlock('run:r-1:main')).toHaveLength(1);
    remove();
    change(finished('r-1'), 'verdict');
    await upToDate();
    expect(ours()).toEqual([]);
  });

  it('takes its thread along to the new one', async () => {
    publish();
    change(sampleRun('r-1', 'tasking', { verdict: 'critical' }), 'verdict');
    await upToDate();
    slack.delete(withBlock('run:r-1:main')[0]?.ts ?? '');
    change(finished('r-1'), 'verdict');
    await upToDate();
    const [main] = withBlock('run:r-1:main');
    expect(withBlock('run:r-1:verdict').map((m) => m.thread_ts)).toEqual([main?.ts]);
  });
});

describe('a channel that the bot is not in', () => {
  it('is told to the person who asked, once, and the answer follows the invitation', async () => {
    slack.setMember('C0OPS', false);
    publish();
    change(sampleRun('r-1', 'queued'));
    const told = () => ours('D0ANN');
    await expect.poll(() => slack.callsOf('chat.postMessage').length, eventually).toBeGreaterThan(1);
    await expect.poll(() => told().length, eventually).toBe(1);
    change(finished('r-1'), 'verdict');
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(told()).toHaveLength(1);
    expect(JSON.stringify(told()[0]?.blocks)).toContain('/invite @fleetbot');
    slack.setMember('C0OPS', true);
    await upToDate();
    expect(ours()).toHaveLength(3);
  });
});

describe('a campaign', () => {
  const names = Array.from({ length: 60 }, (_, index) => `web-${index}`);
  const begin = (verdictAt: (index: number) => Run['verdict']) => {
    const campaign = sampleCampaign('c-1', names);
    const members: CampaignMember[] = names.map((machine, index) => {
      const verdict = verdictAt(index);
      const base =
        verdict === undefined ? sampleRun(`r-${index}`, 'queued') : finished(`r-${index}`, { verdict });
      runs.set(base.id, { ...base, request: { ...base.request, machine, campaign: 'c-1' } });
      return {
        machine,
        runId: base.id,
        state: base.state,
        inertnessUnknown: false,
        alike: verdict ?? '',
        ...(verdict === undefined ? {} : { verdict }),
      };
    });
    campaigns.set('c-1', { campaign, members });
    views.markDirty('campaign', 'c-1', 'verdict');
  };

  it('has one summary, entries only for machines that are not ok, and files of all at the end', async () => {
    publish();
    begin((index) => (index < 3 ? 'critical' : index < 30 ? 'ok' : undefined));
    await upToDate();
    expect(shown('campaign:c-1:main')).toContain('30 of 60 machines done');
    expect(ours()).toHaveLength(4);
    begin((index) => (index < 40 ? 'critical' : 'ok'));
    await upToDate();
    expect(withBlock('campaign:c-1:main')).toHaveLength(1);
    const [main] = withBlock('campaign:c-1:main');
    const entries = ours().filter((m) => m.thread_ts === main?.ts && m.files === undefined);
    expect(entries).toHaveLength(20);
    for (const entry of entries) expect(JSON.stringify(entry.blocks)).toContain('Run again');
    const files = ours().flatMap((m) => m.files ?? []);
    expect(files.map(({ title }) => title)).toEqual([
      'All machines of campaign c-1 (csv)',
      'All machines of campaign c-1 (json)',
    ]);
    for (const name of names) for (const { content } of files) expect(content).toContain(`"${name}"`);
  });

  it('counts as progress for the budget until all of it is done', async () => {
    const priorityWhen = async (verdictAt: (index: number) => Run['verdict']) => {
      begin(verdictAt);
      const found = campaigns.get('c-1');
      if (found === undefined) throw new Error('no campaign');
      const parts = await campaignParts(
        found,
        {},
        {
          ...{ linkTo: () => ({ missing: '' }), catalogue: new Map(), now: 0, halted: new Map() },
          ...{ loadRuns: async () => [] },
        },
      );
      return parts.main.priority;
    };
    expect(await priorityWhen((index) => (index < 59 ? 'critical' : undefined))).toBe('progress');
    expect(await priorityWhen(() => 'ok')).toBe('verdict');
  });

  it('does not give its runs messages of their own', async () => {
    publish();
    begin(() => 'ok');
    views.markDirty('run', 'r-1', 'verdict');
    await upToDate();
    expect(withBlock('run:r-1:main')).toEqual([]);
  });
});

describe('a halt', () => {
  const begin = (names: readonly string[], changes: Partial<Halt> = {}): Halt => {
    const halt = sampleHalt(changes);
    fleet = fleetOf(
      names.map((name) => machine(name)),
      [],
    );
    controls.halts.stored.set(halt.id, {
      halt,
      members: new Map(names.map((name) => [name, haltMember('pending')])),
    });
    views.markDirty('halt', halt.id, 'decision');
    return halt;
  };
  const tell = (halt: Halt, names: readonly string[], member: HaltMember) => {
    for (const name of names) controls.halts.tell(halt.id, name, member);
    views.markDirty('halt', halt.id, 'decision');
  };
  const names = Array.from({ length: 2_000 }, (_, index) => `web-of-berlin-${index}`);
  const blockId = 'halt:h-000000000001:main';

  it('is one message, edited from the order to the last machine, with a file of what it cannot name', async () => {
    publish();
    const halt = begin(names);
    await upToDate();
    expect(shown(blockId)).toContain('*Halting*: `all` (2,000 machines) by <@U0ANN>: the agents misbehave');
    expect(shown(blockId)).toContain('confirmed inactive and locked: 0 of 2,000 · 2,000 not told yet');
    tell(halt, names.slice(1_000), haltMember('inactive'));
    tell(halt, names.slice(0, 999), haltMember('unreachable', 'connect ETIMEDOUT'));
    await upToDate();
    expect(slack.messages.flatMap((m) => m.files ?? [])).toEqual([]);
    tell(halt, ['web-of-berlin-999'], haltMember('failed', 'systemd could not stop the unit'));
    await upToDate();
    expect(shown(blockId)).toContain('*Halted, 1 FAILED, 999 unreachable*');
    expect(shown(blockId)).toContain('confirmed inactive and locked: 1,000 of 2,000');
    expect(shown(blockId)).toContain('*web-of-berlin-999* failed: systemd could not stop the unit');
    const [main] = withBlock(blockId);
    const files = ours().filter((m) => m.files !== undefined);
    expect(files.map((m) => m.thread_ts)).toEqual([main?.ts]);
    for (const name of names) expect(files[0]?.files?.[0]?.content).toContain(`${name}: `);
    expect(ours()).toHaveLength(2);
  });

  it.each(['intend', 'record'] as const)('is one message although the process dies at %s', async (step) => {
    let died = false;
    views.before = (atStep) => {
      if (died || atStep !== step) return;
      died = true;
      throw new Error('killed');
    };
    publish();
    begin(['web-01']);
    await expect.poll(() => died, eventually).toBe(true);
    views.expireLeases();
    await upToDate();
    expect(withBlock(blockId)).toHaveLength(1);
    expect(ours()).toHaveLength(1);
  });

  it('of many machines that report one by one takes a few edits', async () => {
    publish({ progressIntervalMs: 500 });
    const some = names.slice(0, 30);
    const halt = begin(some);
    await upToDate();
    for (const name of some) {
      tell(halt, [name], haltMember('inactive'));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await upToDate();
    expect(slack.callsOf('chat.update').length).toBeLessThanOrEqual(3);
    expect(shown(blockId)).toContain('confirmed inactive and locked: 30 of 30');
  });

  it('in a channel that the bot is not in: who ordered it is told', async () => {
    slack.setMember('C0OPS', false);
    publish();
    begin(['web-01']);
    await expect.poll(() => ours('D0ANN').length, eventually).toBe(1);
    expect(JSON.stringify(ours('D0ANN')[0]?.blocks)).toContain('h-000000000001');
  });

  it('is the reason that a queued request waits, and its message says so', async () => {
    publish();
    begin(['web-01']);
    change(sampleRun('r-1', 'queued'));
    await upToDate();
    expect(shown('run:r-1:main')).toContain('queued: waits, because the machine is halted by <@U0ANN>');
    change(sampleRun('r-1', 'gathering'));
    await upToDate();
    expect(shown('run:r-1:main')).not.toContain('halted');
  });
});

describe('a notice', () => {
  const found = () => {
    controls.posted.set('n-1', {
      id: 'n-1',
      kind: 'stray-stopped',
      machine: 'web-01',
      channel: 'C0DBA',
      text: 'An agent ran without a run. It was stopped.',
      runId: 'r-9',
      at: 0,
    });
    views.markDirty('notice', 'n-1', 'verdict');
  };

  it('is posted in the channel of its machine, once', async () => {
    publish();
    found();
    await upToDate();
    views.markDirty('notice', 'n-1', 'verdict');
    await upToDate();
    expect(ours('C0DBA')).toHaveLength(1);
    const text = JSON.stringify(ours('C0DBA')[0]?.blocks);
    for (const words of ['stray agent was stopped', '*web-01*', 'ran without a run', '`r-9`']) {
      expect(text).toContain(words);
    }
    expect(slack.callsOf('chat.update')).toEqual([]);
  });

  it('is posted once although the process dies between post and record', async () => {
    let died = false;
    views.before = (step) => {
      if (died || step !== 'record') return;
      died = true;
      throw new Error('killed');
    };
    publish();
    found();
    await expect.poll(() => died, eventually).toBe(true);
    expect(ours('C0DBA')).toHaveLength(1);
    views.expireLeases();
    await upToDate();
    expect(ours('C0DBA')).toHaveLength(1);
  });

  it('for a channel that the bot is not in waits for the invitation, and tells nobody else', async () => {
    slack.setMember('C0DBA', false);
    publish();
    found();
    await expect.poll(() => slack.callsOf('conversations.history').length, eventually).toBeGreaterThan(0);
    expect(slack.callsOf('chat.postEphemeral')).toEqual([]);
    slack.setMember('C0DBA', true);
    await upToDate();
    expect(slack.messages).toHaveLength(1);
  });
});

describe('an incident', () => {
  const put = (changes: Partial<Incident> = {}) => {
    controls.incidents.stored.set('i-1', sampleIncident({ id: 'i-1', ...changes }));
    views.markDirty('incident', 'i-1', 'progress');
  };
  const closed: Partial<Incident> = {
    counts: { alerts: 2, firing: 0, notifications: 4, unmatched: 0 },
    closedAt: acceptedAt + 60_000,
  };

  it('is one message, edited, with its runs and its end in the thread', async () => {
    publish();
    put();
    const run = finished('r-1');
    change({ ...run, request: { ...run.request, origin: { channel: 'C0OPS', under: 'i-1' } } }, 'verdict');
    await upToDate();
    put(closed);
    await upToDate();
    const [main] = withBlock('incident:i-1:main');
    expect(shown('incident:i-1:main')).toContain('all 2 alerts');
    expect(withBlock('run:r-1:main').map((m) => m.thread_ts)).toEqual([main?.ts]);
    expect(withBlock('incident:i-1:closed').map((m) => m.thread_ts)).toEqual([main?.ts]);
    expect(ours().filter((m) => m.thread_ts === undefined)).toEqual([main]);
  });

  it('that the monitoring told in a message of its own is one message in that thread', async () => {
    const root = slack.say('C0OPS', 'U0MON', 'DiskAlmostFull');
    publish();
    put({ threadTs: root.ts });
    await upToDate();
    put({ threadTs: root.ts, ...closed });
    await upToDate();
    expect(ours().map((m) => m.thread_ts)).toEqual([root.ts, root.ts]);
  });

  it.each([
    [true, 3],
    [false, 8],
  ])('that changes with every alert takes a few edits (storm: %s)', async (storm, atMost) => {
    // A busy computer takes its time for the 40 changes.
    publish({ incidentIntervalMs: 300, stormIntervalMs: 1_000 });
    for (let alerts = 1; alerts <= 40; alerts += 1) {
      put({ storm, counts: { alerts, firing: alerts, notifications: alerts, unmatched: 0 } });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await upToDate();
    expect(shown('incident:i-1:main')).toContain('40 of 40 alerts');
    expect(slack.callsOf('chat.update').length).toBeLessThanOrEqual(atMost);
  });
});

describe('stopping', () => {
  it('finishes what is in flight and takes nothing new', async () => {
    const publisher = publish();
    change(finished('r-1'), 'verdict');
    change(finished('r-2'), 'verdict');
    await expect.poll(() => slack.callsOf('chat.postMessage').length, eventually).toBeGreaterThan(0);
    await publisher.stop();
    const calls = slack.calls.length;
    const posted = ours().length;
    expect(posted % 3).toBe(0);
    change(finished('r-3'), 'verdict');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(slack.calls).toHaveLength(calls);
  });
});

it('posts nothing late in a lease, although the store took long: it looks for the message first', async () => {
  const intend = views.intend.bind(views);
  views.intend = async (...intent) => {
    await intend(...intent);
    await new Promise((resolve) => setTimeout(resolve, 600));
  };
  publish({ refreshLimitMs: 500 });
  change(sampleRun('r-1', 'queued'));
  await upToDate();
  expect(slack.callsOf('conversations.history').length).toBeGreaterThan(0);
  expect(ours()).toHaveLength(1);
});

it('does not start on leases that a refresh could outlast', () => {
  views = new MemoryViews({ leaseMs: 1_000 });
  expect(() => publish()).toThrow(SettingsError);
});

it('every edit carries text and blocks: text alone would remove the blocks', async () => {
  publish();
  change(sampleRun('r-1', 'queued'));
  await upToDate();
  change(finished('r-1'), 'verdict');
  await upToDate();
  const edits = slack.callsOf('chat.update');
  expect(edits.length).toBeGreaterThan(0);
  for (const { args } of edits) expect([args.text, args.blocks]).not.toContain(undefined);
});

it('nothing that is posted may be turned into mentions, links or previews by Slack', async () => {
  publish();
  change(finished('r-1'), 'verdict');
  await upToDate();
  const posts = slack.callsOf('chat.postMessage');
  expect(posts.length).toBeGreaterThan(0);
  for (const { args } of posts) {
    expect(args).toMatchObject({ parse: 'none', unfurl_links: 'false', unfurl_media: 'false' });
  }
  for (const { args } of slack.callsOf('chat.update')) expect(args.parse).toBe('none');
});

it('the client of the publisher never repeats a call by itself', async () => {
  slack.trouble('chat.postMessage', { kind: 'lost-answer' });
  const client = createPublisherClient('xoxb-test', { slackApiUrl: slack.apiUrl, logger: silentSlackLogger });
  expect(client).toBeInstanceOf(WebClient);
  await expect(client.chat.postMessage({ channel: 'C0OPS', text: 'x' })).rejects.toThrow();
  expect(slack.callsOf('chat.postMessage')).toHaveLength(1);
});

describe('a run that asks people', () => {
  const asking = (changes: Partial<Run['approval'] & object> = {}, more: Partial<Run> = {}): Run => {
    const run = sampleRun('r-00000000aaaa', 'awaiting', judged);
    return { ...run, approval: { ...sampleApproval(run), ...changes }, ...more };
  };
  const decide = (run: Run, priority: 'decision' | 'verdict' = 'decision') => {
    runs.set(run.id, run);
    views.markDirty('run', run.id, priority);
  };
  const card = 'run:r-00000000aaaa:approval';
  const settledAt = Date.parse('2026-11-22T10:05:00Z');

  it('has a card in its thread that calls people, and that is edited when it is decided', async () => {
    publish();
    decide(asking());
    await upToDate();
    const [main] = withBlock('run:r-00000000aaaa:main');
    expect(withBlock(card).map((m) => m.thread_ts)).toEqual([main?.ts]);
    expect(shown(card)).toContain('<!subteam^S0OPS>');
    expect(shown(card)).toContain('"action_id":"approve"');
    decide(asking({ state: 'expired', settledAt }, { state: 'done' }));
    await upToDate();
    expect(withBlock(card)).toHaveLength(1);
    expect(shown(card)).toContain('*expired*');
    expect(shown(card)).not.toContain('action_id');
  });

  it('whose record changed while no bot ran has its card rewritten at the next start', async () => {
    const first = publish();
    decide(asking());
    await upToDate();
    await first.stop();
    decide(asking({ state: 'expired', settledAt }, { state: 'done' }));
    expect(shown(card)).toContain('"action_id":"approve"');
    publish();
    await upToDate();
    expect(shown(card)).toContain('*expired*');
    expect(shown(card)).not.toContain('action_id');
  });

  it('calls people with messages of their own: once to remind them, once for each it is passed on to', async () => {
    publish();
    decide(asking());
    await upToDate();
    decide(asking({ reminded: true }));
    await upToDate();
    decide(asking({ round: 1, reminded: false }));
    await upToDate();
    decide(asking({ round: 1, reminded: true }));
    await upToDate();
    decide(asking({ state: 'expired', round: 1, reminded: true, settledAt }, { state: 'done' }));
    await upToDate();
    const called = (name: string) => withBlock(`run:r-00000000aaaa:${name}`).map(({ text }) => text);
    expect(called('reminder:0')).toEqual([expect.stringContaining('<!subteam^S0OPS> still to decide')]);
    expect(called('passed-on:1')).toEqual([expect.stringContaining('passed on to <!subteam^S0LEADS>')]);
    expect(called('reminder:1')).toEqual([expect.stringContaining('<!subteam^S0LEADS> still to decide')]);
    expect(called('passed-on:0')).toEqual([]);
    decide(
      asking({ state: 'expired', round: 1, reminded: true, settledAt: settledAt + 1 }, { state: 'done' }),
    );
    await upToDate();
    expect(called('expired')).toEqual([
      ':hourglass: Expired, because not enough people decided until 2026-11-22 11:00:10 UTC: *vacuum-journal size=200M* on *web-01*, asked for by <@U0ANN>. Nothing was changed. To ask for it again: `/fleet run web-01 vacuum-journal size=200M`',
    ]);
  });

  it('comes before the rest of its thread, because people wait for it', () => {
    const parts = approvalParts(asking({ reminded: true }), new Map());
    expect(parts.map(({ name, priority }) => [name, priority])).toEqual([
      ['approval', 'decision'],
      ['reminder:0', 'decision'],
    ]);
  });

  it('passed on after one of two approved does not say that nobody decided', () => {
    const vote = (at: number) => {
      const by = { kind: 'person' as const, userId: 'UBEN', teamId: 'T1' };
      const decision = {
        approval: 'a',
        question: 'd',
        kind: 'approve' as const,
        by,
        groups: [],
        at,
        eventId: 'e',
      };
      return { decision, signature: 's' };
    };
    const said = (votes: ReturnType<typeof vote>[]) =>
      approvalParts(asking({ round: 1, votes }), new Map()).flatMap((part) =>
        part.name === 'passed-on:1' && part.kind === 'message' ? part.view.text : [],
      );
    const [first] = asking().approval?.question.rounds ?? [];
    const endsAt = first?.endsAt ?? 0;
    expect(said([vote(endsAt - 1)])).toEqual([expect.stringContaining('Too few people decided in time')]);
    expect(said([vote(endsAt)])).toEqual([expect.stringContaining('Nobody decided in time')]);
  });

  it('that expired with a value that cannot be typed tells no command', () => {
    const run = asking();
    const subject = run.approval?.question.subject;
    if (run.approval === undefined || subject?.kind !== 'action') throw new Error('no action');
    for (const value of ['a b', 'a`b', 'x'.repeat(300)]) {
      const question = { ...run.approval.question, subject: { ...subject, params: { size: value } } };
      const parts = approvalParts(asking({ question, state: 'expired', settledAt }), new Map());
      const expired = parts.find(({ name }) => name === 'expired');
      expect(expired?.kind === 'message' && expired.view.text).toMatch(/Nothing was changed\.$/);
    }
  });

  it('says of an escalation that expired that those on call are called, and calls none of them', async () => {
    publish();
    const run = asking();
    if (run.approval === undefined) throw new Error('asks nothing');
    const subject = { kind: 'escalation' as const, to: ['S0ONCALL'] };
    const question = { ...run.approval.question, subject };
    decide(asking({ question, state: 'expired', settledAt }, { state: 'done' }));
    await upToDate();
    const [expired] = withBlock('run:r-00000000aaaa:expired');
    expect(expired?.text).toContain('So those on call are called, one after the other');
    expect(expired?.text).not.toContain('S0ONCALL');
  });

  it('that was decided before it could be passed on calls nobody', async () => {
    publish();
    decide(asking({ state: 'denied', round: 1, settledAt }, { state: 'done' }));
    await upToDate();
    expect(withBlock('run:r-00000000aaaa:passed-on:1')).toEqual([]);
  });

  it('calls nobody who is on call: that is done by what follows from it', async () => {
    publish();
    const subject = { kind: 'escalation', to: ['S0ONCALL'] } as const;
    const run = asking();
    if (run.approval === undefined) throw new Error('asks nothing');
    const question = { ...run.approval.question, subject: { ...subject, to: [...subject.to] } };
    for (const state of ['waiting', 'approved'] as const) {
      decide(asking({ question, state }, { state: state === 'waiting' ? 'awaiting' : 'done' }));
      await upToDate();
      const said = ours().map((each) => JSON.stringify(each));
      expect(said.join()).toContain('`S0ONCALL`');
      expect(said.join()).not.toContain('<!subteam^S0ONCALL>');
    }
  });

  it('tells the outcome of its action in the thread, with before and after', async () => {
    publish();
    const action = {
      ...{ outcome: 'done', effect: 'confirmed', detail: '', stdout: 'freed 1.2G', stderr: '' },
      ...{ before: { findings: [], verdict: 'critical' }, after: { findings: [], verdict: 'ok' } },
    } satisfies Run['action'];
    decide(asking({ state: 'approved', settledAt }, { state: 'done', verdict: 'ok', action }), 'verdict');
    await upToDate();
    expect(shown('run:r-00000000aaaa:outcome')).toContain('it helped');
    expect(shown('run:r-00000000aaaa:main')).toContain('it helped');
  });

  it('in a campaign has its card in the campaign’s thread, named by its machine', async () => {
    publish();
    const campaign = sampleCampaign('c-1', ['web-01', 'web-02']);
    const one = asking();
    const waiting = { ...one, request: { ...one.request, campaign: 'c-1' } };
    const other = finished('r-2', { verdict: 'ok' });
    const show = (run: Run) => {
      runs = new Map([run, other].map((each) => [each.id, each]));
      const members = [run, other].map(({ id, state, verdict, request }) => ({
        ...{ machine: request.machine, runId: id, state, inertnessUnknown: false, alike: '' },
        ...(verdict === undefined ? {} : { verdict }),
      }));
      campaigns.set('c-1', { campaign, members });
      views.markDirty('campaign', 'c-1', 'decision');
    };
    show(waiting);
    await upToDate();
    const [main] = withBlock('campaign:c-1:main');
    expect(JSON.stringify(main?.blocks)).toContain('1 waits for people to decide');
    expect(withBlock(card).map((m) => m.thread_ts)).toEqual([main?.ts]);
    expect(shown(card)).toContain('*web-01*');
    expect(ours()).toHaveLength(2);
    show({
      ...waiting,
      ...asking({ state: 'expired', settledAt }, { state: 'done', request: waiting.request }),
    });
    await upToDate();
    expect(shown(card)).toContain('*expired*');
    expect(shown('run:r-00000000aaaa:entry')).toContain('*expired*');
    expect(shown('campaign:c-1:main')).not.toContain('waits for people');
  });
});
