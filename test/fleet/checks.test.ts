import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { builtInChecks, checkOf, checksOf } from '../../src/fleet/checks/index.ts';
import type { CommandOutput } from '../../src/fleet/evidence.ts';
import { findingSchema, verdictOf } from '../../src/fleet/finding.ts';
import type { Machine } from '../../src/fleet/machine.ts';
import { anyText } from '../support/any-text.ts';
import { brief, check, judge, measured } from './checks/judge.ts';
import { cpuMsOf, machineWith, output } from './fixtures.ts';

const spaceHeader = 'Filesystem Type 1024-blocks Used Available Capacity Mounted on\n';
const inodeHeader = 'Filesystem Type Inodes IUsed IFree IUse% Mounted on\n';

describe('disk', () => {
  const judgeSpace = (rows: string, machine = machineWith()) =>
    judge(machine, 'disk', `${spaceHeader}${rows}`, inodeHeader);

  test('every finding carries the numbers and the limit', () => {
    const findings = judge(
      machineWith(),
      'disk',
      `${spaceHeader}/dev/sda1 ext4 39062500 23437500 15234375 61% /var\n/dev/sda2 xfs 1000 955 45 96% /\n`,
      `${inodeHeader}/dev/sda1 ext4 1000 850 150 85% /var\n/dev/sda2 xfs 0 0 0 - /\n`,
    );
    expect(findings).toEqual([
      {
        severity: 'ok',
        subject: '/var',
        text: '/var 61 % used (22.4 GiB), 14.5 GiB free of 37.3 GiB (warn at 80 %)',
        output: 0,
        measure: { value: 61, unit: '%' },
      },
      {
        severity: 'critical',
        subject: '/',
        text: '/ 96 % used (955.0 KiB), 45.0 KiB free of 1000.0 KiB (critical at 90 %)',
        output: 0,
        measure: { value: 96, unit: '%' },
      },
      {
        severity: 'warning',
        subject: '/var',
        text: '/var 85 % of inodes used (850), 150 free (warn at 80 %)',
        output: 1,
        measure: { value: 85, unit: '% of inodes' },
      },
    ]);
  });

  test("the percentage is df's own, of what users may fill, and the sizes are those of `df -h`", () => {
    const row = '/dev/vda ext4 264212084 18516048 76985216 20% /\n';
    const inodes = '/dev/vda ext4 16777216 622056 16155160 4% /\n';
    const texts = judge(machineWith(), 'disk', `${spaceHeader}${row}`, `${inodeHeader}${inodes}`).map(
      (finding) => finding.text,
    );
    expect(texts).toEqual([
      '/ 20 % used (17.7 GiB), 73.4 GiB free of 252.0 GiB (warn at 80 %)',
      '/ 4 % of inodes used (622,056), 16,155,160 free (warn at 80 %)',
    ]);
  });

  test("the numbers are the computer's own `df -P`", () => {
    const run = (argv: readonly string[]): CommandOutput =>
      output(argv, {
        stdout: execFileSync(argv[0] ?? '', argv.slice(1), {
          encoding: 'utf8',
          env: { PATH: process.env.PATH, LC_ALL: 'C' },
        }),
      });
    const machine = machineWith();
    const disk = check(machine, 'disk');
    const outputs = disk.commands(machine).map(run);
    const root = disk.judge(machine, outputs, measured).find((f) => f.subject === '/' && f.output === 0);
    const df =
      execFileSync('df', ['-P', '/'], { encoding: 'utf8' }).trim().split('\n').at(-1)?.split(/\s+/) ?? [];
    expect(`${root?.measure?.value}%`).toBe(df[4]);
  });

  test('a mount point and a device may have spaces and long names', () => {
    const long = `/dev/mapper/${'x'.repeat(200)}`;
    const findings = judgeSpace(
      `${long} ext4 100 50 50 50% /srv/my files\n//nas/my share cifs 100 95 5 95% /mnt/a b\n`,
    );
    expect(brief(findings)).toEqual([
      ['ok', '/srv/my files'],
      ['critical', '/mnt/a b'],
    ]);
  });

  test('a file system that is mounted twice is counted once, at its shortest mount point', () => {
    const findings = judgeSpace('/dev/sda1 btrfs 100 50 50 50% /home/x\n/dev/sda1 btrfs 100 50 50 50% /\n');
    expect(brief(findings)).toEqual([['ok', '/']]);
  });

  test('two tmpfs are two file systems', () => {
    const machine = machineWith('    expect: { disk: { ignoreTypes: [] } }');
    const findings = judgeSpace('tmpfs tmpfs 100 0 100 0% /run\ntmpfs tmpfs 100 0 100 0% /tmp\n', machine);
    expect(findings).toHaveLength(2);
  });

  test('ignored types and mounts are not judged, but `/` is, and so is a mount with limits of its own', () => {
    const machine = machineWith(
      '    expect: { disk: { mounts: { /tmp: { criticalUsedPercent: 99 } }, ignoreMounts: [/mnt/*] } }',
    );
    const rows = [
      'overlay overlay 100 50 50 50% /',
      'tmpfs tmpfs 100 95 5 95% /tmp',
      'tmpfs tmpfs 100 95 5 95% /run',
      '/dev/b ext4 100 99 1 99% /mnt/usb',
    ];
    expect(brief(judgeSpace(`${rows.join('\n')}\n`, machine))).toEqual([
      ['ok', '/'],
      ['warning', '/tmp'],
    ]);
  });

  test('what df could not read is inconclusive, and hides nothing that it could', () => {
    const machine = machineWith('    expect: { disk: { ignoreMounts: [/mnt/ignored] } }');
    const findings = judge(
      machine,
      'disk',
      {
        stdout: `${spaceHeader}/dev/a ext4 100 95 5 95% /\n`,
        stderr: 'df: /mnt/x: Permission denied\ndf: /mnt/ignored: Stale file handle\n',
        exitCode: 1,
      },
      inodeHeader,
    );
    expect(brief(findings)).toEqual([
      ['inconclusive', '/mnt/x'],
      ['critical', '/'],
    ]);
  });

  test('a cut output is inconclusive beside the whole lines in it', () => {
    const findings = judge(
      machineWith(),
      'disk',
      { stdout: `${spaceHeader}/dev/a ext4 100 50 50 50% /\n/dev/b ext4 100 5 95 5% /va`, truncated: true },
      inodeHeader,
    );
    expect(brief(findings)).toEqual([
      ['inconclusive', 'disk'],
      ['ok', '/'],
    ]);
  });

  test.each<[string, string | Partial<CommandOutput>, string]>([
    ['a missing command', { exitCode: 127 }, 'not installed'],
    ['a command that was ended', { exitCode: null }, 'ended before it finished'],
    [
      'another language',
      'Dateisystem Typ 1024-Blöcke Benutzt Verfügbar Kapazität Eingehängt auf\n/dev/a ext4 100 50 50 50% /\n',
      'LC_ALL=C',
    ],
    ['an empty output', '', 'LC_ALL=C'],
    ['a table without rows', spaceHeader, 'no file system'],
    ['nonsense in the table', `${spaceHeader}hello\n`, 'no row'],
  ])('%s is inconclusive, with the reason', (_case, first, reason) => {
    const findings = judge(machineWith(), 'disk', first, inodeHeader);
    expect(verdictOf(findings)).toBe('inconclusive');
    expect(findings[0]?.text).toContain(reason);
  });

  test('every row is read back as it was written', () => {
    const name = fc.stringMatching(/^[a-zA-Z0-9_.-]+( [a-zA-Z0-9_.-]+)?$/);
    fc.assert(
      fc.property(
        name,
        name,
        fc.integer({ min: 0, max: 100 }),
        fc.integer({ min: 1, max: 1e12 }),
        (device, mount, percent, total) => {
          const [finding] = judgeSpace(`/dev/${device} ext4 ${total} 1 1 ${percent}% /${mount}\n`);
          expect(finding).toMatchObject({ subject: `/${mount}`, measure: { value: percent } });
        },
      ),
    );
  });
});

