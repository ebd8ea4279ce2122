import type { HaltOutcome } from '../fleet/halt.ts';

/** What became of one machine. */
export interface LockResult {
  readonly machine: string;
  readonly outcome: HaltOutcome;
  readonly detail?: string | undefined;
}

/** How each outcome is told, in the order of the summary. */
const words: Readonly<Record<HaltOutcome, string>> = {
  inactive: 'inactive and locked',
  unlocked: 'unlocked',
  ending: 'locked, but left to end',
  unreachable: 'unreachable, not locked',
  failed: 'failed',
  pending: 'not told yet',
};
const outcomes = ['inactive', 'unlocked', 'ending', 'unreachable', 'failed', 'pending'] as const;

/**
 * Writes a line for each machine as it becomes known, then a summary; as JSON lines with `json`. Returns whether
 * every machine came out as `wanted`.
 */
export async function tellLocks(
  results: AsyncIterable<LockResult>,
  options: {
    readonly wanted: HaltOutcome;
    readonly json: boolean;
    readonly write: (text: string) => void;
    /** Milliseconds. */
    readonly clock: () => number;
  },
): Promise<boolean> {
  const { wanted, json, write, clock } = options;
  const startedAt = clock();
  const counts = new Map<HaltOutcome, number>([[wanted, 0]]);
  for await (const { machine, outcome, detail } of results) {
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    const line = `${machine}: ${words[outcome]}${detail === undefined ? '' : `: ${detail}`}`;
    write(json ? `${JSON.stringify({ machine, outcome, detail })}\n` : `${line}\n`);
  }
  const durationMs = Math.round(clock() - startedAt);
  const found = outcomes.filter((outcome) => counts.has(outcome));
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const parts = found.map((outcome) => `${counts.get(outcome)} ${words[outcome]}`);
  const summary = `${total} machines in ${(durationMs / 1_000).toFixed(1)} s: ${parts.join('; ')}.`;
  write(json ? `${JSON.stringify({ total, ...Object.fromEntries(counts), durationMs })}\n` : `${summary}\n`);
  return counts.get(wanted) === total;
}
