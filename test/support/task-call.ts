import type { TaskCall } from '../../src/edge-client/task-transport.ts';
import type { AgentTask } from '../../src/fleet/agent-task.ts';
import { limitsSchema } from '../../src/fleet/machine.ts';

export const traceId = 'a'.repeat(32);
export const spanId = 'b'.repeat(16);

/** A task for an agent behind `open`. */
export function taskCall(
  open: TaskCall['open'],
  changes: { limits?: object; signal?: AbortSignal; task?: Partial<AgentTask> } = {},
): TaskCall {
  return {
    machine: 'test-01',
    open,
    token: 'a-token-of-some-length',
    task: {
      runId: 'r-00000000aaaa',
      agentId: 'edge',
      message: 'Is all well?',
      traceparent: `00-${traceId}-${spanId}-01`,
      ...changes.task,
    },
    limits: limitsSchema.parse(changes.limits ?? {}),
    signal: changes.signal ?? new AbortController().signal,
    clock: Date.now,
  };
}