describe('memory', () => {
  const meminfo = (available: number, swapFree = 0, swapTotal = 0): string =>
    `MemTotal: 1000000 kB\nMemFree: 1 kB\nMemAvailable: ${available} kB\nSwapTotal: ${swapTotal} kB\nSwapFree: ${swapFree} kB\n`;

  test.each([
    [500_000, 'ok', 'memory 50 % of 976.6 MiB available, 488.3 MiB (warn at 15 %)'],
    [150_000, 'warning', 'memory 15 % of 976.6 MiB available, 146.5 MiB (warn at 15 %)'],
    [49_000, 'critical', 'memory 4.9 % of 976.6 MiB available, 47.9 MiB (critical at 5 %)'],
  ])('%d kB available is %s', (available, severity, text) => {
    expect(judge(machineWith(), 'memory', meminfo(available))).toMatchObject([{ severity, text }]);
  });

  test('swap is judged where there is some', () => {
    expect(brief(judge(machineWith(), 'memory', meminfo(500_000, 40, 100)))).toEqual([
      ['ok', 'memory'],
      ['warning', 'swap'],
    ]);
  });

  test.each([
    '',
    'MemTotal: 5 kB\n',
    'MemTotal: 0 kB\nMemAvailable: 0 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n',
  ])('%j is inconclusive', (text) => {
    expect(verdictOf(judge(machineWith(), 'memory', text))).toBe('inconclusive');
  });
});

