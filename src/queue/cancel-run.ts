import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { LedgerEntry } from '../fleet/ledger-entry.ts';
import { type Cancellation, moveRun, type Run } from '../fleet/run.ts';
import { cancellationMessage } from './cancellations.ts';
import type { Keys } from './keys.ts';
import { ledgerText } from './ledger.ts';
import type { QueueSettings } from './queue-settings.ts';
import { viewScore } from './view-score.ts';

const cancelReply = z.enum(['cancelled', 'requested', 'already-done', 'unknown-run']);

/** What a cancellation needs of the queue. */
export interface CancelOptions {
  readonly keys: Keys;
  readonly clock: () => number;
  readonly settings: QueueSettings;
}

/**
 * Ends a run that still waits in its inbox; asks any other to stop. The first cancellation counts. `run` is the
 * record as it was read before; where it has moved on since, the script notices.
 */
export async function cancelRun(
  redis: Redis,
  run: Run,
  cancellation: Cancellation,
  { keys, clock, settings }: CancelOptions,
): Promise<z.infer<typeof cancelReply>> {
  const now = clock();
  const ended =
    run.state === 'queued' ? moveRun(run, 'done', now, { verdict: 'cancelled', cancellation }) : run;
  const { userId, halt } = cancellation;
  const wish: LedgerEntry = {
    ...{ kind: 'run.cancelled', at: now, by: userId, run: run.id },
    ...(halt !== undefined && { halt }),
  };
  return cancelReply.parse(
    await redis.cancelRun(
      keys.prefix,
      ...[run.id, JSON.stringify(cancellation), JSON.stringify(ended)],
      ...[cancellationMessage(run.id, cancellation)],
      ...[viewScore('progress', now), viewScore('verdict', now)],
      ...[settings.recordsKeptMs, settings.finishedRunsPerMachine],
      ...[settings.ledgerEntriesMax, ledgerText(wish), ledgerText(doneEntry(ended, now))],
    ),
  );
}

/** What the ledger says of a run's end. */
export function doneEntry(run: Run, at: number): LedgerEntry {
  const { costUsd, failure: agentFailure } = run.diagnosis ?? {};
  return {
    kind: 'run.done',
    at,
    run: run.id,
    machine: run.request.machine,
    verdict: run.verdict ?? 'failed',
    inertness: run.inertness,
    ...(run.failure && { failure: run.failure.code }),
    ...(agentFailure && { agentFailure: agentFailure.code }),
    ...(costUsd !== undefined && { costUsd }),
  };
}
