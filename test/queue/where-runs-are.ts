import type { Redis } from 'ioredis';
import type { RunState } from '../../src/fleet/run.ts';
import { Keys } from '../../src/queue/keys.ts';
import { queueDefaults } from '../../src/queue/queue-settings.ts';

const keys = new Keys(queueDefaults.prefix);

/** Where every run is, as one looks for it; lists in their order, sets sorted. */
export interface WhereRunsAre {
  readonly states: Readonly<Record<string, RunState | string>>;
  readonly inboxes: readonly (readonly string[])[];
  readonly current: readonly (string | null)[];
  /** As each machine lists them, as the clock looks for them, and as their age is told. */
  readonly awaiting: readonly (readonly string[])[];
  readonly due: readonly string[];
  readonly asked: readonly string[];
  readonly finished: readonly (readonly string[])[];
  /** Machines that have work and that no sweep would wake. */
  readonly forgotten: readonly string[];
}

/** Looks into Redis, where nothing else is under way. */
export async function whereRunsAre(
  redis: Redis,
  machines: readonly string[],
  runIds: Iterable<string>,
): Promise<WhereRunsAre> {
  const list = (key: string) => redis.lrange(key, 0, -1);
  const zset = async (key: string) => (await redis.zrange(key, 0, '-1')).toSorted();
  const states = [...runIds].map(async (id) => [id, (await redis.hget(keys.run(id), 'state')) ?? 'gone']);
  const inboxes = await Promise.all(machines.map((name) => list(keys.inbox(name))));
  const current = await Promise.all(machines.map((name) => redis.hget(keys.machine(name), 'current')));
  const busy = new Set(await redis.smembers(keys.busy()));
  return {
    states: Object.fromEntries(await Promise.all(states)),
    inboxes,
    current,
    awaiting: await Promise.all(machines.map(async (name) => (await list(keys.awaiting(name))).toSorted())),
    due: await zset(keys.approvalsWaiting()),
    asked: await zset(keys.approvalsAsked()),
    finished: await Promise.all(machines.map(async (name) => (await list(keys.finished(name))).toSorted())),
    forgotten: machines.filter(
      (name, at) => !busy.has(name) && (inboxes[at]?.length !== 0 || current[at] !== null),
    ),
  };
}
