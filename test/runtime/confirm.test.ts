import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { confirm } from '../../src/runtime/confirm.ts';

it.each([
  ['y\n', true],
  ['YES\n', true],
  ['\n', false],
  ['no\n', false],
  ['yesterday\n', false],
  ['', false],
])('%j is %s', async (typed, expected) => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  input.end(typed);
  expect(await confirm('Really?', { input, output })).toBe(expected);
  expect(String(output.read())).toBe('Really? [y/N] ');
});
