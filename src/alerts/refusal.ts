import type { RefusalReason } from '../fleet/alert.ts';

/** An answer to a delivery that was not taken. */
export interface Refusal {
  readonly status: number;
  /** What to do about it, as a sentence for whoever set the sender up. */
  readonly problem: string;
  readonly reason: RefusalReason;
  readonly headers?: Readonly<Record<string, string>>;
}

/** When senders that are told to come back should, at the earliest. */
const retryAfterSeconds = 5;

function later(problem: string, reason: RefusalReason): Refusal {
  return {
    ...{ status: 503, reason, headers: { 'retry-after': String(retryAfterSeconds) } },
    problem: `${problem}. Send it again in ${retryAfterSeconds} seconds.`,
  };
}

/** The same delivery can be taken later: Alertmanager repeats it by itself. */
export const busy = later('Too many deliveries at the same time', 'busy');
export const unavailable = later('The store does not answer, so nothing may be stored', 'unavailable');

export const failed: Refusal = {
  status: 500,
  problem: 'The alerts could not be taken; the log of fleetbot says why.',
  reason: 'unavailable',
};

export function isRefusal(outcome: object): outcome is Refusal {
  return 'problem' in outcome;
}
