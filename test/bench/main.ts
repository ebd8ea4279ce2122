/**
 * `npm run bench`: whole runs (every transition stored, traced, on instant machines) beside bare BullMQ jobs.
 * Prints one table. Exits 1 when a run costs more Redis commands than it may. `--quick` for CI.
 */
import { parseArgs } from 'node:util';
import { Bench, type BenchSize, type Round } from './bench.ts';
import { commandsPerRun, type Measured, report } from './report.ts';

const maxCommandsPerRun = 40;

const full: BenchSize & { rounds: number } = {
  machines: 1_000,
  workers: 2,
  concurrency: 50,
  runsPerRound: 10_000,
  jobsPerRound: 40_000,
  requestsPerSecond: 50,
  pacedSeconds: 20,
  rounds: 5,
};
// As many runs per machine as in full: what a wake costs is shared by them.
const quick = {
  ...full,
  machines: 200,
  runsPerRound: 2_000,
  jobsPerRound: 10_000,
  pacedSeconds: 4,
  rounds: 2,
};

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const { rounds, ...size } = values.quick ? quick : full;
const tell = (line: string): void => void process.stderr.write(`${line}\n`);

// So that what was started here ends with it.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
await using bench = await Bench.start(size, tell);
const product: Round[] = [];
const bare: Round[] = [];
for (let round = 0; round <= rounds; round += 1) {
  const [run, job] = [await bench.productRound(), await bench.bareRound()];
  tell(
    `round ${round}: ${run.count} runs in ${run.elapsedMs} ms, ${job.count} jobs in ${job.elapsedMs} ms` +
      (round === 0 ? ' (to warm up, not counted)' : ''),
  );
  if (round === 0) continue;
  product.push(run);
  bare.push(job);
}
const pacedProduct = await bench.pacedProductRound();
const pacedBare = await bench.pacedBareRound();
const redisVersion = /redis_version:(\S+)/.exec(await bench.redis.info('server'))?.[1] ?? 'unknown';

const measured: Measured = { size, product, bare, pacedProduct, pacedBare, redisVersion };
process.stdout.write(`${report(measured)}\n`);
const commands = commandsPerRun(measured);
if (commands > maxCommandsPerRun) {
  tell(`A run costs ${commands.toFixed(1)} Redis commands; it may cost ${maxCommandsPerRun}.`);
  process.exitCode = 1;
}
