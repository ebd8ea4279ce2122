import { cpus } from 'node:os';
import type { BenchSize, Round } from './bench.ts';
import { median, quantile } from './quantile.ts';
import { commandCount } from './redis-cost.ts';

/** Everything that was measured. */
export interface Measured {
  readonly size: BenchSize;
  readonly product: readonly Round[];
  readonly bare: readonly Round[];
  readonly paced: Round;
  readonly redisVersion: string;
}

const perSecond = ({ count, elapsedMs }: Round): number => (count * 1_000) / elapsedMs;
const commandsEach = ({ count, redis }: Round): number => commandCount(redis) / count;
const redisCpuEach = ({ count, redis }: Round): number => redis.cpuMs / count;
const workerCpuEach = ({ count, workers }: Round): number =>
  workers.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / count;
const rssMb = ({ workers }: Round): number => Math.max(...workers.map(({ rssBytes }) => rssBytes)) / 1e6;

/** Redis commands of one run: queued in numbers, and alone. */
export function commandsPerRun({ product, paced }: Measured): { queued: number; alone: number } {
  return { queued: median(product.map(commandsEach)), alone: commandsEach(paced) };
}

/** The table for README, with a line that says where and how it was measured. */
export function report(measured: Measured): string {
  const { size, product, bare, paced } = measured;
  const commands = commandsPerRun(measured);
  const of = (rounds: readonly Round[], value: (round: Round) => number) => median(rounds.map(value));
  const [rate, bareRate] = [of(product, perSecond), of(bare, perSecond)];
  const waits = paced.workers.flatMap(({ waitsMs }) => waitsMs);
  const exported = product.flatMap(({ workers }) => workers.map(({ exportedSpans }) => exportedSpans));
  const lost = product.flatMap(({ workers }) => workers.map(({ lostSpans }) => lostSpans));
  const runs = product.reduce((sum, { count }) => sum + count, 0);
  const pace = `at ${size.requestsPerSecond} requests/s`;
  const rows = [
    ['Throughput, 1/s', rate.toFixed(0), bareRate.toFixed(0)],
    ['One whole run costs as much time as so many bare jobs', (bareRate / rate).toFixed(1), '1'],
    [
      `Redis commands, ${size.runsPerRound / size.machines} queued per machine`,
      commands.queued.toFixed(1),
      of(bare, commandsEach).toFixed(1),
    ],
    [`Redis commands, alone (${pace})`, commands.alone.toFixed(1), '–'],
    ['CPU of the workers, ms', of(product, workerCpuEach).toFixed(2), of(bare, workerCpuEach).toFixed(2)],
    ['CPU of Redis, ms', of(product, redisCpuEach).toFixed(2), of(bare, redisCpuEach).toFixed(2)],
    [`From request to start, p50 (${pace}), ms`, String(quantile(waits, 0.5)), '–'],
    [`From request to start, p99 (${pace}), ms`, String(quantile(waits, 0.99)), '–'],
    ['Memory of a worker (RSS), MB', of(product, rssMb).toFixed(0), of(bare, rssMb).toFixed(0)],
    ['Spans exported / lost, per run', `${each(exported, runs)} / ${each(lost, runs)}`, '–'],
  ];
  const [cpu] = cpus();
  return [
    `${cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}, Node ${process.versions.node}, Redis ${measured.redisVersion} ` +
      `with \`appendfsync always\`; ${size.machines} machines, ${size.workers} worker processes × ${size.concurrency} at once, ` +
      `${size.runsPerRound} runs beside ${size.jobsPerRound} jobs a round, medians of ${product.length} interleaved rounds, ` +
      'everything on one computer.',
    '',
    '| Per run or job | fleetbot run | bare BullMQ job |',
    '| --- | ---: | ---: |',
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
  ].join('\n');
}

function each(values: readonly number[], count: number): string {
  return (values.reduce((sum, value) => sum + value, 0) / count).toFixed(1);
}
