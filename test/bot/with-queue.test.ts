import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { runAgainActionId } from '../../src/bot/action-ids.ts';
import { createQueue, type Queue } from '../../src/queue/create-queue.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { BotUnderTest, silent } from './bot-under-test.ts';

/** The bot in front of the real store. */
const test = new BotUnderTest();
let redis: TestRedis;
let queue: Queue;

beforeAll(async () => {
  redis = await startTestRedis();
  queue = await createQueue({ redisUrl: redis.url, log: silent, settings: { requestTimeoutMs: 500 } });
  await test.start(queue.requests);
  test.reset();
});

afterAll(async () => {
  await test.stop();
  await queue.close();
  await redis.stop();
});

const runsOf = (machine: string) => queue.requests.runs({ machine, limit: 10 });

it('a command that Slack delivers twice is stored once', async () => {
  const acks = await Promise.all([
    test.command('check web-01 disk', { trigger: 'same' }),
    test.command('check web-01 disk', { trigger: 'same' }),
  ]);
  expect(acks).toEqual([
    { status: 200, text: '' },
    { status: 200, text: '' },
  ]);
  expect(await runsOf('web-01')).toHaveLength(1);
});

it('a campaign that Slack delivers twice is stored once', async () => {
  await test.command('ask web-0* "all well?"', { trigger: 'campaign' });
  await test.command('ask web-0* "all well?"', { trigger: 'campaign' });
  const [run] = await runsOf('web-02');
  expect(await runsOf('web-02')).toHaveLength(1);
  const campaign = await queue.requests.campaign(run?.request.campaign ?? '');
  expect(campaign?.members.map((member) => member.machine).toSorted()).toEqual(['web-01', 'web-02']);
});

it('a double click is one run', async () => {
  await test.command('check db-01 disk');
  const [run] = await runsOf('db-01');
  const id = run?.id ?? '';
  await Promise.all([test.click(runAgainActionId, id), test.click(runAgainActionId, id)]);
  await vi.waitFor(() => expect(test.slack.responses).toHaveLength(1));
  expect(test.slack.responses[0]?.text).toContain('began a moment ago');
  expect(await runsOf('db-01')).toHaveLength(2);
});

it('the person is told when Redis is gone', async () => {
  await redis.kill();
  const ack = await test.command('check web-01 disk');
  expect(ack.text).toContain('not certain that this was recorded');
  await redis.restart();
});