describe('load', () => {
  test.each([
    [
      '1.00 2.00 3.00 1/100 5\n',
      'ok',
      'load 2.00 over 5 minutes on 4 processors, 0.5 per processor (warn at 1.5)',
    ],
    [
      '1.00 6.00 3.00 1/100 5\n',
      'warning',
      'load 6.00 over 5 minutes on 4 processors, 1.5 per processor (warn at 1.5)',
    ],
    [
      '1.00 13.00 3.00 1/100 5\n',
      'critical',
      'load 13.00 over 5 minutes on 4 processors, 3.25 per processor (critical at 3)',
    ],
  ])('%j on 4 processors is %s', (loadavg, severity, text) => {
    expect(judge(machineWith(), 'load', loadavg, '4\n')).toMatchObject([{ severity, text }]);
  });

  test.each([
    ['', '4\n'],
    ['1,00 2,00 3,00 1/100 5\n', '4\n'],
    ['1.00 2.00 3.00 1/100 5\n', '0\n'],
    ['1.00 2.00 3.00 1/100 5\n', 'four\n'],
  ])('%j and %j are inconclusive', (loadavg, nproc) => {
    expect(verdictOf(judge(machineWith(), 'load', loadavg, nproc))).toBe('inconclusive');
  });
});

describe('services', () => {
  const machine = machineWith('    expect: { services: { active: [sshd.service, nginx.service] } }');
  const unit = (id: string, load: string, active: string, sub: string, result = 'success'): string =>
    `Result=${result}\nId=${id}\nLoadState=${load}\nActiveState=${active}\nSubState=${sub}\n`;
  const up = unit('ssh.service', 'loaded', 'active', 'running');

  test('systemctl show is asked only about listed units', () => {
    expect(check(machine, 'services').commands(machine)[0]?.slice(-3)).toEqual([
      '--',
      'sshd.service',
      'nginx.service',
    ]);
    const bare = machineWith();
    expect(check(bare, 'services').commands(bare)).toEqual([
      ['systemctl', 'list-units', '--no-pager', '--no-legend', '--plain', '--state=failed'],
    ]);
    expect(judge(bare, 'services', '')).toEqual([
      { severity: 'ok', subject: 'failed units', text: 'no unit has failed', output: 0 },
    ]);
  });

  test.each([
    [
      unit('nginx.service', 'loaded', 'active', 'running'),
      'ok',
      'nginx.service is active (running) (must be active)',
    ],
    [unit('nginx.service', 'loaded', 'reloading', 'reload'), 'ok', 'is reloading'],
    [unit('nginx.service', 'loaded', 'inactive', 'dead'), 'critical', 'is inactive (dead)'],
    [
      unit('nginx.service', 'loaded', 'failed', 'failed', 'exit-code'),
      'critical',
      'is failed (failed, result exit-code)',
    ],
    [unit('nginx.service', 'not-found', 'inactive', 'dead'), 'critical', 'is not installed'],
    [unit('nginx.service', 'masked', 'inactive', 'dead'), 'critical', 'is masked'],
    [unit('nginx.service', 'loaded', 'activating', 'start'), 'warning', 'is still starting'],
    [unit('nginx.service', 'loaded', 'activating', 'auto-restart'), 'critical', 'waits for its next restart'],
    ['Id=nginx.service\n', 'inconclusive', 'did not tell'],
  ])('%j is %s', (block, severity, text) => {
    const findings = judge(machine, 'services', `${up}\n${block}`, '');
    expect(findings[0]).toMatchObject({ severity: 'ok', subject: 'sshd.service' });
    expect(findings[1]).toMatchObject({
      severity,
      subject: 'nginx.service',
      text: expect.stringContaining(text),
    });
  });

  test('other failed units are warnings, or only told; a listed one is not told twice', () => {
    const shown = `${up}\n${unit('nginx.service', 'loaded', 'failed', 'failed')}`;
    const failed =
      'nginx.service loaded failed failed Web server\nbackup.service loaded failed failed Nightly backup\n';
    expect(brief(judge(machine, 'services', shown, failed)).slice(1)).toEqual([
      ['critical', 'nginx.service'],
      ['warning', 'backup.service'],
    ]);
    const calm = machineWith('    expect: { services: { warnOnFailed: false } }');
    expect(brief(judge(calm, 'services', failed))).toEqual([
      ['ok', 'nginx.service'],
      ['ok', 'backup.service'],
    ]);
  });

  test('a machine without a running systemd is inconclusive, in its own words', () => {
    const findings = judge(
      machine,
      'services',
      { exitCode: 1, stderr: 'System has not been booted with systemd\n' },
      { exitCode: 1 },
    );
    expect(verdictOf(findings)).toBe('inconclusive');
    expect(findings[0]?.text).toContain('System has not been booted with systemd');
  });

  test('units that do not line up with the question are inconclusive', () => {
    expect(judge(machine, 'services', up, '')[0]).toMatchObject({ severity: 'inconclusive' });
    expect(judge(machine, 'services', `${up}\n${up}`, 'Failed to list\n')[2]).toMatchObject({
      severity: 'inconclusive',
    });
  });
});

