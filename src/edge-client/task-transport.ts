import type { Socket } from 'node:net';
import type { Limits } from '../fleet/machine.ts';
import type { ToolCall } from '../fleet/run.ts';

/** Opens a new connection to the agent's gateway. @throws MachineError; the signal's reason */
export type OpenSocket = (signal?: AbortSignal) => Promise<Socket>;

/** One task for the agent. */
export interface AgentTask {
  readonly runId: string;
  readonly agentId: string;
  readonly message: string;
  /** W3C Trace Context of the span under which the agent's own spans belong. */
  readonly traceparent: string;
  /** Called for every tool call that ended, in order. */
  readonly onToolCall?: (call: ToolCall) => void;
}

/** What the agent brought back. `toolCalls` is empty where the transport cannot see them. */
export interface AgentAnswer {
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number };
  readonly model?: string;
}

/** Everything a transport needs for one task. */
export interface TaskCall {
  /** The machine's name, for messages. */
  readonly machine: string;
  readonly open: OpenSocket;
  /** Bearer token of the gateway, good for this activation. */
  readonly token: string;
  readonly task: AgentTask;
  readonly limits: Limits;
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** A way of giving an agent a task. To add one, write `transports/NAME.ts` and add it to `transports/index.ts`. */
export interface TaskTransport {
  /**
   * Gives the agent the task and waits for its answer. When the signal is aborted, it tells the agent to stop,
   * waits for that no longer than `abortTimeoutMs`, and rejects with the signal's reason. Leaves no connection.
   * @throws AgentError; MachineError `old-fence` when another worker has taken the machine over
   */
  send(call: TaskCall): Promise<AgentAnswer>;
}
