import type { MemorySample } from './bench.ts';

/** By then everything that is bounded is full: the longest list is that of event ids, with 50,000. */
const fullAfter = 0.6;

/**
 * What Redis held at the end, divided by what it held when everything bounded was full: means of two samples each,
 * because the ledger is trimmed now and then.
 */
export function memoryGrowth(samples: readonly MemorySample[]): number {
  const full = Math.ceil(samples.length * fullAfter) - 1;
  const meanFrom = (start: number) =>
    samples.slice(start, start + 2).reduce((sum, { usedBytes }) => sum + usedBytes / 2, 0);
  return meanFrom(samples.length - 2) / meanFrom(full);
}

/** The table for README. */
export function memoryReport(samples: readonly MemorySample[], machines: number): string {
  const megabytes = ({ usedBytes }: MemorySample): string => (usedBytes / 1e6).toFixed(1);
  return [
    `Memory of Redis, requests for ${machines} machines, each answered and shown:`,
    '',
    `| Requests | ${samples.map(({ requests }) => requests).join(' | ')} |`,
    `| --- | ${samples.map(() => '---:').join(' | ')} |`,
    `| MB | ${samples.map(megabytes).join(' | ')} |`,
  ].join('\n');
}
