import type { SignedCapsule } from '../fleet/capsule.ts';
import type { LedgerEntry } from '../fleet/ledger-entry.ts';
import type { Run } from '../fleet/run.ts';

/** What the signer needs of the rest. Plugged in by `main.ts`. It believes nothing that comes from there. */

/** A worker's wish for the capsule of an approved action. */
export interface SigningAsk {
  readonly id: string;
  readonly run: string;
  readonly machine: string;
  readonly fence: number;
  readonly traceparent: string;
}

/** The capsule, or why there is none, as a sentence for people. */
export type SigningReply = { readonly signed: SignedCapsule } | { readonly refused: string };

/** Workers' wishes. Each is given out at least once, to one signer at a time. */
export interface SigningAsks {
  /** Waits for the next one. undefined when `signal` aborts. */
  next(signal: AbortSignal): Promise<SigningAsk | undefined>;
  answer(ask: SigningAsk, reply: SigningReply): Promise<void>;
}

/** The record that a wish is about. */
export interface Runs {
  run(runId: string): Promise<Run | undefined>;
}

/** Where what was signed or refused is written, before it is answered. */
export interface Ledger {
  append(entry: LedgerEntry): Promise<void>;
}

/** What the signer counts for whoever watches. */
export interface SignerMeter {
  signed(): void;
  refused(): void;
}

/** Milliseconds since the epoch. */
export type Clock = () => number;
