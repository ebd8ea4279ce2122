import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';
import { formatBytes } from '../format.ts';
import { composeQuestion } from './compose-question.ts';
import { judgeLimits } from './judge-limits.ts';
import { inconclusive, readOutput } from './read-output.ts';

/** Available memory and used swap, from the kernel's own figures (proc_meminfo(5), in KiB). */
export const memory: Check = {
  name: 'memory',
  summary: 'available memory and used swap',
  commands: () => [['cat', '/proc/meminfo']],
  judge: (machine, outputs) => {
    const { text, problem } = readOutput(outputs, 0);
    if (text === undefined || problem !== undefined) {
      return [inconclusive('memory', problem ?? 'there is no output', 0)];
    }
    const expect = machine.expect.memory;
    const bytes = (field: string): number | undefined => {
      const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
      return kib === undefined ? undefined : Number(kib) * 1024;
    };
    const findings: Finding[] = [];
    const total = bytes('MemTotal');
    const available = bytes('MemAvailable');
    if (!total || available === undefined) {
      findings.push(inconclusive('memory', '/proc/meminfo does not tell MemTotal and MemAvailable', 0));
    } else {
      const value = oneDigit((available / total) * 100);
      const limits = {
        warn: expect.warnAvailablePercent,
        critical: expect.criticalAvailablePercent,
        bad: 'low',
      } as const;
      const { severity, limit } = judgeLimits(value, limits, '%');
      findings.push({
        severity,
        subject: 'memory',
        text: `memory ${value} % of ${formatBytes(total)} available, ${formatBytes(available)} (${limit})`,
        output: 0,
        measure: { value, unit: '% available' },
      });
    }
    const swapTotal = bytes('SwapTotal');
    const swapFree = bytes('SwapFree');
    if (swapTotal === undefined || swapFree === undefined) {
      findings.push(inconclusive('swap', '/proc/meminfo does not tell SwapTotal and SwapFree', 0));
    } else if (swapTotal > 0) {
      const value = oneDigit((1 - swapFree / swapTotal) * 100);
      const limits = {
        warn: expect.warnSwapUsedPercent,
        critical: expect.criticalSwapUsedPercent,
        bad: 'high',
      } as const;
      const { severity, limit } = judgeLimits(value, limits, '%');
      findings.push({
        severity,
        subject: 'swap',
        text: `swap ${value} % of ${formatBytes(swapTotal)} used, ${formatBytes(swapFree)} free (${limit})`,
        output: 0,
        measure: { value, unit: '%' },
      });
    }
    return findings;
  },
  question: (machine, findings) =>
    composeQuestion(
      machine,
      findings,
      'memory',
      () =>
        'Find out what holds the memory: the largest processes by resident and by swapped size, what grew lately, tmpfs files, and whether the kernel killed processes for lack of memory. Say what would help, and how sure you are. Change nothing.',
      'All is within its limits. Look whether a process grows steadily or the kernel lately killed one for lack of memory. Change nothing.',
    ),
};

function oneDigit(percent: number): number {
  return Math.round(percent * 10) / 10;
}
