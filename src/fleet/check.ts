import type { CommandOutput } from './evidence.ts';
import type { Finding } from './finding.ts';
import type { Machine } from './machine.ts';

/**
 * A check: which commands it needs, what their output means for this machine, and what to ask of the agent.
 * Pure. To add one, write `checks/NAME.ts` and add it to the list in `checks/index.ts`.
 */
export interface Check {
  readonly name: string;
  /** One line for `/fleet help`. */
  readonly summary: string;
  /** Exact argument vectors that the broker runs, in order. The machine's policy is generated from them. */
  commands(machine: Machine): readonly (readonly string[])[];
  /**
   * Judges the outputs, which stand in the order of `commands`. Never throws: what cannot be parsed becomes
   * an `inconclusive` finding that says what was wrong.
   */
  judge(machine: Machine, outputs: readonly CommandOutput[]): readonly Finding[];
  /** What to ask of the agent, in plain words, given what was found. */
  question(machine: Machine, findings: readonly Finding[]): string;
}