describe('checks of the fleet file', () => {
  const custom = (rest: string): Machine =>
    machineWith(`    customChecks: { mine: { summary: s, command: [cat, /x], ${rest} } }`);

  test.each([
    ["mustMatch: '^UP$'", 'a\nUP\nb', 'ok'],
    ["mustMatch: '^UP$'", 'DOWN', 'critical'],
    ["mustNotMatch: '^DOWN$'", 'UP', 'ok'],
    ["mustNotMatch: '^DOWN$'", 'x\nDOWN', 'critical'],
    ["number: { pattern: 'n=(\\d+)', warnAbove: 5, criticalAbove: 9 }", 'n=5', 'ok'],
    ["number: { pattern: 'n=(\\d+)', warnAbove: 5, criticalAbove: 9 }", 'n=6', 'warning'],
    ["number: { pattern: 'n=(\\d+)', warnAbove: 5, criticalAbove: 9 }", 'n=10', 'critical'],
    ["number: { pattern: 'n=(\\d+)', warnBelow: 5, criticalBelow: 2 }", 'n=1', 'critical'],
    ["number: { pattern: 'n=(\\S+)', warnBelow: 5 }", 'n=many', 'inconclusive'],
    ["number: { pattern: 'n=(\\d+)', warnAbove: 5 }", 'm=1', 'inconclusive'],
  ])('{ %s } on %j is %s', (rest, text, severity) => {
    expect(verdictOf(judge(custom(rest), 'mine', text))).toBe(severity);
  });

  test('the number and its limits are told', () => {
    const findings = judge(
      custom("number: { pattern: '(\\d+)', unit: bit, warnBelow: 200, criticalBelow: 100 }"),
      'mine',
      '256',
    );
    expect(findings).toEqual([
      {
        severity: 'ok',
        subject: 'mine',
        text: 'mine: 256 bit (critical below 100, warning below 200)',
        output: 0,
        measure: { value: 256, unit: 'bit' },
      },
    ]);
  });

  test('another exit code than expected is inconclusive; an expected one is not', () => {
    const failing = { exitCode: 3, stdout: 'UP' };
    expect(verdictOf(judge(custom('mustMatch: UP'), 'mine', failing))).toBe('inconclusive');
    expect(verdictOf(judge(custom('mustMatch: UP, exitCodes: [0, 3]'), 'mine', failing))).toBe('ok');
    expect(verdictOf(judge(custom('mustMatch: UP'), 'mine', { stdout: 'UP', truncated: true }))).toBe(
      'inconclusive',
    );
  });

  test('a pattern that takes endless time on an output is ended, and is inconclusive', () => {
    // Polynomial, so it passes at load; 60,000 characters make it endless.
    const machine = custom("mustMatch: 'x*x*x*y'");
    const tookMs = cpuMsOf(() => {
      expect(verdictOf(judge(machine, 'mine', 'x'.repeat(60_000)))).toBe('inconclusive');
    });
    expect(tookMs).toBeLessThan(2_000);
  });
});

