import type { RefusalReason } from '../../fleet/alert.ts';
import type { LimitKind } from '../../fleet/errors.ts';
import type { FindingKind } from '../../fleet/notice.ts';
import type { Task } from '../../fleet/request.ts';

/**
 * What rooms report as it happens (bot's BotMeter, supervisors' ReconcilerMeter, signer's
 * SignerMeter, alerts' AlertsMeter, dispatch's AssessmentMeter). No method throws, waits or keeps anything but numbers. Runs, steps, tokens and cost are not here: they are taken from the trace.
 */
export interface Metrics {
  readonly bot: BotMetrics;
  readonly reconciler: ReconcilerMetrics;
  readonly signer: SignerMetrics;
  readonly alerts: AlertMetrics;
  readonly assessments: AssessmentMetrics;
}

/** What becomes of what people ask for. */
export interface BotMetrics {
  /** A request was stored as this many runs. Not for a duplicate. */
  accepted(task: Task['kind'], runs: number): void;
  /** The access table said no. */
  denied(verb: string): void;
  /** A limit said no. */
  limited(limit: LimitKind): void;
  /** A message that tells alerts could not be stored, and is not tried again. */
  alertMessageLost(): void;
}

/** What the reconciler sees. */
export interface ReconcilerMetrics {
  found(kind: FindingKind | 'stray-found'): void;
  /** After each round over the whole fleet. */
  round(result: {
    readonly machines: number;
    readonly unreachable: number;
    readonly durationMs: number;
  }): void;
  /** After each round: machines on which another one is installed than should be, by part. undefined: not known here. */
  drifted(machines: ReadonlyMap<string, number> | undefined): void;
}

/** What becomes of workers' wishes for capsules. */
export interface SignerMetrics {
  signed(): void;
  refused(): void;
}

/** What becomes of alerts on their way in. A source is one of the integrations that are known. */
export interface AlertMetrics {
  /** Alerts that were stored, and how many of them nobody looks into. */
  taken(
    source: string,
    counts: { readonly firing: number; readonly resolved: number; readonly unmatched: number },
  ): void;
  /** Alerts for which there is no channel. */
  homeless(source: string, alerts: number): void;
  refused(reason: RefusalReason): void;
}

/** What becomes of what people said of traces, on its way to MLflow. */
export interface AssessmentMetrics {
  brought(result: 'created' | 'updated' | 'there' | 'given-up'): void;
}
