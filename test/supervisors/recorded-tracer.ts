import type { AgentAnswer } from '../../src/fleet/agent-task.ts';
import type { Cost } from '../../src/fleet/price.ts';
import type { Run } from '../../src/fleet/run.ts';
import type { Judgement, Step, Tracer } from '../../src/supervisors/ports.ts';

type Attributes = Readonly<Record<string, string | number | boolean>>;

/** A tracer that remembers which steps are open, which ended and how, and which runs it finished. */
export class RecordedTracer implements Tracer {
  readonly open: string[] = [];
  readonly ended: { readonly name: string; readonly failed: boolean }[] = [];
  readonly finished: Run[] = [];
  /** Every attribute that a step was given, by the step's name. */
  readonly attributes = new Map<string, Attributes>();
  /** The agents' answers that were recorded as work. */
  readonly agentWorks: AgentAnswer[] = [];
  /** What each of them cost, as far as that was known. */
  readonly costs: (Cost | undefined)[] = [];
  readonly judgements: Judgement[] = [];

  step(run: Run, name: string, attributes: Attributes = {}): Step {
    this.open.push(name);
    const set = (more: Attributes) =>
      void this.attributes.set(name, { ...this.attributes.get(name), ...more });
    set(attributes);
    return {
      traceparent: `00-${run.trace.traceId}-${'c'.repeat(16)}-01`,
      set,
      end: (error) => {
        this.open.splice(this.open.indexOf(name), 1);
        this.ended.push({ name, failed: error !== undefined });
      },
    };
  }

  hostWork(): void {}

  judged(_run: Run, _step: Step, judgement: Judgement): void {
    this.judgements.push(judgement);
  }

  agentWork(_run: Run, _step: Step, answer: AgentAnswer, cost?: Cost): void {
    this.agentWorks.push(answer);
    this.costs.push(cost);
  }

  actionTraceparent(run: Run): string {
    return `00-${run.trace.traceId}-${'d'.repeat(16)}-01`;
  }

  finish(run: Run): void {
    this.finished.push(run);
  }
}
