import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { LedgerEntry } from '../fleet/ledger-entry.ts';
import { type Cancellation, moveRun, type Run } from '../fleet/run.ts';
import { cancelWaiting } from '../fleet/withdraw.ts';
import { campaignNote } from './campaign-note.ts';
import { cancellationMessage } from './cancellations.ts';
import type { Keys } from './keys.ts';
import { ledgerText } from './ledger.ts';
import { doneEntries } from './move-entries.ts';
import type { QueueSettings } from './queue-settings.ts';
import { readStoredRun, runFields, type StoredRun } from './records.ts';
import { saveSettled } from './save-settled.ts';
import { viewScore } from './view-score.ts';

const cancelReply = z.enum(['cancelled', 'requested', 'left', 'moved']);

/** What a cancellation needs of the queue. */
export interface CancelOptions {
  readonly keys: Keys;
  readonly clock: () => number;
  readonly settings: QueueSettings;
}

/**
 * Ends a run that waits, in its inbox or for people; asks one to stop that a worker drives. The first cancellation
 * counts.
 */
export async function cancelRun(
  redis: Redis,
  runId: string,
  cancellation: Cancellation,
  options: CancelOptions,
): Promise<'cancelled' | 'requested' | 'already-done' | 'unknown-run'> {
  for (;;) {
    const stored = readStoredRun(await redis.hmget(options.keys.run(runId), ...runFields));
    if (stored === undefined) return 'unknown-run';
    const { run } = stored;
    if (run.state === 'done') return 'already-done';
    const reply =
      run.state === 'awaiting'
        ? await cancelQuestion(redis, stored, cancellation, options)
        : await cancelInScript(redis, run, run.state, cancellation, options);
    // Otherwise somebody has moved it on since it was read.
    if (reply === 'cancelled' || reply === 'requested') return reply;
  }
}

/** Asks a run to stop that a worker drives. One that nobody drives (any more) is left as it is. */
export async function cancelDriven(
  redis: Redis,
  run: Run,
  cancellation: Cancellation,
  options: CancelOptions,
): Promise<void> {
  await cancelInScript(redis, run, '', cancellation, options);
}

async function cancelQuestion(
  redis: Redis,
  stored: StoredRun,
  cancellation: Cancellation,
  options: CancelOptions,
): Promise<'cancelled' | 'moved'> {
  const now = options.clock();
  const settled = cancelWaiting(stored.run, cancellation, now);
  if (settled === undefined)
    throw new RangeError(`run ${stored.run.id}: awaiting without a question that waits`);
  const entries = [...settled.entries, cancelledEntry(stored.run.id, cancellation, now)];
  return (await saveSettled(redis, stored, { ...settled, entries }, options)) ? 'cancelled' : 'moved';
}

async function cancelInScript(
  redis: Redis,
  run: Run,
  from: Run['state'] | '',
  cancellation: Cancellation,
  { keys, clock, settings }: CancelOptions,
): Promise<z.infer<typeof cancelReply>> {
  const now = clock();
  const ended = endedInInbox(run, cancellation, now);
  const { verdict = '' } = ended;
  const entries = [cancelledEntry(run.id, cancellation, now), ...doneEntries(ended, now)];
  return cancelReply.parse(
    await redis.cancelRun(
      keys.prefix,
      ...[run.id, JSON.stringify(cancellation), from],
      ...[JSON.stringify(ended), verdict, campaignNote(ended), cancellationMessage(run.id, cancellation)],
      ...[viewScore('progress', now), viewScore('verdict', now)],
      ...[settings.recordsKeptMs, settings.finishedRunsPerMachine],
      ...[settings.ledgerEntriesMax, ...entries.map(ledgerText)],
    ),
  );
}

/** The run as it ends where no worker has it. What a check found before people approved an action stays its verdict. */
function endedInInbox(run: Run, cancellation: Cancellation, now: number): Run {
  if (run.state !== 'queued' && run.state !== 'approved') return run;
  return moveRun(run, 'done', now, { verdict: run.verdict ?? 'cancelled', cancellation });
}

function cancelledEntry(run: string, { userId, halt }: Cancellation, at: number): LedgerEntry {
  return { kind: 'run.cancelled', at, by: userId, run, ...(halt !== undefined && { halt }) };
}
