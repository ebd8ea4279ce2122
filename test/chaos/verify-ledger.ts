import type { LedgerEntry } from '../../src/fleet/ledger-entry.ts';
import type { Run } from '../../src/fleet/run.ts';
import type { SimulatedMachine } from '../support/simulated-fleet/simulated-machine.ts';
import type { Violation } from './verify.ts';

/** What the ledger is held against. */
export interface LedgerEvidence {
  readonly ledger: readonly LedgerEntry[];
  readonly runs: ReadonlyMap<string, Run>;
  readonly machines: readonly SimulatedMachine[];
  /** Whether Redis lost its last second at this time, ms since the epoch, and its facts with it. */
  readonly lostAt: (at: number) => boolean;
}

/** Every run is in the ledger with its acceptance and its end, once, and every start of an agent before it happened. */
export function verifyLedger({ ledger, runs, machines, lostAt }: LedgerEvidence): readonly Violation[] {
  const found: Violation[] = [];
  const accepted = countBy(
    ledger.flatMap((entry) => (entry.kind === 'request.accepted' ? entry.runs.map(({ run }) => run) : [])),
  );
  const done = countBy(ledger.flatMap((entry) => (entry.kind === 'run.done' ? entry.run : [])));
  for (const { id: runId, request, timeline } of runs.values()) {
    if (timeline.some(({ at }) => lostAt(at)) || lostAt(request.acceptedAt)) continue;
    const about = { runId, machine: request.machine };
    const counts = [accepted.get(runId) ?? 0, done.get(runId) ?? 0];
    if (counts.some((count) => count !== 1)) {
      const sentence = `the ledger tells the acceptance ${counts[0]} times and the end ${counts[1]} times`;
      found.push({ sentence, ...about });
    }
  }
  const began = new Map(
    ledger.flatMap((entry) =>
      entry.kind === 'activation.began' ? [[`${entry.machine} ${entry.run} ${entry.fence}`, entry.at]] : [],
    ),
  );
  for (const { name: machine, books } of machines) {
    for (const [index, entry] of books.entries.entries()) {
      const before = books.entries[index - 1];
      // It was in the ledger before it was asked for, which a slow start is a while after.
      const askedAt = before?.kind === 'fault' ? before.at : entry.at;
      if (entry.kind !== 'alive' || lostAt(askedAt) || lostAt(entry.at)) continue;
      const at = began.get(`${machine} ${entry.run} ${entry.fence}`);
      if (at !== undefined && at <= entry.at) continue;
      found.push({ sentence: 'an agent started that is not in the ledger', machine, runId: entry.run });
    }
  }
  return found;
}

function countBy(ids: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}
