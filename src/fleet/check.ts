import type { CommandOutput } from './evidence.ts';
import type { Finding } from './finding.ts';
import type { Machine } from './machine.ts';

/** What the supervisor itself knows of the moment of gathering. */
export interface Measured {
  /** Milliseconds that the machine's clock is ahead of ours, give or take half a round trip. */
  readonly clockSkewMs: number;
  /** Our clock, in milliseconds since the epoch: what is due is judged by it, not by the machine's. */
  readonly now: number;
}

/**
 * A check: which commands it needs, what their output means for this machine, and what to ask of the agent.
 * Pure. To add one, write `checks/NAME.ts` and add it to the list in `checks/index.ts`.
 */
export interface Check {
  readonly name: string;
  /** One line for `/fleet help`. */
  readonly summary: string;
  /** The broker runs its commands as root: what they read is closed to others. */
  readonly root?: true;
  /** Exact argument vectors that the broker runs, in order. The machine's policy is generated from them. */
  commands(machine: Machine): readonly (readonly string[])[];
  /**
   * Judges the outputs, which stand in the order of `commands`. Never throws: what cannot be parsed becomes
   * an `inconclusive` finding that says what was wrong.
   */
  judge(machine: Machine, outputs: readonly CommandOutput[], measured: Measured): readonly Finding[];
  /** What to ask of the agent, in plain words, given what was found. */
  question(machine: Machine, findings: readonly Finding[]): string;
}
