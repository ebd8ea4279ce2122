import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { createPublisher } from '../../src/bot/publisher/create-publisher.ts';
import { createPublisherClient } from '../../src/bot/publisher/create-publisher-client.ts';
import { alikeWords, clustersOf } from '../../src/bot/views/campaign-clusters.ts';
import { campaignMainBlockId } from '../../src/bot/views/campaign-main.ts';
import { campaignsDuty } from '../../src/dispatch/campaigns.ts';
import { createDispatcher, dispatchIntervalMs } from '../../src/dispatch/create-dispatcher.ts';
import type { Fleet } from '../../src/fleet/fleet.ts';
import { planRequests } from '../../src/fleet/plan-requests.ts';
import { parseWaves } from '../../src/fleet/waves.ts';
import type { Queue } from '../../src/queue/create-queue.ts';
import { FakeControls } from '../support/fake-controls.ts';
import { FakeSlack } from '../support/fake-workspace.ts';
import { noLimits } from '../support/no-limits.ts';
import { commandCount, type RedisCost } from './redis-cost.ts';

/** What one campaign took. */
export interface CampaignShown {
  /** Until the last machine was handed in and its run was done. */
  readonly doneMs: number;
  /** Until Slack showed the end, with the files. */
  readonly shownMs: number;
  readonly acceptMs: number;
  readonly messages: number;
  readonly edits: number;
  readonly files: number;
  /** What the summary says of machines with the same answer. */
  readonly alike: string;
}

export interface CampaignCost extends CampaignShown {
  readonly machines: number;
  readonly anomalies: number;
  readonly redis: RedisCost;
}

const waves = '1,10%,rest';
const id = 'c-0000000bench';
const pollMs = 50;
const patienceMs = 120_000;

/** Asks all machines in waves, with a publisher and a dispatcher as a bot has them. */
export async function measureCampaign(queue: Queue, fleet: Fleet): Promise<CampaignShown> {
  await using parts = new AsyncDisposableStack();
  const log = pino({ level: 'silent' });
  const slack = await FakeSlack.start();
  parts.defer(() => slack.stop());
  const publisher = createPublisher({
    client: createPublisherClient('xoxb-bench', { slackApiUrl: slack.apiUrl }),
    fleet: { current: () => fleet, invalid: () => undefined },
    requests: queue.requests,
    ...new FakeControls(),
    threads: { link: async () => undefined },
    views: queue.views,
    budget: queue.budget,
    linkTo: () => ({ missing: 'no MLflow here' }),
    clock: Date.now,
    log,
  });
  const duty = campaignsDuty({
    ...{ fleet: () => fleet, requests: queue.requests, campaigns: queue.requests.campaigns },
    ...{
      halts: queue.halts,
      holdBack: async () => [],
      budgets: queue.budgets,
      seal: undefined,
      clock: Date.now,
    },
    accepted: () => undefined,
  });
  const dispatcher = createDispatcher({
    ...{ duties: [duty], intervalMs: dispatchIntervalMs, log },
    lead: (work, signal) => queue.leadDispatch(work, signal),
  });
  publisher.start();
  parts.defer(() => publisher.stop());
  dispatcher.start();
  parts.defer(() => dispatcher.stop());

  const begunAt = performance.now();
  const { requests, campaign } = planRequests(
    {
      ...{ task: { kind: 'check', check: 'disk' }, machines: [...fleet.machines.values()], selector: 'all' },
      requester: { kind: 'person', userId: 'U0BENCH', teamId: 'T0BENCH' },
      ...{ origin: { channel: 'C0BENCH' }, eventId: 'bench', waves: parseWaves(waves) },
    },
    () => id,
    Date.now(),
  );
  await queue.requests.accept(requests, noLimits, campaign);
  const acceptMs = performance.now() - begunAt;
  const done = await until(async () => {
    const found = await queue.requests.campaign(id);
    const over = found?.members.length === fleet.machines.size;
    return over && found.members.every(({ state }) => state === 'done') ? found : undefined;
  });
  const doneMs = performance.now() - begunAt;
  const files = () => slack.messages.flatMap((message) => message.files ?? []).length;
  await until(async () => {
    const main = slack.messages.find((message) =>
      message.blocks?.some((block) => block.block_id === campaignMainBlockId(id)),
    );
    const ended = JSON.stringify(main?.blocks).includes(`all ${fleet.machines.size} machines done`);
    return ended && files() === 2 ? true : undefined;
  });
  return {
    ...{ doneMs, acceptMs, shownMs: performance.now() - begunAt, files: files() },
    messages: slack.callsOf('chat.postMessage').length,
    edits: slack.callsOf('chat.update').length,
    alike: alikeWords(clustersOf(done.members)) ?? '',
  };
}

/** Resolves with what is looked for, once it is there. */
async function until<Value>(look: () => Promise<Value | undefined>): Promise<Value> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error('the campaign did not end in time');
    await sleep(pollMs);
  }
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);

/** The table for README. */
export function campaignReport(cost: CampaignCost): string {
  const { machines, anomalies } = cost;
  return [
    `A campaign over ${machines} instant machines, ${anomalies} of them with a full disk, \`--wave ${waves}\`, in a Slack that answers at once: "${cost.alike}".`,
    '',
    '| | |',
    '| --- | ---: |',
    `| accepted and on disk, ms | ${cost.acceptMs.toFixed(0)} |`,
    `| every machine done, s | ${seconds(cost.doneMs)} |`,
    `| … per machine, ms | ${(cost.doneMs / machines).toFixed(1)} |`,
    `| the end shown in Slack, with the files, s | ${seconds(cost.shownMs)} |`,
    `| Redis commands per machine | ${(commandCount(cost.redis) / machines).toFixed(1)} |`,
    `| messages posted / edits / files | ${cost.messages} / ${cost.edits} / ${cost.files} |`,
  ].join('\n');
}
