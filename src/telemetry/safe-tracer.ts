import type { Logger } from 'pino';
import type { AgentAnswer } from '../fleet/agent-task.ts';
import type { CommandOutput } from '../fleet/evidence.ts';
import type { Cost } from '../fleet/price.ts';
import type { Run } from '../fleet/run.ts';
import type { Attributes, Judgement } from './attributes.ts';
import type { RunStep, RunTracer } from './run-tracer.ts';
import { actionSpan, toTraceparent } from './trace-ids.ts';

/**
 * A tracer that never throws (supervisors' Tracer): what goes wrong in it costs a span, is logged, and goes
 * no further into the run.
 */
export class SafeTracer {
  readonly #tracer: Pick<RunTracer, keyof RunTracer>;
  readonly #log: Logger;

  constructor(tracer: Pick<RunTracer, keyof RunTracer>, log: Logger) {
    this.#tracer = tracer;
    this.#log = log;
  }

  step(run: Run, name: string, attributes?: Readonly<Attributes>): RunStep {
    const step = this.#attempt(run, () => this.#tracer.step(run, name, attributes));
    return {
      // Without the step, what belongs under it goes under the root.
      traceparent: toTraceparent({ ...run.trace, spanId: run.trace.rootSpanId }, false),
      ...step,
      set: (more) => this.#attempt(run, () => step?.set(more)),
      end: (error) => this.#attempt(run, () => step?.end(error)),
    };
  }

  hostWork(run: Run, step: RunStep, outputs: readonly CommandOutput[]): void {
    this.#attempt(run, () => this.#tracer.hostWork(run, step, outputs));
  }

  judged(run: Run, step: RunStep, judgement: Judgement): void {
    this.#attempt(run, () => this.#tracer.judged(run, step, judgement));
  }

  agentWork(run: Run, step: RunStep, answer: AgentAnswer, cost?: Cost): void {
    this.#attempt(run, () => this.#tracer.agentWork(run, step, answer, cost));
  }

  actionTraceparent(run: Run): string {
    return (
      this.#attempt(run, () => this.#tracer.actionTraceparent(run)) ?? toTraceparent(actionSpan(run), false)
    );
  }

  finish(run: Run): void {
    this.#attempt(run, () => this.#tracer.finish(run));
  }

  #attempt<Result>(run: Run, work: () => Result): Result | undefined {
    try {
      return work();
    } catch (error) {
      const ids = { run: run.id, machine: run.request.machine, trace: run.trace.traceId };
      this.#log.warn({ err: error, ...ids }, 'a part of a trace is lost: recording it failed');
      return undefined;
    }
  }
}
