import type { KeyObject } from 'node:crypto';
import type { Fleet } from '../fleet/fleet.ts';

/** What the signer goes by. None of it comes from where the records are. */
export interface SigningRules {
  /** The signer's own fleet file, as it is now. */
  readonly fleet: Fleet;
  /** The bots' public keys. */
  readonly decisionKeys: readonly KeyObject[];
  /** Milliseconds since the epoch, the signer's clock. */
  readonly now: number;
  /** How old a request may be. */
  readonly requestMaxAgeMs: number;
}

/** The bot's clock may be ahead of the signer's by this much. */
export const clockToleranceMs = 60_000;

/** Why something is not signed, as a sentence for people. */
export interface SigningRefusal {
  readonly refused: string;
}
