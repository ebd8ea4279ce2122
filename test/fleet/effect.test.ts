import { expect, test } from 'vitest';
import { effectOf, meets } from '../../src/fleet/effect.ts';
import { type Finding, type Severity, verdictOf } from '../../src/fleet/finding.ts';
import type { Measurement } from '../../src/fleet/run.ts';

function measured(...severities: Severity[]): Measurement {
  const findings = severities.map(
    (severity, output): Finding => ({ severity, subject: `/${output}`, text: '', output }),
  );
  return { findings, verdict: verdictOf(findings) };
}

test.each<[string, Severity[], Severity[]]>([
  ['confirmed', ['critical'], ['ok']],
  ['confirmed', ['ok'], ['ok']],
  ['confirmed', [], ['ok']],
  ['better', ['critical'], ['warning']],
  ['better', ['critical', 'critical'], ['critical', 'warning']],
  ['unchanged', ['warning', 'ok'], ['warning', 'ok']],
  ['worse', ['warning'], ['critical']],
  ['worse', ['ok'], ['warning']],
  ['worse', ['critical', 'ok'], ['critical', 'critical']],
  ['worse', ['warning', 'ok'], ['critical', 'inconclusive']],
  ['inconclusive', ['critical'], ['inconclusive']],
  ['inconclusive', ['critical', 'warning'], ['inconclusive', 'warning']],
  ['inconclusive', ['inconclusive'], ['warning']],
  ['inconclusive', ['critical'], []],
])('it is %s from %j to %j', (effect, before, after) => {
  expect(effectOf(measured(...before), measured(...after))).toBe(effect);
});

test('without a measurement nothing is known, but that all is well now', () => {
  expect(effectOf(measured('critical'), undefined)).toBe('inconclusive');
  expect(effectOf(undefined, measured('warning'))).toBe('inconclusive');
  expect(effectOf(undefined, measured('ok'))).toBe('confirmed');
  expect(effectOf(measured('critical'), { findings: [], verdict: 'failed' })).toBe('inconclusive');
});

test('a precondition is met by a finding of its severities about its subject', () => {
  const { findings } = measured('ok', 'warning');
  expect(meets(undefined, [])).toBe(true);
  expect(meets({ check: 'disk', severities: ['warning', 'critical'] }, findings)).toBe(true);
  expect(meets({ check: 'disk', severities: ['critical'] }, findings)).toBe(false);
  expect(meets({ check: 'disk', subject: '/1', severities: ['warning'] }, findings)).toBe(true);
  expect(meets({ check: 'disk', subject: '/0*', severities: ['warning'] }, findings)).toBe(false);
});
