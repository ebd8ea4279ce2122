import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RedisSlackBudget } from '../../src/queue/budget.ts';
import { connectForRequests, whenConnected } from '../../src/queue/connect.ts';
import { Keys } from '../../src/queue/keys.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { silent } from './support.ts';

// Slow enough that no token comes back during a test.
/** Other tests may keep the computer busy. */
const patient = { timeout: 10_000 };

const slow = { perMinute: 1, burst: 6, reserve: { decision: 0, verdict: 1, progress: 3 } };
const limits = new Map([
  ['chat.update', { workspace: slow }],
  ['chat.postMessage', { workspace: { ...slow, burst: 100 }, channel: slow }],
  ['quick', { workspace: { perMinute: 60, burst: 1, reserve: { decision: 0, verdict: 0, progress: 0 } } }],
]);

let redis: TestRedis;
let prefixes = 0;
let one: RedisSlackBudget;
let other: RedisSlackBudget;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => {
  await redis?.stop();
});
beforeEach(async () => {
  prefixes += 1;
  const connections = [1, 2].map(() => connectForRequests(redis.url, silent, 2_000));
  const [first, second] = connections.map(
    (connection) => new RedisSlackBudget(connection, new Keys(`{budget${prefixes}}`), limits),
  );
  await Promise.all(connections.map((connection) => whenConnected(connection, 5_000, silent)));
  if (first) one = first;
  if (second) other = second;
  return () => {
    for (const connection of connections) connection.disconnect();
  };
});

/** How many calls in a row are let through, over both processes in turn. */
async function letThrough(method: string, channel: string, priority: 'decision' | 'verdict' | 'progress') {
  for (let calls = 0; ; calls += 1) {
    if ((await (calls % 2 ? one : other).take(method, channel, priority)) > 0) return calls;
  }
}

describe('the budget of Slack calls', () => {
  it('is shared by all processes, and low priorities leave a reserve to higher ones', async () => {
    expect(await letThrough('chat.update', 'C1', 'progress')).toBe(3);
    expect(await letThrough('chat.update', 'C2', 'verdict')).toBe(2);
    expect(await letThrough('chat.update', 'C3', 'decision')).toBe(1);
  });

  it('limits posts for each channel', async () => {
    expect(await letThrough('chat.postMessage', 'C1', 'decision')).toBe(6);
    expect(await letThrough('chat.postMessage', 'C2', 'decision')).toBe(6);
  });

  it('tells how long to wait, and lets through after that', async () => {
    expect(await one.take('quick', 'C1', 'verdict')).toBe(0);
    const wait = await one.take('quick', 'C1', 'verdict');
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(1_000);
    await expect.poll(() => one.take('quick', 'C1', 'verdict'), patient).toBe(0);
  });

  it('gives methods that are not in the table a careful limit', async () => {
    expect(await letThrough('unknown.method', 'C1', 'decision')).toBe(4);
  });

  it('holds everybody back from a blocked method until it is over, other channels go on', async () => {
    await one.block('chat.postMessage', 'C1', 1_000);
    expect(await other.take('chat.postMessage', 'C1', 'decision')).toBeGreaterThan(0);
    expect(await other.take('chat.postMessage', 'C2', 'progress')).toBe(0);
    await expect.poll(() => other.take('chat.postMessage', 'C1', 'decision'), patient).toBe(0);

    await one.block('chat.update', 'C1', 60_000);
    expect(await other.take('chat.update', 'C2', 'decision')).toBeGreaterThan(59_000);
  });
});
