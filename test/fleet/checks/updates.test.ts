import { describe, expect, test } from 'vitest';
import type { CommandOutput } from '../../../src/fleet/evidence.ts';
import { verdictOf } from '../../../src/fleet/finding.ts';
import { machineWith } from '../fixtures.ts';
import { brief, check, judge, judgeAt, measured } from './judge.ts';

type Given = string | Partial<CommandOutput>;

const machine = machineWith();
const missing = { exitCode: 127 };
const hourSeconds = 3_600;
const secondsAgo = (seconds: number) => measured.now / 1000 - seconds;

/** `find -printf '%T@ %p\n'` on Debian 13: files have the archive's time, `partial` the one of the last update. */
const aptLists = (ageSeconds = hourSeconds): Given => ({
  exitCode: 1,
  stdout: `${secondsAgo(ageSeconds)}.9766249270 /var/lib/apt/lists\n${secondsAgo(ageSeconds)}.9766249270 /var/lib/apt/lists/partial\n${secondsAgo(90 * 86_400)}.0000000000 /var/lib/apt/lists/mirror.example_debian_dists_trixie_InRelease\n`,
  stderr: "find: '/var/cache/dnf': No such file or directory\n",
});
/** The same of dnf 4.23. */
const dnfCache = (ageSeconds = hourSeconds): Given => ({
  exitCode: 1,
  stdout: `${secondsAgo(0)}.2474037590 /var/cache/dnf\n${secondsAgo(ageSeconds)}.6830172350 /var/cache/dnf/baseos-73071d1c37cf1c7b/repodata/repomd.xml\n`,
});

/** apt 2.6 of Debian 12, shortened. */
const simulation = `Reading package lists...
Building dependency tree...
Reading state information...
Calculating upgrade...
The following packages will be upgraded:
  base-files libgcrypt20 libgcrypt20-dev
4 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.
Inst base-files [12.4+deb12u11] (12.4+deb12u15 Debian:12.15/oldstable [amd64])
Conf base-files (12.4+deb12u15 Debian:12.15/oldstable [amd64])
Inst scanner [1.0] (1.1 Security Tools:1/security-tools [amd64])
Inst libgcrypt20-dev [1.10.1-3] (1.10.1-3+deb12u1 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64]) []
Inst libgcrypt20 [1.10.1-3] (1.10.1-3+deb12u1 Ubuntu:22.04/jammy-security [amd64])
Inst linux-image-6.1.0-40-amd64 (6.1.153-1 Debian-Security:12/oldstable-security [amd64])
Conf libgcrypt20 (1.10.1-3+deb12u1 Ubuntu:22.04/jammy-security [amd64])
`;
const nothing = 'Calculating upgrade...\n0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n';

/** dnf 4.23. */
const checkUpdate = `
a-package-with-a-very-long-name-that-does-not-fit-the-column-of-eighty.noarch 2.0-1.el9   baseos
openssl-libs.noarch                                                           3.0.7-1.el9 baseos
plain.noarch                                                                  1.1-1.el9   baseos
`;
const checkSecurity = `
openssl-libs.noarch                      3.0.7-1.el9                      baseos
`;
const noReboot =
  'No core libraries or services have been updated since boot-up.\nReboot should not be necessary.\n';
const rebootDue: Given = {
  exitCode: 1,
  stdout:
    'Core libraries or services have been updated since boot-up:\n  * kernel\n\nReboot is required to fully utilize these updates.\nMore information: https://access.redhat.com/solutions/27943\n',
};

const judgeApt = (simulated: Given, lists = aptLists(), mark: Given = { exitCode: 1 }) =>
  judge(machine, 'updates', lists, simulated, missing, missing, missing, mark);
const judgeDnf = (all: Given, security: Given, restart: Given = noReboot, cache = dnfCache()) =>
  judge(machine, 'updates', cache, missing, all, security, restart, { exitCode: 1 });
const due = (stdout: string): Given => ({ exitCode: 100, stdout });

