import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createPublisher } from '../../../src/bot/publisher/create-publisher.ts';
import { createPublisherClient } from '../../../src/bot/publisher/create-publisher-client.ts';
import { longestRefreshMs, publisherDefaults } from '../../../src/bot/publisher/settings.ts';
import { moveRun } from '../../../src/fleet/run.ts';
import { createQueue, type Queue } from '../../../src/queue/create-queue.ts';
import { queueDefaults } from '../../../src/queue/queue-settings.ts';
import { FakeControls } from '../../support/fake-controls.ts';
import { FakeSlack } from '../../support/fake-workspace.ts';
import { noLimits } from '../../support/no-limits.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import { diagnosed, judged, sampleRun } from '../../support/sample-run.ts';
import { fleetOf } from '../bot-under-test.ts';

let redis: TestRedis;
let queue: Queue;
let slack: FakeSlack;
const log = pino({ enabled: false });

beforeAll(async () => {
  redis = await startTestRedis();
  queue = await createQueue({ redisUrl: redis.url, log });
  slack = await FakeSlack.start();
});
afterAll(async () => {
  await queue.close();
  await slack.stop();
  await redis.stop();
});

it('a refresh is over before its lease is, also when every call of an upload takes as long as it may', () => {
  expect(longestRefreshMs(publisherDefaults)).toBeLessThan(queueDefaults.viewLeaseMs);
  expect(queue.views.leaseMs).toBe(queueDefaults.viewLeaseMs);
});

it('two processes on one store keep one message per part of every run, within the budget', async () => {
  const publishers = [1, 2].map(() =>
    createPublisher({
      client: createPublisherClient('xoxb-test', { slackApiUrl: slack.apiUrl }),
      fleet: { current: () => fleetOf([], []), invalid: () => undefined },
      requests: queue.requests,
      ...new FakeControls(),
      threads: { link: async () => undefined },
      views: queue.views,
      budget: queue.budget,
      linkTo: () => ({ missing: 'no MLflow here' }),
      clock: Date.now,
      log,
      settings: { progressIntervalMs: 100, recheckMs: 100 },
    }),
  );
  for (const publisher of publishers) publisher.start();
  const names = ['a', 'b', 'c'];
  await queue.requests.accept(
    names.map((name) => {
      const { request } = sampleRun(name, 'queued');
      return { ...request, machine: `web-${name}`, origin: { channel: `C0${name.toUpperCase()}` } };
    }),
    noLimits,
  );
  await Promise.all(
    names.map(async (name) => {
      const claim = await queue.runs.claim(`web-${name}`);
      if (claim === undefined) throw new Error('nothing to claim');
      const gathering = await queue.runs.save(moveRun(claim.run, 'gathering', 1), 'queued', claim.fence);
      const done = moveRun(gathering, 'done', 2, { ...judged, ...diagnosed });
      await queue.runs.save(done, 'gathering', claim.fence);
    }),
  );
  await expect.poll(() => slack.messages.length, { timeout: 10_000, interval: 50 }).toBe(9);
  await expect
    .poll(
      () =>
        slack.messages.filter(
          (m) => m.thread_ts === undefined && JSON.stringify(m.blocks).includes('Run again'),
        ).length,
      { timeout: 10_000, interval: 50 },
    )
    .toBe(3);
  await Promise.all(publishers.map((publisher) => publisher.stop()));
  expect(slack.messages).toHaveLength(9);
});
