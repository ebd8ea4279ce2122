import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createIntake, type Intake } from '../../../src/alerts/intake.ts';
import { createPublisher, type Publisher } from '../../../src/bot/publisher/create-publisher.ts';
import { createPublisherClient } from '../../../src/bot/publisher/create-publisher-client.ts';
import { createDispatcher, type Dispatcher } from '../../../src/dispatch/create-dispatcher.ts';
import { handIn } from '../../../src/dispatch/hand-in.ts';
import { incidentsDuty } from '../../../src/dispatch/incidents.ts';
import type { Incident } from '../../../src/fleet/incident.ts';
import { ledgerEntrySchema } from '../../../src/fleet/ledger-entry.ts';
import { createQueue, type Queue } from '../../../src/queue/create-queue.ts';
import { finish } from '../../queue/support.ts';
import { alertChannel, deliver, stormFleet, stormOf } from '../../support/alert-storm.ts';
import { FakeControls } from '../../support/fake-controls.ts';
import { FakeSlack } from '../../support/fake-workspace.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import { eventually } from '../parts/eventually.ts';

const machines = 192;
const limits = { incidentsPerMinute: 3, machinesPerIncident: 10, runsPerMinute: 20, debounceSeconds: 1 };
/** Deliveries under way at the same time, over both bots. */
const atOnce = 100;
const minuteMs = 60_000;
const log = pino({ enabled: false });
const fleet = stormFleet(machines, limits);

/** What a bot process has of alerts, with connections of its own. */
interface AlertBot {
  readonly queue: Queue;
  readonly intake: Intake;
  readonly dispatcher: Dispatcher;
  readonly publisher: Publisher;
}

let redis: TestRedis;
let slack: FakeSlack;
let worker: Queue;
let bots: AlertBot[] = [];

beforeAll(async () => {
  redis = await startTestRedis();
  slack = await FakeSlack.start();
  worker = await createQueue({ redisUrl: redis.url, log });
  await worker.work(async (claim) => void (await finish(worker.runs, claim)), { concurrency: 4 });
  bots = [await startBot(1), await startBot(2)];
});
afterAll(async () => {
  await Promise.all(bots.map(({ publisher }) => publisher.stop()));
  await Promise.all(bots.map(({ dispatcher }) => dispatcher.stop()));
  await Promise.all([worker, ...bots.map(({ queue }) => queue)].map((queue) => queue?.close()));
  await slack?.stop();
  await redis?.stop();
});

async function startBot(number: number): Promise<AlertBot> {
  const queue = await createQueue({ redisUrl: redis.url, log, fleet: () => fleet });
  let campaigns = 0;
  const tools = {
    ...{ fleet: () => fleet, requests: queue.requests, halts: queue.halts },
    ...{ holdBack: async () => [], budgets: queue.budgets },
    ...{ seal: undefined, newCampaignId: () => `c-${number}-${campaigns++}`, clock: Date.now },
  };
  const duty = incidentsDuty({
    ...{ ...tools, incidents: queue.incidents, handIn: (wish) => handIn(wish, tools), log },
  });
  const dispatcher = createDispatcher({
    ...{ duties: [duty], lead: (work, signal) => queue.leadDispatch(work, signal), intervalMs: 500, log },
  });
  const publisher = createPublisher({
    client: createPublisherClient('xoxb-test', { slackApiUrl: slack.apiUrl }),
    fleet: { current: () => fleet, invalid: () => undefined },
    ...new FakeControls(),
    ...{ requests: queue.requests, incidents: queue.incidents, views: queue.views, budget: queue.budget },
    threads: { link: async () => undefined },
    linkTo: () => ({ missing: 'no MLflow here' }),
    clock: Date.now,
    log,
  });
  dispatcher.start();
  publisher.start();
  const meter = { taken: () => {}, homeless: () => {}, refused: () => {} };
  const intake = createIntake({
    ...{ fleet: () => fleet, incidents: queue.incidents, redact: (text) => text, meter, log },
  });
  return { queue, intake, dispatcher, publisher };
}

/** All incidents that were ever opened. */
async function allIncidents(queue: Queue): Promise<readonly Incident[]> {
  const entries = await queue.ledger.read('', 100_000);
  const opened = entries
    .map(({ entry }) => ledgerEntrySchema.parse(JSON.parse(entry)))
    .flatMap((entry) => (entry.kind === 'incident.opened' ? entry.incident : []));
  const found = await Promise.all(opened.map((id) => queue.incidents.incident(id)));
  return found.filter((incident) => incident !== undefined);
}

it('10,000 alerts in a minute end in a bounded number of runs, messages and edits, with exact counts', async () => {
  const storm = stormOf(machines, (text) => slack.say(alertChannel, 'U0MON', text).ts);
  expect(storm.told).toBeGreaterThan(10_000);
  const begun = performance.now();
  for (const phase of storm.phases) {
    await deliver(
      phase,
      bots.map(({ intake }) => intake),
      atOnce,
    );
  }
  const takenMs = performance.now() - begun;
  expect(takenMs).toBeLessThan(minuteMs);

  const [{ queue } = { queue: worker }] = bots;
  await eventually(async () => {
    const { dirtyViews, inboxDepth, incidentsOpen } = await queue.gauges();
    expect({ dirtyViews, inboxDepth }).toEqual({ dirtyViews: 0, inboxDepth: 0 });
    // What goes on firing is in the alert channel: its storm, and what opened there late.
    expect(incidentsOpen).toBeLessThanOrEqual(1 + limits.incidentsPerMinute);
  });
  const lastedMs = performance.now() - begun;
  const minutes = Math.ceil(lastedMs / minuteMs);
  const incidents = await allIncidents(queue);
  const sum = (of: (incident: Incident) => number) => incidents.reduce((total, each) => total + of(each), 0);
  const runs = incidents.flatMap(({ investigations }) => investigations.flatMap(({ run }) => run ?? []));
  const messages = slack.callsOf('chat.postMessage').length;
  const edits = slack.callsOf('chat.update').length;
  const numbers = {
    ...{ told: storm.told, takenMs: Math.round(takenMs), lastedMs: Math.round(lastedMs) },
    ...{ incidents: incidents.length, storms: incidents.filter((each) => each.storm).length },
    ...{ runs: runs.length, notInvestigated: sum((each) => each.notInvestigated), messages, edits },
    largestIncidentBytes: Math.max(...incidents.map((each) => JSON.stringify(each).length)),
  };
  process.stdout.write(`storm: ${JSON.stringify(numbers)}\n`);

  expect({
    alerts: sum(({ counts }) => counts.alerts),
    firing: sum(({ counts }) => counts.firing),
    notifications: sum(({ counts }) => counts.notifications),
    unmatched: sum(({ counts }) => counts.unmatched),
  }).toEqual(storm.counts);
  // Two channels, each with a storm of its own.
  const incidentsMax = 2 * (limits.incidentsPerMinute * (minutes + 1) + 1);
  expect(incidents.length).toBeLessThanOrEqual(incidentsMax);
  expect(runs.length).toBeGreaterThan(0);
  expect(runs.length).toBeLessThanOrEqual(limits.runsPerMinute * (minutes + 1));
  expect(new Set(runs).size).toBe(runs.length);
  // An incident's message and its end, and of each run no more than its message and its verdict.
  expect(messages).toBeLessThanOrEqual(2 * incidents.length + 3 * runs.length);
  expect(edits).toBeLessThanOrEqual(20 * incidents.length + 5 * runs.length);
});
