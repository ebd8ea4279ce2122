import { describe, expect, test } from 'vitest';
import { verdictOf } from '../../../src/fleet/finding.ts';
import { machineWith } from '../fixtures.ts';
import { brief, judge, judgeAt, measured } from './judge.ts';

const machine = machineWith();
/** `timedatectl show` of systemd 257 on Debian 13. */
const timedatectl = (ntp: string, synchronised: string) =>
  `Timezone=Etc/UTC\nLocalRTC=no\nCanNTP=yes\nNTP=${ntp}\nNTPSynchronized=${synchronised}\nTimeUSec=Sun 2026-11-22 17:35:00 UTC\n`;
const noChrony = { exitCode: 127 };
const follows =
  '0A000001,10.0.0.1,3,1795368930.371075689,-0.000213000,0.000001,0.000020,1.5,0.0,0.01,0.001,0.0002,64.2,Normal\n';
/** `chronyc -c tracking` of chrony 4.6.1 on Debian 13, with `local stratum 8` and without any server. */
const ownClock =
  '7F7F0101,,8,1795368930.371075689,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,0.000000000,0.000000000,0.0,Normal\n';
const noServer =
  '00000000,,0,0.000000000,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,1.000000000,1.000000000,0.0,Not synchronised\n';

const synchronisation = (...given: Parameters<typeof judge>[2][]) => judge(machine, 'time', ...given)[1];

describe('time', () => {
  test.each([
    [312, 'ok', "clock is 312 ms ahead of the supervisor's (warn at 1000 ms)"],
    [-1_000, 'warning', "clock is 1000 ms behind the supervisor's (warn at 1000 ms)"],
    [3_600_000, 'critical', "clock is 3600000 ms ahead of the supervisor's (critical at 30000 ms)"],
  ])('a clock that is %d ms off is %s', (clockSkewMs, severity, text) => {
    const when = { ...measured, clockSkewMs };
    const findings = judgeAt(when, machine, 'time', timedatectl('yes', 'yes'), noChrony);
    expect(findings).toMatchObject([
      { severity, text, measure: { value: Math.abs(clockSkewMs), unit: 'ms' } },
      { severity: 'ok', subject: 'time synchronisation' },
    ]);
  });

  test('a clock of which nothing is known is inconclusive', () => {
    const when = { ...measured, clockSkewMs: Number.NaN };
    expect(brief(judgeAt(when, machine, 'time', timedatectl('yes', 'yes'), noChrony))[0]).toEqual([
      'inconclusive',
      'clock',
    ]);
  });

  test.each([
    ['yes', 'yes', 'ok', 'is synchronised'],
    ['no', 'yes', 'ok', 'is synchronised'],
    ['yes', 'no', 'warning', 'enabled, but the clock is not synchronised'],
    ['no', 'no', 'ok', 'no NTP service is enabled'],
  ])('by systemd: NTP %s and synchronised %s is %s', (ntp, synchronised, severity, text) => {
    expect(synchronisation(timedatectl(ntp, synchronised), noChrony)).toMatchObject({
      severity,
      text: expect.stringContaining(text),
    });
  });

  test('that no time service is enabled is a warning where one is required', () => {
    const strict = machineWith('    expect: { time: { requireNtp: true } }');
    expect(verdictOf(judge(strict, 'time', timedatectl('no', 'no'), noChrony))).toBe('warning');
  });

  test.each([
    [follows, 'ok', 'chrony follows 10.0.0.1 (stratum 3), 0.21 ms off'],
    [follows.replace('1795368930', String(measured.now / 1000 - 43_201)), 'warning', '10.0.0.1 12 hours ago'],
    [ownClock, 'warning', "only the machine's own clock"],
    [noServer, 'warning', 'is not synchronised'],
  ])('by chrony: %s', (tracking, severity, text) => {
    expect(synchronisation(timedatectl('yes', 'no'), tracking)).toMatchObject({
      severity,
      text: expect.stringContaining(text),
      output: 1,
    });
  });

  test('a chrony that is installed and does not run leaves the word to systemd', () => {
    const silent = { exitCode: 1, stdout: '506 Cannot talk to daemon\n' };
    expect(synchronisation(timedatectl('yes', 'yes'), silent)).toMatchObject({ severity: 'ok', output: 0 });
  });

  test('a machine without systemd is inconclusive, in its own words', () => {
    const stderr = "System has not been booted with systemd as init system (PID 1). Can't operate.\n";
    expect(synchronisation({ exitCode: 1, stderr }, noChrony)).toMatchObject({
      severity: 'inconclusive',
      text: expect.stringContaining('System has not been booted'),
    });
  });
});
