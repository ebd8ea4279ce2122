import type { AgentAnswer } from '../../fleet/agent-task.ts';
import type { CommandOutput } from '../../fleet/evidence.ts';
import type { Cost } from '../../fleet/price.ts';
import type { Run } from '../../fleet/run.ts';
import type { Attributes, Judgement } from '../attributes.ts';
import type { RunStep, RunTracer } from '../run-tracer.ts';
import type { RunMetrics } from './run-metrics.ts';

/** A tracer (supervisors' Tracer) that also counts: the supervision loop need not know that it is measured. */
export class MeteredTracer {
  readonly #tracer: Pick<RunTracer, keyof RunTracer>;
  readonly #metrics: RunMetrics;
  readonly #clock: () => number;

  /** @param clock milliseconds from any moment on; never goes back */
  constructor(tracer: Pick<RunTracer, keyof RunTracer>, metrics: RunMetrics, clock: () => number) {
    this.#tracer = tracer;
    this.#metrics = metrics;
    this.#clock = clock;
  }

  step(run: Run, name: string, attributes?: Readonly<Attributes>): RunStep {
    const startedAt = this.#clock();
    const step = this.#tracer.step(run, name, attributes);
    return {
      ...step,
      end: (error) => {
        step.end(error);
        this.#metrics.stepEnded(name, this.#clock() - startedAt);
      },
    };
  }

  hostWork(run: Run, step: RunStep, outputs: readonly CommandOutput[]): void {
    this.#tracer.hostWork(run, step, outputs);
  }

  judged(run: Run, step: RunStep, judgement: Judgement): void {
    this.#tracer.judged(run, step, judgement);
  }

  agentWork(run: Run, step: RunStep, answer: AgentAnswer, cost?: Cost): void {
    this.#tracer.agentWork(run, step, answer, cost);
  }

  actionTraceparent(run: Run): string {
    return this.#tracer.actionTraceparent(run);
  }

  finish(run: Run): void {
    this.#tracer.finish(run);
    this.#metrics.ended(run);
  }
}
