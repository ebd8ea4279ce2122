import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contradictions, tolerancePoints } from '../../src/fleet/contradictions.ts';
import type { Finding, Severity } from '../../src/fleet/finding.ts';
import { anyText } from '../support/any-text.ts';
import { cpuMsOf } from './fixtures.ts';

const finding = (subject: string, severity: Severity, value: number, unit: string, text = ''): Finding => ({
  severity,
  subject,
  text,
  output: 0,
  measure: { value, unit },
});

const findings = [
  finding('/var', 'critical', 96, '%'),
  finding('/', 'ok', 17, '%'),
  finding('/var', 'ok', 3, '% of inodes'),
  finding('memory', 'ok', 40, '% available'),
  finding('nginx.service', 'critical', 0, 'active', 'nginx.service is failed (failed)'),
  finding('sshd.service', 'ok', 1, 'active', 'sshd.service is active (running)'),
];
const found = (comment: string): string[] => contradictions(comment, 'critical', findings);

test('another last line than the judged verdict is a contradiction', () => {
  expect(found('All fine here\nVERDICT: ok')).toEqual([
    'The agent says "VERDICT: ok"; the evidence says critical.',
  ]);
  expect(found('**VERDICT: OK**\n')).toEqual(['The agent says "VERDICT: ok"; the evidence says critical.']);
  expect(found('VERDICT: critical')).toEqual([]);
  expect(found('VERDICT: ok\nNo, wait: I have to look again')).toEqual([]);
  expect(found('no verdict at all')).toEqual([]);
});

test('the sentence quotes the agent and tells the evidence', () => {
  expect(found('I looked: /var is at 40 %. Nothing to do')).toEqual([
    'The agent says "/var is at 40 %"; the evidence says 96 %.',
  ]);
});

test.each([
  '/var: 40% used',
  '`/var` is only 40% full, below the 80 % threshold',
  'The file system /var (40 %) is the largest',
  '40% used on /var',
  '/var has 60 % free',
  '/var: **40 %** of 40.0 GB used',
  '/var 40 % used (14.9 GiB), 20.0 GiB free of 37.3 GiB',
  'The fullest: /var 40 % (14.9 GiB)',
  '/var 40 % of inodes used (400), 600 free',
  '/ is at 71 percent',
  'The inode usage of /var is high: /var is at 55 %',
  'memory usage is about 10 %',
  '/var is healthy',
  '/ is full',
  'nginx is running',
  '**nginx.service** is active, so all is well',
  'sshd.service is failed',
  'sshd is not running',
])('%j is a contradiction', (comment) => {
  expect(found(comment)).toHaveLength(1);
});

test.each([
  '/var is at 96 %, above the critical limit of 90 %',
  '/var is at 95 %',
  '/var 96 % used (35.8 GiB), 1.5 GiB free of 37.3 GiB (critical at 90 %)',
  '/var 3 % of inodes used (30), 970 free (warn at 80 %)',
  '/var is 4 % free',
  'The limit for /var is 90 %',
  '/var limit: 90 %',
  '/var (warn 80 %, critical 90 %)',
  '/var was at 50 % yesterday',
  'If /var is at 50 %, nothing has to be done',
  '/var will be at 50 % after the cleanup',
  'After removing the logs, /var is at 60 %',
  '/var grew by 10 % in a week',
  '/var is at 50 % of its inode limit',
  '/var/log is at 40 %',
  '/srv/var is at 40 %',
  'journald uses 40 % of /var',
  'Is /var at 40 %?',
  '/var is not at 40 %',
  'inodes: /var is at 3 %',
  'memory is at 60 %',
  'memory is at 40 %',
  'memory usage is 58 %',
  '/var: 40 % logs, 30 % caches',
  '/var uses 40 % for logs',
  '/ and /var are at 17 % and 96 %',
  '/var is at 40-50 %',
  '/var is nearly full',
  'nginx is failed',
  'Check whether nginx is running',
  'nginx should be active',
  'When nginx is active, the site answers',
  'nginx is running out of memory',
  'nginx-exporter is running',
  'sshd is up to date',
])('%j is none', (comment) => {
  expect(found(comment)).toEqual([]);
});

test('a claimed percentage is a contradiction exactly when it is further off than the tolerance', () => {
  const percent = fc.integer({ min: 0, max: 100 });
  fc.assert(
    fc.property(percent, percent, (measured, claimed) => {
      const said = contradictions(`/data is at ${claimed} %`, 'ok', [finding('/data', 'ok', measured, '%')]);
      expect(said).toHaveLength(Math.abs(measured - claimed) > tolerancePoints ? 1 : 0);
    }),
  );
});

test('whatever the agent writes and whatever a subject is called, it neither throws nor takes long', () => {
  fc.assert(
    fc.property(anyText(), fc.string(), (comment, subject) => {
      contradictions(comment, 'ok', [finding(subject, 'ok', 5, '%'), finding(subject, 'ok', 1, 'active')]);
    }),
  );
  const tookMs = cpuMsOf(() => {
    found(`/var ${'is at '.repeat(15_000)}`);
    found(`/var ${'* '.repeat(40_000)}`);
    found(`/var is ${'`'.repeat(90_000)}`);
    found('/var: '.repeat(15_000));
  });
  expect(tookMs).toBeLessThan(1_000);
});