describe('updates', () => {
  test('of Debian and Ubuntu, security updates are counted apart, and new packages not at all', () => {
    expect(judgeApt(simulation)).toMatchObject([
      {
        severity: 'warning',
        subject: 'security updates',
        text: '2 security updates wait, as far as the repositories tell (warn at 1)',
        measure: { value: 2, unit: 'updates' },
      },
      { severity: 'ok', subject: 'updates', text: '4 updates wait, of every kind' },
      {
        severity: 'ok',
        subject: 'package metadata',
        text: 'package metadata is 0.04 days old (warn at 7 days)',
      },
      { severity: 'ok', subject: 'reboot', text: 'no reboot is asked for' },
    ]);
    expect(verdictOf(judgeApt(nothing))).toBe('ok');
  });

  test('of RHEL and Fedora, security updates are counted apart', () => {
    expect(judgeDnf(due(checkUpdate), due(checkSecurity))).toMatchObject([
      { severity: 'warning', text: expect.stringContaining('1 security update waits') },
      { severity: 'ok', text: '3 updates wait, of every kind' },
      { severity: 'ok', subject: 'package metadata' },
      { severity: 'ok', subject: 'reboot' },
    ]);
    expect(verdictOf(judgeDnf('', ''))).toBe('ok');
  });

  test("rows that dnf wraps, its remarks and what obsoletes what don't count", () => {
    const table = `Last metadata expiration check: 0:10:00 ago on Sun Nov 22 17:00:00 2026.

kernel-core.x86_64
                          5.14.0-503.el9        rhel-9-for-x86_64-baseos-rpms
tzdata.noarch             2026a-1.el9           rhel-9-for-x86_64-baseos-rpms
Obsoleting Packages
iptables-nft.x86_64       1.8.10-5.el9          rhel-9-for-x86_64-baseos-rpms
    iptables.x86_64       1.8.8-6.el9           @System
Security: kernel-core-5.14.0-503.el9.x86_64 is an installed security update
`;
    expect(judgeDnf(due(table), '')[1]?.text).toBe('2 updates wait, of every kind');
  });

  test('a reboot that is due is a warning, unless the fleet file says otherwise', () => {
    expect(brief(judgeDnf('', '', rebootDue))).toContainEqual(['warning', 'reboot']);
    const mark = '*** System restart required ***\n';
    expect(brief(judgeApt(nothing, aptLists(), mark))).toContainEqual(['warning', 'reboot']);
    const calm = machineWith('    expect: { updates: { warnOnReboot: false } }');
    const findings = judge(calm, 'updates', aptLists(), nothing, missing, missing, missing, mark);
    expect(verdictOf(findings)).toBe('ok');
    expect(findings.at(-1)?.text).toContain('(not judged here)');
  });

  test('a dnf that cannot tell of reboots is no accusation, and says what to install', () => {
    const noPlugin = { exitCode: 1, stderr: 'No such command: needs-restarting.\n' };
    expect(judgeDnf('', '', noPlugin).at(-1)).toMatchObject({
      severity: 'inconclusive',
      subject: 'reboot',
      text: expect.stringContaining('dnf-plugins-core'),
    });
  });

  test('old metadata is a warning, whatever it counts; its age is by the clock that wrote it', () => {
    const old = 8 * 86_400;
    expect(brief(judgeApt(nothing, aptLists(old)))).toContainEqual(['warning', 'package metadata']);
    expect(brief(judgeDnf('', '', noReboot, dnfCache(old)))).toContainEqual(['warning', 'package metadata']);
    const behind = { now: measured.now + old * 1000, clockSkewMs: -old * 1000 };
    const findings = judgeAt(behind, machine, 'updates', aptLists(), nothing, missing, missing, missing, {
      exitCode: 1,
    });
    expect(verdictOf(findings)).toBe('ok');
  });

  // Both tools then say "nothing to do", and end well.
  test('a machine that has never heard of its repositories is not up to date', () => {
    const empty = {
      exitCode: 1,
      stdout: `${secondsAgo(5)}.0 /var/lib/apt/lists\n${secondsAgo(5)}.0 /var/lib/apt/lists/partial\n${secondsAgo(5)}.0 /var/cache/dnf\n`,
    };
    expect(judgeApt(nothing, empty)[2]).toMatchObject({
      severity: 'inconclusive',
      text: expect.stringContaining('run apt-get update on it'),
    });
    expect(verdictOf(judgeDnf('', '', noReboot, empty))).toBe('inconclusive');
  });

  test.each<[string, Given, string]>([
    ['apt in another language', '0 aktualisiert, 0 neu installiert\n', 'English'],
    ['an apt that fails', { exitCode: 100, stderr: 'E: The package cache file is corrupted\n' }, 'corrupted'],
  ])('%s is inconclusive', (_case, simulated, reason) => {
    expect(judgeApt(simulated)).toMatchObject([
      { severity: 'inconclusive', text: expect.stringContaining(reason) },
    ]);
  });

  test.each<[string, Given, Given, string]>([
    ['a dnf that fails', { exitCode: 1, stderr: 'Error: no enabled repositories\n' }, '', 'no enabled'],
    ['a table that is none', due('hello\n'), '', 'no row'],
    ['a list of security updates that fails', '', { exitCode: 1, stderr: 'boom\n' }, 'boom'],
  ])('%s is inconclusive', (_case, all, security, reason) => {
    expect(judgeDnf(all, security)).toMatchObject([
      { severity: 'inconclusive', text: expect.stringContaining(reason) },
    ]);
  });

  test('a machine with neither tool is inconclusive', () => {
    expect(
      judge(machine, 'updates', { exitCode: 1 }, missing, missing, missing, missing, missing),
    ).toMatchObject([{ severity: 'inconclusive', text: expect.stringContaining('neither apt-get nor dnf') }]);
  });

  test('nothing is fetched and nothing changes', () => {
    const updates = check(machine, 'updates');
    for (const [program, ...args] of updates.commands(machine)) {
      if (program === 'dnf') expect(args).toContain('--cacheonly');
      if (program === 'apt-get') expect(args).toContain('--simulate');
    }
    expect(updates.question(machine, [])).toContain('download and install nothing');
  });
});
