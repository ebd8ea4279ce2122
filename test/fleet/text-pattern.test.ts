import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isProblem } from '../../src/fleet/command-pattern.ts';
import { maxPatternWays, patternWays } from '../../src/fleet/pattern-cost.ts';
import { readTextPattern } from '../../src/fleet/text-pattern.ts';
import { type Pairing, pythonMatches } from '../support/python-matches.ts';
import { anyMatch, anyPattern } from './any-action.ts';
import { cpuMsOf } from './fixtures.ts';

function waysOf(pattern: string): number {
  const read = readTextPattern(pattern);
  if (isProblem(read)) throw new Error(`${pattern}: ${read.problem}`);
  return patternWays(read);
}

test.each([
  ['.', '.'],
  ['^a', '^'],
  ['a$', '$'],
  ['[^a]', '[^'],
  ['[]a]', '[]'],
  ['[a', '['],
  ['[[a]', '['],
  ['[a&&b]', '&&'],
  ['[a--z]', '-'],
  ['[\\w-z]', '0-z'],
  ['[z-a]', 'z-a'],
  ['(?=a)', '?'],
  ['(?<x>a)', '?'],
  ['(a', '('],
  ['a)', ')'],
  ['\\s', '\\s'],
  ['\\1', '\\1'],
  ['\\n', '\\n'],
  ['\\', '\\'],
  ['a{,3}', '{'],
  ['a{3,2}', '{3,2}'],
  ['a+?', '?'],
  ['a++', '+'],
  ['*', '*'],
  ['é', 'é'],
  ['a\nb', '\n'],
])('%j is no pattern: %j cannot be used', (pattern, part) => {
  expect(readTextPattern(pattern)).toMatchObject({ problem: `"${part}" cannot be used here in a pattern` });
});

test.each([
  '[a-z0-9-]+(?:\\.[a-z0-9-]+)*',
  '[A-Za-z0-9._-]{1,40}',
  '\\d{1,3}(\\.\\d{1,3}){3}',
  '/srv/[a-z]+\\.log',
])('%j costs nothing', (pattern) => expect(waysOf(pattern)).toBe(1));

test.each([
  '(a+)+b',
  '(?:a|a)*b',
  '(?:a?){50}b',
  '(?:[a-z]{0,9}){0,99}x',
  '[a-z]*[a-z]*[a-z]*x',
  `${'a?'.repeat(50)}b`,
  `${'(a|a)'.repeat(50)}b`,
])('%j can take endless time', (pattern) => expect(waysOf(pattern)).toBeGreaterThan(maxPatternWays));

test('what a pattern costs is told quickly, however it is nested', () => {
  const nested = [`${'('.repeat(75)}a?${')?'.repeat(75)}`, `${'(a|'.repeat(99)}b${')'.repeat(99)}`];
  expect(cpuMsOf(() => nested.map(waysOf))).toBeLessThan(500);
});

test('a pattern that may be used takes no long time on text that almost matches', () => {
  const slowest = ['[a-z]*[a-z]*x', '(?:ab?c?|a){0,9}x', '[a-z]+-?[a-z]+-?x', '(?:[a-z]+-)*[a-z]*x'];
  const pairs = slowest.map((pattern): Pairing => [`^(?:${pattern})$`, `${'a'.repeat(199)}!`]);
  for (const pattern of slowest) expect(waysOf(pattern)).toBeLessThanOrEqual(maxPatternWays);
  expect(cpuMsOf(() => pairs.map(([pattern, text]) => new RegExp(pattern).test(text)))).toBeLessThan(500);
  expect(pythonMatches(pairs).cpuMs).toBeLessThan(2_000);
});

test('JavaScript and Python read every pattern alike, and no value holds what cannot be seen', () => {
  const pairs: Pairing[] = [];
  const allowed = anyPattern.filter(
    (pattern) => !isProblem(readTextPattern(pattern)) && waysOf(pattern) <= maxPatternWays,
  );
  const sample = allowed.chain((pattern) =>
    fc.tuple(fc.constant(pattern), anyMatch(pattern), fc.string({ unit: 'binary' })),
  );
  for (const [pattern, value, text] of fc.sample(sample, { numRuns: 300 })) {
    expect(value).toMatch(/^[ -~]*$/);
    const rule = `^(?:${pattern})$`;
    expect(value).toMatch(new RegExp(rule));
    for (const each of [value, text, `${value}\n`, `\n${value}`, value.slice(1), `${value}\u0661`]) {
      pairs.push([rule, each.slice(0, 200).toWellFormed()]);
    }
  }
  const { matches } = pythonMatches(pairs);
  expect(matches).toEqual(pairs.map(([rule, text]) => new RegExp(rule).test(text)));
  expect(matches).toContain(true);
});
