import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { BudgetState } from '../fleet/budget-state.ts';
import { timeOfRunId } from './ids.ts';
import type { Keys } from './keys.ts';
import type { RedisLedger } from './ledger.ts';
import { mlflowReader } from './ledger-tail.ts';
import { viewPriorities, viewScore } from './view-score.ts';

const gaugesReply = z.tuple([z.int(), z.int(), z.string(), z.int()]);
const scoredReply = z.array(z.string());
const usedMemory = /^used_memory:(\d+)/m;
/** The server's own limit, else the memory of its computer. */
const memoryLimits = [/^maxmemory:([1-9]\d*)/m, /^total_system_memory:(\d+)/m];

/** What waits and what is at work, for whoever watches. Counts of things and ages in ms. */
export interface QueueGauges {
  readonly inboxDepth: number;
  readonly deepestInbox: number;
  /** Since the oldest request that is not answered was accepted. */
  readonly oldestRequestAgeMs: number;
  readonly runsInProgress: number;
  readonly machinesBusy: number;
  readonly quarantinedMachines: readonly string[];
  readonly haltedMachines: number;
  readonly silencesOpen: number;
  readonly incidentsOpen: number;
  readonly approvalsWaiting: number;
  /** Since people were asked what has waited for them longest. */
  readonly oldestApprovalAgeMs: number;
  /** Views that are not up to date in Slack. */
  readonly dirtyViews: number;
  readonly oldestDirtyViewAgeMs: number;
  readonly ledgerEntries: number;
  /** Entries that an exporter lacks. */
  readonly ledgerUnexported: number;
  /** What people said of traces that MLflow does not know yet. */
  readonly assessmentsWaiting: number;
  /** How much of each budget is spent in its period, by name: 1 is all of it. */
  readonly budgetsSpent: ReadonlyMap<string, number>;
  readonly redisUsedMemoryBytes: number;
  /** `maxmemory`, or the memory of Redis's computer where none is set. */
  readonly redisMemoryLimitBytes: number;
}

export interface GaugesOptions {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly ledger: RedisLedger;
  readonly clock: () => number;
  /** How many machines a halt holds for. */
  readonly haltedMachines: () => Promise<number>;
  /** How many silences and maintenance windows hold. */
  readonly silencesOpen: () => Promise<number>;
  readonly budgets: () => Promise<readonly BudgetState[]>;
}

/** Reads all gauges. Rejects when Redis does not answer in time. */
export async function readGauges(options: GaugesOptions): Promise<QueueGauges> {
  const { redis, keys, ledger, clock, haltedMachines, silencesOpen, budgets } = options;
  const [
    work,
    busy,
    quarantined,
    halted,
    silenced,
    incidents,
    storms,
    approvals,
    asked,
    dirty,
    held,
    oldest,
    kept,
    putOff,
    standing,
    info,
  ] = await Promise.all([
    redis.readGauges(keys.prefix).then((reply) => gaugesReply.parse(reply)),
    redis.scard(keys.busy()),
    redis.smembers(keys.quarantined()),
    haltedMachines(),
    silencesOpen(),
    redis.hlen(keys.openIncidents()),
    redis.hlen(keys.storms()),
    redis.zcard(keys.approvalsWaiting()),
    redis.zrange(keys.approvalsAsked(), 0, '0', 'WITHSCORES').then((reply) => scoredReply.parse(reply)),
    redis.zcard(keys.dirtyViews()),
    redis.zcard(keys.heldViews()),
    oldestDirtyAt(redis, keys),
    ledger.state(),
    redis.zcard(keys.ledgerPutOff(mlflowReader)),
    budgets(),
    redis.info('memory'),
  ]);
  const [inboxDepth, deepestInbox, oldestRun, runsInProgress] = work;
  const now = clock();
  const ageOf = (at: number | undefined): number => (at === undefined ? 0 : Math.max(0, now - at));
  return {
    ...{ inboxDepth, deepestInbox, runsInProgress },
    oldestRequestAgeMs: ageOf(oldestRun === '' ? undefined : timeOfRunId(oldestRun)),
    machinesBusy: busy,
    quarantinedMachines: quarantined.toSorted(),
    haltedMachines: halted,
    silencesOpen: silenced,
    incidentsOpen: incidents + storms,
    approvalsWaiting: approvals,
    oldestApprovalAgeMs: ageOf(asked[1] === undefined ? undefined : Number(asked[1])),
    dirtyViews: dirty + held,
    oldestDirtyViewAgeMs: ageOf(oldest),
    ledgerEntries: kept.entries,
    ledgerUnexported: kept.unexported,
    assessmentsWaiting: putOff,
    budgetsSpent: new Map(
      standing.map(({ budget, spent, limitMicroUsd }) => [budget.name, spent.microUsd / limitMicroUsd]),
    ),
    redisUsedMemoryBytes: Number(usedMemory.exec(info)?.[1] ?? 0),
    redisMemoryLimitBytes: Number(memoryLimits.map((limit) => limit.exec(info)?.[1]).find(Boolean) ?? 0),
  };
}

/** When the view that has waited longest became dirty: the first one of each priority tells. */
async function oldestDirtyAt(redis: Redis, keys: Keys): Promise<number | undefined> {
  const firsts = await Promise.all(
    viewPriorities.map(async (priority) => {
      const from = viewScore(priority, 0);
      const found = await redis.zrangebyscore(keys.dirtyViews(), from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1);
      const [, score] = scoredReply.parse(found);
      return score === undefined ? [] : [Number(score) - from];
    }),
  );
  const times = firsts.flat().filter((at) => at < viewScore('verdict', 0));
  return times.length === 0 ? undefined : Math.min(...times);
}
