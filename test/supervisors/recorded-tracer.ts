import type { AgentAnswer } from '../../src/fleet/agent-task.ts';
import type { Run } from '../../src/fleet/run.ts';
import type { Step, Tracer } from '../../src/supervisors/ports.ts';

/** A tracer that remembers which steps are open, which ended and how, and which runs it finished. */
export class RecordedTracer implements Tracer {
  readonly open: string[] = [];
  readonly ended: { readonly name: string; readonly failed: boolean }[] = [];
  readonly finished: Run[] = [];
  /** Every attribute that a step was given, by the step's name. */
  readonly attributes = new Map<string, Record<string, string | number | boolean>>();
  /** The agents' answers that were recorded as work. */
  readonly agentWorks: AgentAnswer[] = [];

  step(run: Run, name: string): Step {
    this.open.push(name);
    return {
      traceparent: `00-${run.trace.traceId}-${'c'.repeat(16)}-01`,
      set: (more) => void this.attributes.set(name, { ...this.attributes.get(name), ...more }),
      end: (error) => {
        this.open.splice(this.open.indexOf(name), 1);
        this.ended.push({ name, failed: error !== undefined });
      },
    };
  }

  hostWork(): void {}

  agentWork(_run: Run, _step: Step, answer: AgentAnswer): void {
    this.agentWorks.push(answer);
  }

  actionTraceparent(run: Run): string {
    return `00-${run.trace.traceId}-${'d'.repeat(16)}-01`;
  }

  finish(run: Run): void {
    this.finished.push(run);
  }
}
