import type { Alert } from './alert.ts';

/** An alert and what the fleet file's rules make of it: machine and check, or the problem. */
export interface FoundAlert {
  /** One that names several machines comes once for each, with the machine at the end of its fingerprint. */
  readonly alert: Alert;
  readonly machine?: string;
  /** Present with `machine`, unless `problem` says why no check of it fits. */
  readonly check?: string;
  /** Why nobody looks into it and what to do about that, as sentences for people. */
  readonly problem?: string;
}

/** Alerts that came together and belong to one incident. */
export interface AlertGroup {
  /** The same for every alert of the same incident: its channel, and the values of `alerts.groupBy`. */
  readonly key: string;
  /** What the incident is called: `DiskAlmostFull`, `DiskAlmostFull · dc1`. */
  readonly title: string;
  /** See `Alert.source`. */
  readonly source: string;
  readonly channel: string;
  /** The monitoring's own message, where it posted one: an incident that begins with it is told in its thread. */
  readonly threadTs?: string;
  /** In the order in which they came; each fingerprint once. */
  readonly alerts: readonly FoundAlert[];
}
