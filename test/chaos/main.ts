/**
 * `npm run chaos`: real workers, bots and Redis over simulated machines, killed, frozen and cut off while people
 * ask. Prints the books and whatever they show to be wrong; exits 1 then. See `usage` in options.ts.
 */

import { type ChaosOptions, readOptions, usage } from './options.ts';
import { runChaos } from './run-chaos.ts';

const failed = 1;
const misused = 2;

function optionsOrExit(): ChaosOptions {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    process.exit(misused);
  }
}

// So that what was started here ends with it.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(failed));
process.exit((await runChaos(optionsOrExit())) ? 0 : failed);
