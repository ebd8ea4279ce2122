import { cpus } from 'node:os';
import type { BenchSize, Round } from './bench.ts';
import { median, quantile } from './quantile.ts';
import { commandCount } from './redis-cost.ts';

/** Everything that was measured. */
export interface Measured {
  readonly size: BenchSize;
  /** Machines of the small and of the large fleet. */
  readonly fleets: readonly [small: number, large: number];
  readonly small: readonly Round[];
  readonly large: readonly Round[];
  readonly bare: readonly Round[];
  readonly paced: Readonly<Record<'small' | 'large' | 'bare', Round>>;
  readonly redisVersion: string;
}

const perSecond = ({ count, elapsedMs }: Round): number => (count * 1_000) / elapsedMs;
const commandsEach = ({ count, redis }: Round): number => commandCount(redis) / count;
const redisCpuEach = ({ count, redis }: Round): number => redis.cpuMs / count;
const workerCpuEach = ({ count, workers }: Round): number => sum(workers.map(({ cpuMs }) => cpuMs)) / count;
const rssMb = ({ workers }: Round): number => Math.max(...workers.map(({ rssBytes }) => rssBytes)) / 1e6;

/** Redis commands of one run, accepting included, where every machine has several waiting. */
export function commandsPerRun({ small, large }: Measured): number {
  return median([...small, ...large].map(commandsEach));
}

/** The table for README, with a line that says where and how it was measured. */
export function report(measured: Measured): string {
  const { size, fleets, small, large, bare, paced } = measured;
  const row = (name: string, digits: number, value: (round: Round) => number): string[] => [
    name,
    ...[small, large, bare].map((rounds) => median(rounds.map(value)).toFixed(digits)),
  ];
  const pacedRow = (name: string, digits: number, value: (round: Round) => number): string[] => [
    `${name}, at ${size.requestsPerSecond} requests/s`,
    ...[paced.small, paced.large, paced.bare].map((round) => value(round).toFixed(digits)),
  ];
  const ratio = (rounds: readonly Round[]): string =>
    (median(bare.map(perSecond)) / median(rounds.map(perSecond))).toFixed(1);
  const rows = [
    row('Throughput, 1/s', 0, perSecond),
    ['Throughput of bare jobs ÷ this', ratio(small), ratio(large), '1'],
    row(`Redis commands, ${size.runsPerMachine} waiting per machine`, 1, commandsEach),
    pacedRow('Redis commands', 1, commandsEach),
    row('CPU of the workers, ms', 2, workerCpuEach),
    row('CPU of Redis, ms', 2, redisCpuEach),
    pacedRow('From handed in to started, p50 in ms', 0, (round) => quantile(waits(round), 0.5)),
    pacedRow('From handed in to started, p99 in ms', 0, (round) => quantile(waits(round), 0.99)),
    row('Memory of a worker (RSS), MB', 0, rssMb),
    row(
      'Spans exported',
      1,
      ({ count, workers }) => sum(workers.map(({ exportedSpans }) => exportedSpans)) / count,
    ),
    row('Spans lost', 1, ({ count, workers }) => sum(workers.map(({ lostSpans }) => lostSpans)) / count),
  ];
  const [cpu] = cpus();
  return [
    `${cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}, Node ${process.versions.node}, Redis ${measured.redisVersion} ` +
      `with \`appendfsync always\`; ${size.workers} worker processes × ${size.concurrency} at once, ` +
      `${size.runsPerMachine} runs per machine beside ${size.jobsPerRound} jobs a round, medians of ${small.length} interleaved rounds, ` +
      'everything on one computer.',
    '',
    `| Per run or job | run, ${fleets[0]} machines | run, ${fleets[1]} machines | bare BullMQ job |`,
    '| --- | ---: | ---: | ---: |',
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
  ].join('\n');
}

function waits({ workers }: Round): number[] {
  return workers.flatMap(({ waitsMs }) => waitsMs);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
