import type { Check, Measured } from '../check.ts';
import type { CommandOutput } from '../evidence.ts';
import type { Finding } from '../finding.ts';
import { formatNumber } from '../format.ts';
import type { Machine } from '../machine.ts';
import { composeQuestion } from './compose-question.ts';
import { judgeLimits } from './judge-limits.ts';
import { parseTracking, type Tracking } from './parse-tracking.ts';
import { inconclusive, readOutput } from './read-output.ts';

const subject = 'time synchronisation';
const timedatectl = 0;
const chronyc = 1;
/** chronyc ends with 1 where no chronyd answers it. */
const chronycRan = [0, 1];

/** chrony stays synchronised when no server answers any longer; at 1,024 s between two polls, half a day misses 42. */
const silentMs = 43_200_000;
const msPerHour = 3_600_000;

/**
 * The machine's clock against the supervisor's, and whether something keeps it right: chrony where it answers,
 * else what systemd knows (`NTPSynchronized` is the kernel's own view, whatever keeps the time).
 */
export const time: Check = {
  name: 'time',
  summary: 'the clock, and whether it is synchronised',
  commands: () => [
    ['timedatectl', 'show', '--no-pager'],
    ['chronyc', '-n', '-c', 'tracking'],
  ],
  judge: (machine, outputs, measured) => [
    judgeClock(machine, measured.clockSkewMs),
    judgeSynchronisation(machine, outputs, measured),
  ],
  question: (machine, findings) =>
    composeQuestion(
      machine,
      findings,
      'clock',
      () =>
        'Find out why: which time service is installed and runs, what it logs, which servers it asks and whether they answer, and whether the clock was set or the machine was suspended. Say what would help, and how sure you are. Change nothing.',
      'It is right. Look whether the time service lost its servers lately or corrects the clock often. Change nothing.',
    ),
};

function judgeClock(machine: Machine, skewMs: number): Finding {
  if (!Number.isFinite(skewMs))
    return inconclusive('clock', 'the machine did not tell its time', timedatectl);
  const { warnSkewMs: warn, criticalSkewMs: critical } = machine.expect.time;
  const offMs = Math.abs(skewMs);
  const { severity, limit } = judgeLimits(offMs, { warn, critical, bad: 'high' }, 'ms');
  return {
    severity,
    subject: 'clock',
    text: `clock is ${formatNumber(offMs)} ms ${skewMs < 0 ? 'behind' : 'ahead of'} the supervisor's (${limit})`,
    output: timedatectl,
    measure: { value: offMs, unit: 'ms' },
  };
}

function judgeSynchronisation(
  machine: Machine,
  outputs: readonly CommandOutput[],
  measured: Measured,
): Finding {
  const tracking = parseTracking(readOutput(outputs, chronyc, chronycRan).text ?? '');
  return tracking === undefined ? judgeSystemd(machine, outputs) : judgeChrony(tracking, measured);
}

function judgeChrony(
  { source, stratum, heardAt, offsetMs }: Tracking,
  { now, clockSkewMs }: Measured,
): Finding {
  const finding = { subject, output: chronyc, measure: { value: offsetMs, unit: 'ms' } };
  if (source === 'none') {
    return { ...finding, severity: 'warning', text: `${subject}: chrony runs and is not synchronised` };
  }
  if (source === 'itself') {
    return {
      ...finding,
      severity: 'warning',
      text: `${subject}: chrony follows only the machine's own clock`,
    };
  }
  const silence = now + clockSkewMs - heardAt;
  if (silence >= silentMs) {
    const text = `${subject}: chrony last heard of ${source} ${Math.floor(silence / msPerHour)} hours ago`;
    return { ...finding, severity: 'warning', text };
  }
  return {
    ...finding,
    severity: 'ok',
    text: `${subject}: chrony follows ${source} (stratum ${stratum}), ${formatNumber(offsetMs)} ms off`,
  };
}

function judgeSystemd(machine: Machine, outputs: readonly CommandOutput[]): Finding {
  const { text = '', problem } = readOutput(outputs, timedatectl);
  const isYes = (property: string): boolean | undefined => {
    const value = new RegExp(`^${property}=(yes|no)$`, 'm').exec(text)?.[1];
    return value === undefined ? undefined : value === 'yes';
  };
  const isSynchronised = isYes('NTPSynchronized');
  if (isSynchronised === undefined) {
    return inconclusive(subject, problem ?? 'timedatectl does not tell NTPSynchronized', timedatectl);
  }
  const finding = (severity: 'ok' | 'warning', words: string): Finding => ({
    severity,
    subject,
    text: `${subject}: ${words}`,
    output: timedatectl,
  });
  if (isSynchronised) return finding('ok', 'the clock is synchronised');
  if (isYes('NTP')) return finding('warning', 'an NTP service is enabled, but the clock is not synchronised');
  if (machine.expect.time.requireNtp)
    return finding('warning', 'no NTP service is enabled (one is required)');
  return finding('ok', 'no NTP service is enabled (expect.time.requireNtp is false)');
}
