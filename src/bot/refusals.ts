import type { Logger } from 'pino';
import { LimitError, NotAllowedError } from '../fleet/errors.ts';
import type { LedgerEntry } from '../fleet/ledger-entry.ts';
import type { PersonRef } from '../fleet/requester.ts';
import type { BotMeter, Clock, Ledger, Redact } from './ports.ts';
import { WorkInFlight } from './work-in-flight.ts';

/** How long `settled` waits for the ledger. */
const settleLimitMs = 3_000;
const targetChars = 200;
const reasonChars = 500;

/** What was asked for. */
export interface Attempt {
  readonly by: PersonRef;
  /** A verb or a command's name. */
  readonly what: string;
  /** As it was typed, or the id that a button carried. */
  readonly target: string;
}

/**
 * Counts what the access table or a limit refused, and writes it into the ledger, as far as that is possible:
 * nobody waits for it, and what cannot be written is logged.
 */
export class Refusals {
  readonly #tools: { ledger: Ledger; meter: BotMeter; redact: Redact; clock: Clock; log: Logger };
  readonly #writing = new WorkInFlight();

  constructor(tools: { ledger: Ledger; meter: BotMeter; redact: Redact; clock: Clock; log: Logger }) {
    this.#tools = tools;
  }

  /** Every other error is none of its business. */
  note(error: unknown, attempt: Attempt): void {
    const { meter } = this.#tools;
    if (error instanceof NotAllowedError) {
      meter.denied(attempt.what);
      this.#write('request.denied', attempt, error.message);
    } else if (error instanceof LimitError) {
      meter.limited(error.limit);
      this.#write('request.limited', attempt, error.message);
    }
  }

  /** Resolves when what was noted is written, or after `settleLimitMs`. */
  async settled(): Promise<void> {
    await this.#writing.drain(settleLimitMs);
  }

  #write(kind: 'request.denied' | 'request.limited', { by, what, target }: Attempt, why: string): void {
    const { ledger, redact, clock, log } = this.#tools;
    const entry: LedgerEntry = {
      kind,
      at: clock(),
      by,
      what,
      target: redact(target).slice(0, targetChars),
      reason: redact(why).slice(0, reasonChars),
    };
    void this.#writing.track(
      ledger
        .append(entry)
        .catch((error: unknown) => log.warn({ err: error, entry }, 'a refusal is not in the ledger')),
    );
  }
}