test('a machine has the built-in checks that it names, and its own', () => {
  const machine = machineWith(
    '    checks: [load, raid, disk]\n    customChecks: { raid: { summary: s, command: [a], mustMatch: x } }',
  );
  expect(checksOf(machine).map((c) => c.name)).toEqual(['disk', 'load', 'raid']);
  expect(checkOf(machine, 'memory')).toBeUndefined();
  expect(builtInChecks.map((c) => c.name)).toEqual([
    'disk',
    'memory',
    'load',
    'services',
    'logs',
    'kernel',
    'time',
    'network',
    'updates',
    'certs',
  ]);
});

test('no output makes a check throw, and none is judged ok that is not understood', () => {
  const machine = machineWith('    expect: { services: { active: [a.service] } }');
  const anyOutput = fc.record({
    exitCode: fc.option(fc.integer({ min: 0, max: 255 })),
    stdout: anyText({ maxLength: 200 }),
    stderr: fc.string(),
    truncated: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(anyOutput, { maxLength: 2 }), (given) => {
      for (const { name, judge: judgeOutputs } of builtInChecks) {
        const findings = judgeOutputs(
          machine,
          given.map((changes) => output(['x'], changes)),
          measured,
        );
        findingSchema.array().parse(findings);
        // To these two, a command that ended well and printed nothing is good news.
        if (name !== 'services' && name !== 'logs') expect(verdictOf(findings)).toBe('inconclusive');
      }
    }),
  );
});

test('no output that is nearly right makes a check throw', () => {
  const machine = machineWith(
    '    checks: [certs, network]\n    expect: { certs: { files: [/a, /b] }, network: { interfaces: [eth0], resolve: [a.test], listening: [1] } }',
  );
  const piece = fc.constantFrom(
    ...['{"__REALTIME_TIMESTAMP":"1","__MONOTONIC_TIMESTAMP":"9","MESSAGE":', '"x"}', '[104]}', 'null}', '{'],
    ...['[{"dst":"default"}]', '[]', '[{"ifname":"eth0","flags":[],"operstate":"UP","stats64":{}}]'],
    ...[
      'Inst a [1] (2 x [amd64])',
      '1 upgraded, 0 newly installed',
      'a.noarch 1 b',
      '99999999999999999999.1 /',
    ],
    ...['NTP=yes', 'NTPSynchronized=', '7F7F0101,,8,', 'notAfter=Feb 31 99:99:99 2026 GMT', 'LISTEN 0 1 :1 '],
    ...['\n', ' ', ',', '-- No entries --', 'Reboot is required', '\ud800', '\0'],
  );
  const stdout = fc.array(fc.oneof(piece, anyText(), fc.json())).map((all) => all.join(''));
  const nearlyRight = fc.record({
    exitCode: fc.constantFrom(0, 0, 0, 1, 2, 100, 124, 127, null),
    stdout,
    stderr: stdout,
    truncated: fc.boolean(),
  });
  const when = fc.record({ clockSkewMs: fc.double(), now: fc.double() });
  fc.assert(
    fc.property(fc.array(nearlyRight, { maxLength: 8 }), when, (given, moment) => {
      for (const { judge: judgeOutputs, question } of builtInChecks) {
        const outputs = given.map((changes) => output(['x'], changes));
        const findings = findingSchema
          .array()
          .min(1)
          .parse(judgeOutputs(machine, outputs, moment));
        expect(question(machine, findings)).toContain('Change nothing');
      }
    }),
    { numRuns: 300 },
  );
});

test('the question tells what was found and names what to look into', () => {
  const machine = machineWith('    role: web');
  const disk = check(machine, 'disk');
  const findings = judge(
    machine,
    'disk',
    `${spaceHeader}/dev/a ext4 100 96 4 96% /var\n/dev/b ext4 100 5 95 5% /\n`,
    inodeHeader,
  );
  const question = disk.question(machine, findings);
  expect(question).toContain('rhel-01 (role web)');
  expect(question).toContain('- critical: /var 96 % used (');
  expect(question).toContain('Find out what fills /var:');
  expect(disk.question(machine, findings.slice(1))).toContain('within their limits');
});
