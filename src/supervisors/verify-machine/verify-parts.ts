import type { Catalogue } from '../../fleet/action.ts';
import type { Run } from '../../fleet/run.ts';
import type { Clock, MachineBrake, MachineGate, Redact, Tracer } from '../ports.ts';

/** What a verification needs beside the machine's gate. */
export interface VerifyParts {
  readonly gate: MachineGate & MachineBrake;
  /** The fleet's actions: the machine's policy holds some of them. */
  readonly catalogue: Catalogue;
  /** What fleetbot's SSH key must not be able to do there. */
  readonly attempts: () => Promise<readonly { readonly what: string; readonly refused: boolean }[]>;
  /** Whether another host key than the pinned one is refused. */
  readonly refusesOtherHostKey: () => Promise<boolean>;
  readonly tracer: Tracer;
  /**
   * Resolves with the names of the machine's own spans in a trace, once there are any. undefined where traces are
   * not kept.
   */
  readonly machineSpans: ((run: Run) => Promise<readonly string[]>) | undefined;
  readonly redact: Redact;
  readonly clock: Clock;
}
