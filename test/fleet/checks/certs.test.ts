import { describe, expect, test } from 'vitest';
import { machineWith } from '../fixtures.ts';
import { check, judge, judgeAt, measured } from './judge.ts';

const file = '/etc/pki/tls/certs/www.pem';
const machine = machineWith(`    checks: [certs]\n    expect: { certs: { files: [${file}] } }`);
/** OpenSSL 3.5 of Debian 13; the one of RHEL 9 and Debian 12 writes `C = DE, …`. */
const until = (date: string) => `notAfter=${date} GMT\nsubject=C=DE, O=Example, Inc., CN=www.example.com\n`;

describe('certs', () => {
  test.each([
    ['Dec 22 17:45:00 2026', 'ok', 'is valid for 30 days, until 2026-12-22 (warn at 21 days)'],
    ['Dec 13 17:45:00 2026', 'warning', 'is valid for 21 days, until 2026-12-13 (warn at 21 days)'],
    ['Nov 23 18:00:00 2026', 'critical', 'is valid for 1 day, until 2026-11-23 (critical at 7 days)'],
    ['Nov  2 17:45:00 2026', 'critical', 'expired 20 days ago, on 2026-11-02 (critical at 7 days)'],
    ['Nov 22 18:45:00 2026', 'critical', 'is valid for less than a day, until 2026-11-22'],
    ['Nov 22 16:45:00 2026', 'critical', 'expired less than a day ago, on 2026-11-22'],
    ['Dec 31 23:59:59 9999', 'ok', 'until 9999-12-31'],
  ])('until %s is %s', (date, severity, text) => {
    expect(judge(machine, 'certs', until(date))).toMatchObject([
      {
        severity,
        subject: file,
        text: expect.stringContaining(`${file} ${text.startsWith('until') ? '' : text}`),
      },
    ]);
    expect(judge(machine, 'certs', until(date))[0]?.text).toContain(text);
  });

  test('the days left are counted by our clock, not by the one of the machine', () => {
    const when = { ...measured, clockSkewMs: 3_650 * 86_400_000 };
    expect(judgeAt(when, machine, 'certs', until('Dec 22 17:45:00 2026'))).toMatchObject([
      { severity: 'ok', measure: { value: 30, unit: 'days' } },
    ]);
  });

  test.each([
    `Could not open file or uri for loading certificate from ${file}: No such file or directory\n`,
    `Could not open file or uri for loading certificate from ${file}\n4017:error:16000069:STORE routines:ossl_store_get0_loader_int:unregistered scheme\n4017:error:80000002:system library:file_open:No such file or directory:../providers\nUnable to load certificate\n`,
    `Can't open ${file} for reading, No such file or directory\n`,
  ])('a listed file that is not there is critical: %j', (stderr) => {
    expect(judge(machine, 'certs', { exitCode: 1, stderr })).toMatchObject([
      { severity: 'critical', text: `${file} is not there` },
    ]);
  });

  test.each([
    [{ exitCode: 1, stderr: `Could not find certificate from ${file}\n` }, 'Could not find certificate'],
    [{ exitCode: 1, stderr: `Can't open "${file}" for reading, Permission denied\n` }, 'Permission denied'],
    [{ exitCode: 127 }, 'not installed'],
    [{ stdout: 'notAfter=gestern\n' }, 'did not tell its end'],
  ])('what cannot be read is inconclusive: %j', (changes, reason) => {
    expect(judge(machine, 'certs', changes)).toMatchObject([
      { severity: 'inconclusive', subject: file, text: expect.stringContaining(reason) },
    ]);
  });

  test('without a file it says what to add, and is not ok', () => {
    const bare = machineWith();
    expect(check(bare, 'certs').commands(bare)).toEqual([]);
    expect(judge(bare, 'certs')).toMatchObject([
      { severity: 'inconclusive', text: expect.stringContaining('expect.certs.files') },
    ]);
  });

  test('private keys are left alone, by the commands and by the question', () => {
    const certs = check(machine, 'certs');
    expect(certs.commands(machine)).toEqual([
      ['openssl', 'x509', '-in', file, '-noout', '-enddate', '-subject'],
    ]);
    expect(certs.root).toBe(true);
    expect(certs.question(machine, judge(machine, 'certs', until('Nov  2 17:45:00 2026')))).toContain(
      'Do not read private keys',
    );
  });
});
