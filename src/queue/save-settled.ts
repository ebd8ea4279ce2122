import type { Redis } from 'ioredis';
import { z } from 'zod';
import { nextMoment } from '../fleet/pass-time.ts';
import type { Settled } from '../fleet/settle.ts';
import { campaignNote } from './campaign-note.ts';
import { handOverArguments } from './hand-overs.ts';
import type { Keys } from './keys.ts';
import { ledgerText } from './ledger.ts';
import { approvalOf, doneEntries } from './move-entries.ts';
import type { QueueSettings } from './queue-settings.ts';
import type { StoredRun } from './records.ts';
import { viewScore } from './view-score.ts';

const saveReply = z.union([z.literal(0), z.literal(1)]);

/** What it needs of the queue. */
export interface SaveSettledOptions {
  readonly keys: Keys;
  readonly clock: () => number;
  readonly settings: QueueSettings;
}

/**
 * Stores what became of a run that awaits people, if it still is as it was read. Returns whether it was. The ledger
 * gets these entries and, where the run is done, its end. A hand-over begins in the same step.
 */
export async function saveSettled(
  redis: Redis,
  before: StoredRun,
  { run, entries, handOver }: Settled,
  { keys, clock, settings }: SaveSettledOptions,
): Promise<boolean> {
  const now = clock();
  const isDone = run.state === 'done';
  const told = isDone ? [...entries, ...doneEntries(run, now)] : entries;
  const reply = await redis.settleRun(
    keys.prefix,
    ...[run.id, before.body, JSON.stringify(run), run.state, run.verdict ?? '', campaignNote(run)],
    ...[viewScore('decision', now), run.state === 'awaiting' ? nextMoment(approvalOf(run)) : ''],
    ...[settings.recordsKeptMs, settings.finishedRunsPerMachine],
    ...(handOver === undefined ? ['', '', '', ''] : [...handOverArguments(handOver), handOver.task]),
    ...[settings.ledgerEntriesMax, ...told.map(ledgerText)],
  );
  return saveReply.parse(reply) === 1;
}
