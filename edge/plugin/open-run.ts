import type { ToolCall } from './events.ts';
import type { AgentText, ToolContent } from './hooks.ts';
import type { TracePlace } from './trace-place.ts';

/** An attempt of the agent at a task that has not ended, as far as we know. */
export interface OpenRun {
  readonly place: TracePlace;
  spanId?: string;
  modelError?: string | undefined;
  said?: AgentText;
  readonly calls: Map<string, HalfCall>;
}

/** What is known of a tool call: the gateway's event, and what the hook tells of arguments and result. */
export interface HalfCall {
  readonly event?: ToolCall;
  readonly content?: ToolContent;
  /** When we heard of it first. */
  readonly heardAt: number;
}
