import { expect, it } from 'vitest';
import { harmlessText } from '../../src/telemetry/harmless-text.ts';

it.each([
  ['nested lists', '['.repeat(1_000)],
  ['nested objects', ' \n{"a":'.repeat(1_000)],
  ['both in turn', '[{"a":'.repeat(500)],
  ['a number', '9'.repeat(4_301)],
  ['a negative number', `\t-${'9'.repeat(4_301)}`],
  ['a number in a list', `[1, ${'9'.repeat(4_301)}]`],
])('a text that MLflow fails on is no JSON any more: %s', (_what, text) => {
  expect(harmlessText(text)).toBe(`(text) ${text}`);
});

it.each([
  '',
  '{"check":"disk","expected":{"warnUsedPercent":80}}',
  `[${'[1,2],'.repeat(700)}[]]`,
  '4'.repeat(4_000),
  `df: ${'['.repeat(2_000)}`,
  `"${'['.repeat(2_000)}"`,
])('any other text stays as it is: %s', (text) => {
  expect(harmlessText(text)).toBe(text);
});
