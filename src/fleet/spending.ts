import { z } from 'zod';
import { toMicroUsd } from './money.ts';
import { personBehind, type Requester, requesterWord } from './requester.ts';
import type { Diagnosis, Run } from './run.ts';

const count = z.int().nonnegative();

/** What activations of agents used, all together. */
export const spentSchema = z.object({
  activations: count,
  /** What came from a cache, or went into one, included. */
  inputTokens: count,
  outputTokens: count,
  cacheReadTokens: count,
  cacheWriteTokens: count,
  /** Of those activations of which it is known. */
  microUsd: count,
  /** Activations that told their tokens, but whose model has no price. */
  unpriced: count,
  /** Activations that told nothing: they failed, were cut off, or their worker was killed. */
  untold: count,
});
export type Spent = z.infer<typeof spentSchema>;

/** The fields of `Spent`, in an order that stays. */
export const spentFields = spentSchema.keyof().options;

/** On whose account something was used. */
export interface Account {
  readonly machine: string;
  /** A person's Slack id, `alerts`, `schedule:NAME` or `supervisors`. */
  readonly spender: string;
  /** As the agent reported it; undefined where it told none. */
  readonly model: string | undefined;
}

/** What was used on one account on one day, or in one month. */
export interface SpendingRow extends Account, Spent {
  /** In UTC: `2026-11-23`; of a month `2026-11`. */
  readonly time: string;
}

/** A longer name of a model is none that a person would want to read. */
export const modelMaxCharacters = 100;

/** Whom a run counts for: the person behind it, where there is one. */
export function spenderOf(requester: Requester): string {
  const person = personBehind(requester);
  if (person !== undefined) return person.userId;
  return requester.kind === 'supervisor' ? 'supervisors' : requesterWord(requester);
}

const dayMs = 24 * 3_600_000;

/** How long sums are kept. */
export const spendingDaysKept = 400;

/** The days of a stretch of time that have begun and of which sums may be kept, oldest first, in UTC. */
export function daysOf(
  { from, to }: { readonly from: number; readonly to: number },
  now: number,
): readonly string[] {
  const last = Math.floor(Math.min(to - 1, now) / dayMs);
  const first = Math.max(Math.floor(from / dayMs), Math.floor(now / dayMs) - spendingDaysKept);
  const days: string[] = [];
  for (let day = first; day <= last; day += 1) days.push(timesOf(day * dayMs).day);
  return days;
}

/** Day and month of a moment, in UTC. */
export function timesOf(atMs: number): { readonly day: string; readonly month: string } {
  const text = new Date(atMs).toISOString();
  return { day: text.slice(0, 'YYYY-MM-DD'.length), month: text.slice(0, 'YYYY-MM'.length) };
}

/** What one activation used. */
export function spentBy({ usage, costUsd }: Partial<Pick<Diagnosis, 'usage' | 'costUsd'>>): Spent {
  return {
    activations: 1,
    inputTokens: usage?.inputTokens ?? 0,
    outputTokens: usage?.outputTokens ?? 0,
    cacheReadTokens: usage?.cacheReadTokens ?? 0,
    cacheWriteTokens: usage?.cacheWriteTokens ?? 0,
    microUsd: toMicroUsd(costUsd ?? 0),
    unpriced: usage !== undefined && costUsd === undefined ? 1 : 0,
    untold: usage === undefined ? 1 : 0,
  };
}

/** The account of what an agent did for a run. */
export function accountOf({ machine, requester }: Run['request'], model: string | undefined): Account {
  return { machine, spender: spenderOf(requester), model };
}

/** All together. */
export function sumOf(parts: readonly Spent[]): Spent {
  const sum: Spent = {
    ...{ activations: 0, inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 },
    ...{ microUsd: 0, unpriced: 0, untold: 0 },
  };
  for (const part of parts) for (const field of spentFields) sum[field] += part[field];
  return sum;
}

/** Whether it may have cost more than is known. */
export function isAtLeast({ unpriced, untold }: Pick<Spent, 'unpriced' | 'untold'>): boolean {
  return unpriced > 0 || untold > 0;
}
