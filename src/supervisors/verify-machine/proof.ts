import { toFailure } from '../../fleet/errors.ts';
import type { Clock } from '../ports.ts';

/** What is proved of a machine, in this order. */
export const proofNames = [
  'reached',
  'pin',
  'gate',
  'installed',
  'fence',
  'broker',
  'agent',
  'stop',
  'trace',
] as const;
export type ProofName = (typeof proofNames)[number];

/** What came of one of them. */
export interface Proof {
  readonly name: ProofName;
  /** `skipped`: it could not be tried; that proves nothing. */
  readonly outcome: 'proved' | 'failed' | 'skipped';
  /** What was seen, or what is wrong and what to do about it. */
  readonly detail: string;
  readonly durationMs: number;
}

/** Something is not as it must be. The message says what, and what to do. */
export class Disproof extends Error {}

/** Something cannot be tried here. The message says why. */
export class NotTried extends Error {}

/** Calls `work`, which returns what it saw, and makes a proof of what comes of it. Never rejects. */
export async function prove(name: ProofName, clock: Clock, work: () => Promise<string>): Promise<Proof> {
  const startedAt = clock();
  const proof = (outcome: Proof['outcome'], detail: string): Proof => ({
    ...{ name, outcome, detail, durationMs: Math.round(clock() - startedAt) },
  });
  try {
    return proof('proved', await work());
  } catch (error) {
    if (error instanceof NotTried) return proof('skipped', error.message);
    return proof('failed', error instanceof Disproof ? error.message : toFailure(error).message);
  }
}
