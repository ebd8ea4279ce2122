import type { MemorySample } from './bench.ts';

/** By then everything that is bounded is full: the longest list is that of event ids, with 50,000. */
const fullAfter = 0.6;

/** What Redis held at the end, divided by what it held when everything bounded was full. */
export function memoryGrowth(samples: readonly MemorySample[]): number {
  const full = samples[Math.ceil(samples.length * fullAfter) - 1];
  const last = samples.at(-1);
  return full && last ? last.usedBytes / full.usedBytes : 1;
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
