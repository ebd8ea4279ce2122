import type { ToolCall } from '../../fleet/run.ts';
import type { ToolEvent } from './gateway-frames.ts';

/** How much of a call's arguments and of its output is kept, in characters each. */
export const toolTextMaxCharacters = 4_000;

/** Puts the gateway's tool events together to tool calls, with our clock's times. */
export class ToolLog {
  readonly ended: ToolCall[] = [];
  readonly #running = new Map<string, Pick<ToolCall, 'input' | 'startedAt'>>();
  readonly #clock: () => number;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** How many calls there were so far: a result without a beginning counts as one, too. */
  get seen(): number {
    return this.ended.length + this.#running.size;
  }

  /** The input of a call that has begun and not ended; undefined for any other. */
  inputOf(toolCallId: string): string | undefined {
    return this.#running.get(toolCallId)?.input;
  }

  /** Takes an event in. Returns the call that it ended, if it did. */
  add(event: ToolEvent): ToolCall | undefined {
    if (event.phase === 'start') {
      this.#running.set(event.toolCallId, { input: toolInput(event.args), startedAt: this.#clock() });
      return undefined;
    }
    const { toolCallId: id, name: tool, result, isError } = event;
    const endedAt = this.#clock();
    const { input, startedAt } = this.#running.get(id) ?? { input: '', startedAt: endedAt };
    this.#running.delete(id);
    const output = cut(result.content.map(({ text }) => text ?? '').join('\n'));
    // The gateway calls a command that ended with an exit code other than 0 a success.
    const failed = isError || (result.details?.exitCode ?? 0) !== 0;
    const call: ToolCall = { id, tool, input, output, failed, startedAt, endedAt };
    this.ended.push(call);
    return call;
  }
}

/** A command as it is; any other arguments as JSON. On one line, at most `toolTextMaxCharacters` long. */
export function toolInput(args: unknown): string {
  const command = typeof args === 'object' && args !== null && 'command' in args ? args.command : undefined;
  const text = typeof command === 'string' ? command : (JSON.stringify(args) ?? '');
  return cut(text.replace(/\s*\n\s*/g, ' ⏎ '));
}

function cut(text: string): string {
  return text.length > toolTextMaxCharacters ? `${text.slice(0, toolTextMaxCharacters - 1)}…` : text;
}
