import type { ToolCall } from '../fleet/run.ts';
import type { Drive } from './context.ts';

/** What the agent has done so far, kept in the run's record now and then, so that people can watch. */
export interface Progress extends Disposable {
  add(call: ToolCall): void;
  /** Ends the recording. Resolves when no record is being written any more. */
  settled(): Promise<void>;
}

/** Records at most once in `progressIntervalMs`. A record that fails is only logged: it is not a state. */
export function createProgress(drive: Drive): Progress {
  const { held, log, settings } = drive;
  const calls: ToolCall[] = [];
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  let writing: Promise<void> = Promise.resolve();

  const write = () => {
    timer = undefined;
    const { diagnosis } = held.run;
    if (!diagnosis) return;
    writing = held
      .note({ diagnosis: { ...diagnosis, toolCalls: [...calls] } })
      .catch((error: unknown) => log.warn({ err: error }, 'progress was not recorded'));
  };

  const stop = () => {
    ended = true;
    clearTimeout(timer);
  };

  return {
    add(call) {
      if (ended) return;
      calls.push(call);
      timer ??= setTimeout(write, settings.progressIntervalMs);
    },
    settled() {
      stop();
      return writing;
    },
    [Symbol.dispose]: stop,
  };
}
