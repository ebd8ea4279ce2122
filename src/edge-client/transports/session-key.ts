import type { AgentTask } from '../../fleet/agent-task.ts';

/**
 * The key of the agent's session, new for every task: `agent:AGENT:RUN-tp-TRACEID-SPANID`. OpenClaw wants
 * `agent:AGENT:` in front; the end hands the trace over where a `traceparent` header is ignored (its HTTP
 * endpoint): the plugin on the machine reads it there.
 */
export function sessionKey(task: AgentTask): string {
  return `agent:${task.agentId}:${attemptId(task)}`;
}

/** Names this attempt at the run: a second activation is another task, not a repetition of the first. */
export function attemptId(task: AgentTask): string {
  const [, traceId, spanId] = task.traceparent.split('-');
  return `${task.runId}-tp-${traceId}-${spanId}`;
}
