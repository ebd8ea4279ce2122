import pino from 'pino';
import { openFleetFile } from '../runtime/fleet-file.ts';

/** How soon a person at the terminal reads that their edit was seen. */
const lookIntervalMs = 200;

/**
 * Tells of each edit of the fleet file whether it is in force, and else what is wrong with it. It reads the file
 * by the same rules as fleetbot itself (`runtime/fleet-file.ts`).
 */
export async function tellFleetFile(path: string, tell: (line: string) => void): Promise<AsyncDisposable> {
  const file = await openFleetFile(path, { log: pino({ level: 'silent' }), pollIntervalMs: lookIntervalMs });
  let fleet = file.current();
  let refused = file.invalid();
  const timer = setInterval(() => {
    const problem = file.invalid();
    if (problem !== refused && problem) {
      tell(`The fleet file cannot be used; the old one stays in force:\n${problem.message}`);
    }
    if (file.current() !== fleet) tell('The new fleet file is in force.');
    fleet = file.current();
    refused = problem;
  }, lookIntervalMs);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await file.close();
    },
  };
}
