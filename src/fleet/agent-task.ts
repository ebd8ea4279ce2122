import type { ToolCall } from './run.ts';
import type { Usage } from './usage.ts';

/** One task for the agent. */
export interface AgentTask {
  readonly runId: string;
  readonly agentId: string;
  readonly message: string;
  /** W3C Trace Context of the span under which the agent's own spans belong. */
  readonly traceparent: string;
  /** Called for every tool call that ended, in order. */
  readonly onToolCall?: (call: ToolCall) => void;
  /**
   * Called for every command that was denied because it is on no list of the machine, and for whatever else the agent's
   * gateway wanted an approval; nothing of it ran. Never called where the transport cannot see tool calls.
   */
  readonly onDenied?: (command: string) => void;
  /** Called with the tokens that the agent has put out so far, where the transport sees them while it works. */
  readonly onOutputTokens?: (tokens: number) => void;
}

/** What an agent tells of what it used. */
export interface Told {
  readonly usage?: Usage;
  /** The name of its model. */
  readonly model?: string;
}

/** What the agent brought back. `toolCalls` is empty where the transport cannot see them. */
export interface AgentAnswer extends Told {
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
}
