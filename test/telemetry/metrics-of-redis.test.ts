import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { QueueGauges } from '../../src/telemetry/metrics/queue-gauges.ts';
import { namedMachinesMax, RedisGauges } from '../../src/telemetry/metrics/redis-gauges.ts';
import { sampleGauges as gauges } from '../support/sample-gauges.ts';

const timeoutMs = 50;

/** Gauges that are read by this function, and what was logged. */
function start(read: () => Promise<QueueGauges>) {
  const logged: string[] = [];
  const log = pino({ level: 'info' }, { write: (line) => logged.push(JSON.parse(line).msg) });
  return { redis: new RedisGauges({ read, log, timeoutMs }), logged };
}

describe('what Redis holds', () => {
  it('is told in the units of Prometheus', async () => {
    const text = await start(async () => gauges).redis.text();
    expect(text).toContain('\nfleetbot_inbox_requests 12\n');
    expect(text).toContain('\nfleetbot_oldest_request_age_seconds 90.5\n');
    expect(text).toContain('\nfleetbot_approvals_waiting 2\n');
    expect(text).toContain('\nfleetbot_oldest_approval_age_seconds 60.5\n');
    expect(text).toContain('\nfleetbot_oldest_dirty_view_age_seconds 1.5\n');
    expect(text).toContain('\nfleetbot_redis_used_memory_bytes 5000000\n');
    expect(text).toContain('\nfleetbot_redis_memory_limit_bytes 8000000\n');
  });

  it('names quarantined machines, and forgets them when they are released', async () => {
    let quarantinedMachines: readonly string[] = gauges.quarantinedMachines;
    const { redis } = start(async () => ({ ...gauges, quarantinedMachines }));
    const before = await redis.text();
    expect(before).toContain('fleetbot_machine_quarantined{machine="web-01"} 1');
    expect(before).toContain('fleetbot_machine_quarantined{machine="web-02"} 1');
    quarantinedMachines = ['web-01'];
    const after = await redis.text();
    expect(after).toContain('fleetbot_machine_quarantined{machine="web-01"} 1');
    expect(after).not.toContain('web-02');
  });

  it('tells how much of each budget is spent, and forgets those that the fleet file no longer has', async () => {
    let { budgetsSpent } = gauges;
    const { redis } = start(async () => ({ ...gauges, budgetsSpent }));
    expect(await redis.text()).toContain('\nfleetbot_budget_spent_ratio{budget="web"} 0.85\n');
    budgetsSpent = new Map();
    expect(await redis.text()).not.toContain('web"} 0.85');
  });

  it('names a limited number of them and counts them all', async () => {
    const quarantinedMachines = Array.from({ length: 2_000 }, (_, index) => `m-${index}`);
    const text = await start(async () => ({ ...gauges, quarantinedMachines })).redis.text();
    expect(text?.match(/^fleetbot_machine_quarantined\{/gm)).toHaveLength(namedMachinesMax);
    expect(text).toContain('\nfleetbot_quarantined_machines 2000\n');
  });
});

describe('a Redis that is away', () => {
  it('is left out in time, and told of once', async () => {
    let away = true;
    const { redis, logged } = start(async () => {
      if (away) throw new Error('connection refused');
      return gauges;
    });
    expect(await redis.text()).toBeUndefined();
    expect(await redis.text()).toBeUndefined();
    expect(logged).toEqual([expect.stringContaining('left out')]);
    away = false;
    expect(await redis.text()).toContain('fleetbot_inbox_requests 12');
    expect(logged).toHaveLength(2);
  });

  it('is asked once, however many scrapes wait for it and give up', async () => {
    let asked = 0;
    const slow = Promise.withResolvers<QueueGauges>();
    const { redis } = start(() => {
      asked += 1;
      return asked === 1 ? slow.promise : Promise.resolve(gauges);
    });
    expect(await Promise.all([redis.text(), redis.text()])).toEqual([undefined, undefined]);
    expect(await redis.text()).toBeUndefined();
    expect(asked).toBe(1);
    slow.resolve(gauges);
    expect(await redis.text()).toContain('fleetbot_inbox_requests 12');
    expect(await redis.text()).toContain('fleetbot_inbox_requests 12');
    expect(asked).toBeGreaterThan(1);
  });
});
