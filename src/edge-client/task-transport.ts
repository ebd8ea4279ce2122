import type { Socket } from 'node:net';
import type { AgentAnswer, AgentTask } from '../fleet/agent-task.ts';
import type { Limits } from '../fleet/machine.ts';

/** Opens a new connection to the agent's gateway. @throws MachineError; the signal's reason */
export type OpenSocket = (signal?: AbortSignal) => Promise<Socket>;

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
