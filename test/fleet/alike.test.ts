import { expect, it } from 'vitest';
import { alikeOf, failureOf } from '../../src/fleet/alike.ts';
import type { Finding } from '../../src/fleet/finding.ts';
import type { Run } from '../../src/fleet/run.ts';
import { diagnosed, sampleRun } from '../support/sample-run.ts';

const full = (percent: number, subject = '/var'): Finding => ({
  severity: 'critical',
  subject,
  text: `${subject} is ${percent}% full (limit 90%)`,
  output: 0,
});
const fine: Finding = { severity: 'ok', subject: '/', text: '/ is 20% full (limit 80%)', output: 0 };

function alike(changes: Partial<Run>, machine = 'web-01'): string {
  const run = sampleRun('r-1', 'done', { verdict: 'critical', ...changes });
  return alikeOf({ ...run, request: { ...run.request, machine } });
}

it('machines are alike where only numbers, names, order or what is ok differ', () => {
  const one = alike({ findings: [full(93), full(91, '/tmp'), fine] });
  expect(alike({ findings: [full(97, '/tmp'), full(99)] })).toBe(one);
  expect(alike({ findings: [full(93)] })).not.toBe(one);
  expect(alike({ findings: [{ ...full(93), severity: 'warning' }, full(91, '/tmp')] })).not.toBe(one);
  const named = (machine: string): Finding => ({ ...full(1), text: `unit on ${machine} failed` });
  expect(alike({ findings: [named('web-01')] })).toBe(alike({ findings: [named('db-7')] }, 'db-7'));
});

it('a machine’s name within another word is not its name', () => {
  const findings = [{ ...full(1), text: 'abba on the machine failed' }];
  expect(alike({ findings }, 'a')).toBe(alike({ findings }, 'b'));
});

it('machines with nothing wrong are alike, whatever they have', () => {
  expect(alike({ verdict: 'ok', findings: [fine] })).toBe(alike({ verdict: 'ok', findings: [] }));
});

it('of machines that were asked the same answers are alike', () => {
  const answer = (comment: string) =>
    alike({ verdict: 'answered', diagnosis: { ...diagnosed.diagnosis, comment } });
  expect(answer('Kernel 5.14,\n2 users.')).toBe(answer('kernel 6.12, 31 users.'));
  expect(answer('Kernel 5.14')).not.toBe(answer('No idea'));
});

it('a failure is told by its code', () => {
  const key = alike({ verdict: 'failed', failure: { code: 'unreachable', message: 'no route' } });
  expect(failureOf(key)).toBe('unreachable');
  expect(failureOf(alike({ findings: [full(93)] }))).toBeUndefined();
});

it('before the evidence is judged there is nothing to compare', () => {
  expect(alikeOf(sampleRun('r-1', 'gathering'))).toBe('');
});
