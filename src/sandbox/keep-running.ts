import { type ChildProcess, SandboxError } from './child-process.ts';

const maxRestarts = 5;
/** Longer than as many starts that are never ready take. */
const restartWindowMs = 180_000;

/** A part that is started again when it dies. */
export interface KeptProcess {
  /** Rejects when it is given up: it died too often. Never resolves. */
  readonly failed: Promise<never>;
  /** Ends it for good. */
  stop(): Promise<void>;
}

/**
 * Starts a part, and again whenever it ends without having been stopped: at most 5 times in 3 minutes.
 * @throws SandboxError when it does not start the first time
 */
export async function keepRunning(options: {
  /** For people. */
  readonly name: string;
  readonly start: () => Promise<ChildProcess>;
  /** Told of each end and each new start, a line each. */
  readonly tell: (line: string) => void;
  readonly clock: () => number;
}): Promise<KeptProcess> {
  const { name, start, tell, clock } = options;
  const { promise: failed, reject } = Promise.withResolvers<never>();
  // Whoever does not wait for it is not ended by it.
  failed.catch(() => {});
  let child = await start();
  let stopping = false;

  let restarts: number[] = [];
  const startAgain = async (lastWords: string): Promise<ChildProcess> => {
    restarts = restarts.filter((at) => clock() - at < restartWindowMs);
    if (restarts.length >= maxRestarts) {
      throw new SandboxError(
        `${name} ended ${maxRestarts + 1} times within ${restartWindowMs / 60_000} minutes and is not started again. ${lastWords}`,
      );
    }
    restarts.push(clock());
    try {
      return await start();
    } catch (error) {
      if (stopping || !(error instanceof SandboxError)) throw error;
      tell(`${name} did not start: trying again …`);
      return startAgain(error.message);
    }
  };
  const watch = async () => {
    for (await child.ended; !stopping; await child.ended) {
      tell(`${name} (pid ${child.pid}) ended by itself or was killed: starting it again …`);
      child = await startAgain(`It printed:\n${child.lastLines()}`);
      // The sandbox may have been stopped meanwhile.
      if (stopping) return child.stop();
      tell(`${name} runs again (pid ${child.pid}).`);
    }
  };
  const watching = watch().catch(reject);

  return {
    failed,
    async stop() {
      stopping = true;
      await child.stop();
      await watching;
    },
  };
}
