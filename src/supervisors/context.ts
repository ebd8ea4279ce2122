import type { Logger } from 'pino';
import type { Fleet } from '../fleet/fleet.ts';
import type { Machine } from '../fleet/machine.ts';
import type { HeldRun } from './held-run.ts';
import type { Interruption } from './interruption.ts';
import type {
  Clock,
  MachineGate,
  Machines,
  Peers,
  Redact,
  Restraints,
  RunStore,
  Signer,
  Tracer,
} from './ports.ts';

/** Limits of the loop itself; those of single steps belong to the machine (`machine.limits`). */
export interface SupervisorSettings {
  /** How often one run may start the agent: once, and again after a killed worker. */
  readonly maxActivations: number;
  /** How long a state may take to be stored while an agent may be alive. */
  readonly storeTimeoutMs: number;
  /** The same, once this worker must let go. */
  readonly lettingGoTimeoutMs: number;
  /** At most one progress record in this time. */
  readonly progressIntervalMs: number;
  /** How often a stop is tried before the agent's inertness is declared unknown. */
  readonly stopAttempts: number;
  readonly stopRetryDelayMs: number;
  /** How long the first pause is between two looks at an action, and the longest one. */
  readonly resultPollIntervalMs: number;
  readonly resultPollIntervalMaxMs: number;
  /**
   * How long after its own time limit an action is still asked after, and at least, whoever asks; and how long a machine
   * that is silent afterwards is waited for before it is measured.
   */
  readonly resultGraceMs: number;
  /** How long a run waits until the supervisors of other machines are asked. */
  readonly peersTimeoutMs: number;
}

export const defaultSupervisorSettings: SupervisorSettings = {
  maxActivations: 2,
  storeTimeoutMs: 30_000,
  lettingGoTimeoutMs: 2_000,
  progressIntervalMs: 2_000,
  stopAttempts: 3,
  stopRetryDelayMs: 2_000,
  resultPollIntervalMs: 500,
  resultPollIntervalMaxMs: 5_000,
  resultGraceMs: 30_000,
  peersTimeoutMs: 5_000,
};

/** What the supervision loop is made of. */
export interface SupervisorParts {
  /** The fleet file in force. */
  readonly fleet: () => Fleet;
  readonly runs: RunStore;
  readonly restraints: Restraints;
  readonly machines: Machines;
  readonly signer: Signer;
  readonly peers: Peers;
  readonly tracer: Tracer;
  readonly redact: Redact;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: SupervisorSettings;
}

/** One run being driven. */
export interface Drive extends SupervisorParts {
  readonly machine: Machine;
  readonly gate: MachineGate;
  readonly held: HeldRun;
  readonly interruption: Interruption;
}
