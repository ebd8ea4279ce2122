import type { Logger } from 'pino';

/** One thing to end, in its turn. */
export interface ShutdownStep {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** What of `process` is used here, so that tests need not end their own. */
export interface ProcessEvents {
  on(event: string, listener: (argument: unknown) => void): unknown;
  exit(code: number): void;
}

export interface ShutdownOptions {
  /** In order; the next begins when the one before has ended, also when it failed. */
  readonly steps: readonly ShutdownStep[];
  /** For all steps together. */
  readonly timeoutMs: number;
  readonly log: Logger;
  readonly process?: ProcessEvents;
}

/** Exit codes. 2: the arguments cannot be understood; 130 is the shell's code for a program that was interrupted. */
export const exitCodes = { clean: 0, failed: 1, usage: 2, interrupted: 130 } as const;

const signals = ['SIGTERM', 'SIGINT'] as const;

/** A second signal so soon after the first is the same one. */
const sameSignalMs = 1_000;

/**
 * Ends the process in order on SIGTERM or SIGINT: exit code 0 when every step ended well, 1 when one failed or
 * the time was over. A second signal exits at once with 130. An error that nobody caught is logged and ends
 * the process with 1 without further steps: its state is not to be trusted, and whoever supervises it starts
 * it again; runs are taken over by another worker.
 *
 * Returns how to run the steps without a signal, for a start that failed halfway.
 */
export function handleShutdown(options: ShutdownOptions): () => Promise<boolean> {
  const { steps, timeoutMs, log, process: events = process } = options;
  let stopping = false;
  let signalledAt = Number.NEGATIVE_INFINITY;
  const end = () => {
    stopping = true;
    return runSteps(steps, timeoutMs, log);
  };
  const onSignal = (signal: string) => {
    // One signal to a process group arrives twice: from the system, and from npm, which hands it on.
    if (stopping && performance.now() - signalledAt < sameSignalMs) return;
    if (stopping) {
      log.warn({ signal }, 'second signal: exiting at once');
      events.exit(exitCodes.interrupted);
      return;
    }
    signalledAt = performance.now();
    log.info({ signal }, 'shutting down');
    void end().then((clean) => {
      log.info({ clean }, 'shut down');
      events.exit(clean ? exitCodes.clean : exitCodes.failed);
    });
  };
  const onCrash = (event: string) => (error: unknown) => {
    log.fatal({ err: error, event }, 'an error that nobody caught: exiting');
    events.exit(exitCodes.failed);
  };
  for (const signal of signals) events.on(signal, () => onSignal(signal));
  for (const event of ['uncaughtException', 'unhandledRejection']) events.on(event, onCrash(event));
  return end;
}

async function runSteps(steps: readonly ShutdownStep[], timeoutMs: number, log: Logger): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  let current = '';
  const timer = setTimeout(() => {
    log.error({ step: current, timeoutMs }, 'the shutdown took too long');
    late.resolve(false);
  }, timeoutMs);
  const inOrder = async (): Promise<boolean> => {
    let clean = true;
    for (const { name, run } of steps) {
      current = name;
      try {
        await run();
      } catch (error) {
        clean = false;
        log.error({ err: error, step: name }, 'a step of the shutdown failed');
      }
    }
    return clean;
  };
  try {
    return await Promise.race([inOrder(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
