/**
 * `npm run bench`: whole runs (every transition stored, traced, on instant machines) on a small and a large fleet
 * beside bare BullMQ jobs; what Redis holds over many requests; what a campaign over a whole fleet costs; how long a
 * halt takes. Prints tables. Exits 1 when a promise is broken. `--quick` for CI.
 */
import { parseArgs } from 'node:util';
import { Bench, type BenchSize, type Round } from './bench.ts';
import { campaignReport } from './campaign.ts';
import { haltReport, measureHalt } from './halt.ts';
import { memoryGrowth, memoryReport } from './memory-report.ts';
import { commandsPerRun, type Measured, report } from './report.ts';

/** Above what it takes to store every state, tell the ledger, add up what was spent and see to it that the trace ends. */
const maxCommandsPerRun = 70;
/** How much more Redis may hold at the end than when everything that is bounded was full. */
const maxMemoryGrowth = 1.1;

interface Plan extends BenchSize {
  readonly rounds: number;
  readonly fleets: readonly [small: number, large: number];
  readonly memory: { readonly machines: number; readonly step: number; readonly steps: number };
  readonly haltedMachines: number;
  readonly campaign: { readonly machines: number; readonly anomalies: number };
}

const full: Plan = {
  fleets: [500, 2_000],
  workers: 2,
  concurrency: 50,
  runsPerMachine: 10,
  jobsPerRound: 40_000,
  requestsPerSecond: 50,
  pacedSeconds: 20,
  rounds: 3,
  memory: { machines: 100, step: 10_000, steps: 10 },
  haltedMachines: 1_000,
  campaign: { machines: 1_000, anomalies: 3 },
};
// As many runs per machine as in full: what a wake costs is shared by them.
const quick: Plan = {
  ...full,
  fleets: [50, 200],
  jobsPerRound: 10_000,
  pacedSeconds: 4,
  rounds: 2,
  memory: { machines: 20, step: 1_000, steps: 3 },
  haltedMachines: 50,
  campaign: { machines: 100, anomalies: 3 },
};

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const { rounds, fleets, memory, haltedMachines, campaign, ...size } = values.quick ? quick : full;
const [small, large] = fleets;
const tell = (line: string): void => void process.stderr.write(`${line}\n`);
const broken = (promise: string): void => {
  tell(promise);
  process.exitCode = 1;
};

// So that what was started here ends with it.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
await using bench = await Bench.start(size, tell);
const inSmall: Round[] = [];
const inLarge: Round[] = [];
const bare: Round[] = [];
for (let round = 0; round <= rounds; round += 1) {
  const [few, many] = [await bench.productRound(small), await bench.productRound(large)];
  const jobs = await bench.bareRound();
  tell(
    `round ${round}: ${few.count} runs in ${few.elapsedMs} ms, ${many.count} runs in ${many.elapsedMs} ms, ` +
      `${jobs.count} jobs in ${jobs.elapsedMs} ms${round === 0 ? ' (to warm up, not counted)' : ''}`,
  );
  if (round === 0) continue;
  inSmall.push(few);
  inLarge.push(many);
  bare.push(jobs);
}
const paced = {
  small: await bench.pacedProductRound(small),
  large: await bench.pacedProductRound(large),
  bare: await bench.pacedBareRound(),
};
const redisVersion = /redis_version:(\S+)/.exec(await bench.redis.info('server'))?.[1] ?? 'unknown';
const measured: Measured = { size, fleets, small: inSmall, large: inLarge, bare, paced, redisVersion };
process.stdout.write(`${report(measured)}\n`);

const samples = await bench.memoryRound(memory.machines, memory.step, memory.steps);
process.stdout.write(`\n${memoryReport(samples, memory.machines)}\n`);

const campaignCost = await bench.campaignRound(campaign.machines, campaign.anomalies);
process.stdout.write(`\n${campaignReport(campaignCost)}\n`);

process.stdout.write(`\n${haltReport(await measureHalt(haltedMachines, tell))}\n`);

const commands = commandsPerRun(measured);
if (commands > maxCommandsPerRun) {
  broken(`A run costs ${commands.toFixed(1)} Redis commands; it may cost ${maxCommandsPerRun}.`);
}
const found = `${campaign.machines - campaign.anomalies} alike, ${campaign.anomalies} differ`;
if (campaignCost.alike !== found) {
  broken(`Of the campaign the summary says "${campaignCost.alike}"; it is "${found}".`);
}
// A short benchmark does not fill what is bounded.
const growth = values.quick ? 1 : memoryGrowth(samples);
if (growth > maxMemoryGrowth) {
  broken(`Redis holds ${growth.toFixed(2)} times what it held before; it may hold ${maxMemoryGrowth}.`);
}
