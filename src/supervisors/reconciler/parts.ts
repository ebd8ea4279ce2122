import type { Logger } from 'pino';
import type { Fleet } from '../../fleet/fleet.ts';
import type { Brakes, Clock, ReconcilerMeter, ReconcilerStore, Redact } from '../ports.ts';

/** Everything about the reconciler that can be set. */
export interface ReconcilerSettings {
  /** How often every machine is visited. */
  readonly roundIntervalMs: number;
  /** How often machines that need it are: a halt or its end is not confirmed, or the machine is quarantined. */
  readonly attentionIntervalMs: number;
  /** Machines asked at a time by a round, and as many for attention. */
  readonly concurrency: number;
}

export const defaultReconcilerSettings: ReconcilerSettings = {
  roundIntervalMs: 300_000,
  attentionIntervalMs: 15_000,
  concurrency: 100,
};

/** What the reconciler is made of. */
export interface ReconcilerParts {
  /** The fleet file in force. */
  readonly fleet: () => Fleet;
  readonly store: ReconcilerStore;
  readonly brakes: Brakes;
  readonly meter: ReconcilerMeter;
  readonly redact: Redact;
  readonly clock: Clock;
  /** Characters of `[0-9a-z]` that no other notice has. */
  readonly newId: () => string;
  readonly log: Logger;
  readonly settings: ReconcilerSettings;
}
