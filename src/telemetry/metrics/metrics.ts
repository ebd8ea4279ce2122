import type { LimitKind } from '../../fleet/errors.ts';
import type { FindingKind } from '../../fleet/notice.ts';
import type { Task } from '../../fleet/request.ts';

/**
 * What rooms report as it happens (bot's BotMeter, supervisors' ReconcilerMeter, signer's
 * SignerMeter). No method throws, waits or
 * keeps anything but numbers. Runs, steps, tokens and cost are not here: they are taken from the trace.
 */
export interface Metrics {
  readonly bot: BotMetrics;
  readonly reconciler: ReconcilerMetrics;
  readonly signer: SignerMetrics;
}

/** What becomes of what people ask for. */
export interface BotMetrics {
  /** A request was stored as this many runs. Not for a duplicate. */
  accepted(task: Task['kind'], runs: number): void;
  /** The access table said no. */
  denied(verb: string): void;
  /** A limit said no. */
  limited(limit: LimitKind): void;
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
