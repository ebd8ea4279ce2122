import type { CommandOutput } from '../../fleet/evidence.ts';
import type { Exec } from './exec-tool.ts';
import type { Model, Observation } from './model.ts';

/** One tool call and how it ended. `output` is null when the command is not allowed. */
export interface ToolUse {
  readonly id: string;
  readonly command: string;
  readonly startedAt: number;
}

export interface ToolResult extends ToolUse {
  readonly endedAt: number;
  readonly output: CommandOutput | null;
  /** What the model sees. */
  readonly text: string;
}

/** What happens in a session while it works, in order. */
export type SessionEvent =
  | { readonly kind: 'model' }
  | { readonly kind: 'tool-start'; readonly use: ToolUse }
  | { readonly kind: 'tool-end'; readonly result: ToolResult }
  | { readonly kind: 'text'; readonly text: string };

/** Counted words, not tokens: nothing here has a tokenizer. */
export interface Usage {
  readonly input: number;
  readonly output: number;
}

/** How a session ended. */
export type Outcome =
  | { readonly status: 'ok'; readonly text: string }
  | { readonly status: 'empty' }
  | { readonly status: 'failed'; readonly message: string }
  | { readonly status: 'aborted' }
  | { readonly status: 'timed-out' };

export interface Ended {
  readonly outcome: Outcome;
  readonly endedAt: number;
  readonly results: readonly ToolResult[];
  readonly modelCalls: number;
  readonly usage: Usage;
}

export interface SessionOptions {
  readonly runId: string;
  readonly sessionKey: string;
  readonly task: string;
  readonly timeoutMs: number;
  readonly model: Model;
  readonly exec: Exec;
  readonly clock: () => number;
  readonly onEvent: (event: SessionEvent) => void;
}

/** The text of a refused command, exactly as OpenClaw 2026.9.6 words it. */
const refusedText = JSON.stringify(
  { status: 'error', tool: 'exec', error: 'exec denied: allowlist miss' },
  null,
  2,
);

/** One task at work: model and tools in turn, until an answer, an error, an abort or the time limit. */
export class Session {
  readonly runId: string;
  readonly sessionKey: string;
  readonly startedAt: number;
  readonly ended: Promise<Ended>;
  readonly #abort = new AbortController();
  #done = false;

  constructor(options: SessionOptions) {
    this.runId = options.runId;
    this.sessionKey = options.sessionKey;
    this.startedAt = options.clock();
    this.ended = this.#work(options);
  }

  get done(): boolean {
    return this.#done;
  }

  /** Ends the session; it then resolves as `aborted`. */
  abort(): void {
    this.#abort.abort();
  }

  async #work({ task, timeoutMs, model, exec, clock, onEvent, runId }: SessionOptions): Promise<Ended> {
    const tooLate = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([this.#abort.signal, tooLate]);
    const { promise: interrupted, reject } = Promise.withResolvers<never>();
    interrupted.catch(() => undefined);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });

    const results: ToolResult[] = [];
    const observations: Observation[] = [];
    let modelCalls = 0;
    let input = 0;
    let output = 0;

    const work = async (): Promise<Outcome> => {
      for (;;) {
        onEvent({ kind: 'model' });
        modelCalls += 1;
        input += wordsIn(task) + observations.reduce((sum, seen) => sum + wordsIn(seen.output), 0);
        const step = await Promise.race([model.next(task, observations, signal), interrupted]);
        if (step.kind === 'answer') {
          output += wordsIn(step.text);
          if (step.text.trim() === '') return { status: 'empty' };
          onEvent({ kind: 'text', text: step.text });
          return { status: 'ok', text: step.text };
        }
        output += wordsIn(step.command);
        const use = { id: `call_${runId}_${results.length}`, command: step.command, startedAt: clock() };
        onEvent({ kind: 'tool-start', use });
        const ran = await exec(step.command, signal);
        const result = {
          ...use,
          endedAt: clock(),
          output: ran,
          text: ran === null ? refusedText : textOf(ran),
        };
        results.push(result);
        observations.push({ command: step.command, output: result.text, exitCode: ran?.exitCode ?? null });
        onEvent({ kind: 'tool-end', result });
      }
    };

    const outcome = await work().catch((error): Outcome => {
      if (this.#abort.signal.aborted) return { status: 'aborted' };
      if (tooLate.aborted) return { status: 'timed-out' };
      return { status: 'failed', message: error instanceof Error ? error.message : String(error) };
    });
    this.#done = true;
    return { outcome, endedAt: clock(), results, modelCalls, usage: { input, output } };
  }
}

function textOf({ stdout, stderr, exitCode }: CommandOutput): string {
  const text = [stdout, stderr].map((part) => part.trimEnd()).filter((part) => part !== '');
  if (exitCode === null) text.push('\n(Command was ended by its time limit)');
  else if (exitCode !== 0) text.push(`\n(Command exited with code ${exitCode})`);
  return text.join('\n');
}

function wordsIn(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}
