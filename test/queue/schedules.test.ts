import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Schedule, ScheduleState } from '../../src/fleet/schedule.ts';
import { schedulesMax } from '../../src/fleet/time-rules.ts';
import type { Queue } from '../../src/queue/create-queue.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { openQueue } from './support.ts';

let redis: TestRedis;
let reader: Redis;
let queue: Queue;

beforeAll(async () => {
  redis = await startTestRedis();
  reader = new Redis(redis.url);
  queue = await openQueue(redis.url);
});
afterAll(async () => {
  reader.disconnect();
  await queue.close();
  await redis.stop();
});
beforeEach(() => reader.flushall());

const by = { kind: 'person', userId: 'UANN', teamId: 'T1' } as const;
const ben = { ...by, userId: 'UBEN' } as const;
const nightly: Schedule = {
  ...{ name: 'nightly', machines: 'all', task: { kind: 'check', check: 'disk' }, channel: 'C01', by },
  ...{ cron: '0 3 * * *', timeZone: 'Europe/Berlin', jitterSeconds: 0, since: 5 },
};

/** What the ledger says was done to which schedule by whom. */
async function ledger(): Promise<readonly string[]> {
  const rows = await reader.xrange('{fleetbot}:ledger', '-', '+');
  return rows.map(([, fields]) => {
    const { kind, change, schedule, by } = JSON.parse(fields[fields.indexOf('entry') + 1] ?? '');
    return `${kind} ${change} ${schedule.name} ${by.userId}`;
  });
}

describe('a schedule that is set up', () => {
  it('is kept as it is, and who did it is in the ledger', async () => {
    expect(await queue.schedules.add(nightly, by, 'e1')).toBe('saved');
    expect(await queue.schedules.add({ ...nightly, name: 'also' }, ben, 'e2')).toBe('saved');
    expect(await queue.schedules.setUp()).toEqual([{ ...nightly, name: 'also' }, nightly]);
    expect(await ledger()).toEqual([
      'schedule.changed added nightly UANN',
      'schedule.changed added also UBEN',
    ]);
  });

  it('takes its name, of many at once the first', async () => {
    const outcomes = await Promise.all(
      ['a', 'b', 'c'].map((each) => queue.schedules.add({ ...nightly, machines: each }, by, each)),
    );
    expect(outcomes).toEqual(['saved', 'changed', 'changed']);
    expect(await queue.schedules.setUp()).toEqual([{ ...nightly, machines: 'a' }]);
  });

  it('delivered twice is set up once, also when it was removed in between', async () => {
    await queue.schedules.add(nightly, by, 'e1');
    expect(await queue.schedules.add(nightly, by, 'e1')).toBe('saved');
    await queue.schedules.remove(nightly, by, 'e2');
    expect(await queue.schedules.add(nightly, by, 'e1')).toBe('saved');
    expect(await queue.schedules.setUp()).toEqual([]);
    expect(await ledger()).toHaveLength(2);
  });

  it('is refused where there are as many as there may be', async () => {
    await queue.schedules.add(nightly, by, 'e1');
    const many = Array.from({ length: schedulesMax - 1 }, (_, index) => [
      `s${index}`,
      JSON.stringify(nightly),
    ]);
    await reader.hset('{fleetbot}:schedules', Object.fromEntries(many));
    expect(await queue.schedules.add({ ...nightly, name: 'more' }, by, 'e2')).toBe('full');
    expect(await ledger()).toHaveLength(1);
    expect(await queue.schedules.remove(nightly, by, 'e3')).toBe('saved');
  });

  it('is removed only as the person knows it', async () => {
    await queue.schedules.add(nightly, by, 'e1');
    expect(await queue.schedules.remove({ ...nightly, machines: 'web-01' }, ben, 'e2')).toBe('changed');
    expect(await queue.schedules.remove(nightly, ben, 'e3')).toBe('saved');
    expect(await queue.schedules.remove(nightly, ben, 'e4')).toBe('changed');
    expect(await queue.schedules.setUp()).toEqual([]);
    expect(await ledger()).toEqual([
      'schedule.changed added nightly UANN',
      'schedule.changed removed nightly UBEN',
    ]);
  });
});

describe('what was done about a schedule', () => {
  const first: ScheduleState = { cron: '0 3 * * *', timeZone: 'UTC', since: 1 };
  const second: ScheduleState = { campaign: 'c-1', handled: 7, ...first };

  it('is kept only by whoever knows how it was', async () => {
    const { schedules } = queue;
    expect(await schedules.saveState('s', undefined, first)).toBe(true);
    expect(await schedules.saveState('s', undefined, second)).toBe(false);
    expect(await schedules.saveState('s', first, second)).toBe(true);
    expect(await schedules.saveState('s', first, first)).toBe(false);
    expect(await schedules.states()).toEqual(new Map([['s', second]]));
  });

  it('is forgotten as it was kept', async () => {
    const { schedules } = queue;
    await schedules.saveState('s', undefined, second);
    const [[, read] = []] = await schedules.states();
    expect(await schedules.saveState('s', read, undefined)).toBe(true);
    expect((await schedules.states()).size).toBe(0);
  });
});
