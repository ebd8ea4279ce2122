import type { AgentAnswer } from '../../src/fleet/agent-task.ts';
import type { Run } from '../../src/fleet/run.ts';
import type { Step, Tracer } from '../../src/supervisors/ports.ts';

/** A tracer that remembers which steps are open, which ended and how, and which runs it finished. */
export class RecordedTracer implements Tracer {
  readonly open: string[] = [];
  readonly ended: { readonly name: string; readonly failed: boolean }[] = [];
  readonly finished: Run[] = [];
  /** The agents' answers that were recorded as work. */
  readonly agentWorks: AgentAnswer[] = [];

  step(run: Run, name: string): Step {
    this.open.push(name);
    return {
      traceparent: `00-${run.trace.traceId}-${'c'.repeat(16)}-01`,
      set: () => undefined,
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

  finish(run: Run): void {
    this.finished.push(run);
  }
}
