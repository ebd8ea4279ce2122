import { expect, test } from 'vitest';
import { InputError } from '../../src/fleet/errors.ts';
import { readCommandLine } from '../../src/runtime/command-line.ts';

test('help is given wherever it is asked for', () => {
  for (const args of [['help'], ['-h'], ['start', '--help'], ['validate', 'fleet.yaml', '-h']]) {
    expect(readCommandLine(args)).toEqual({ command: 'help' });
  }
});

test('validate takes several files', () => {
  expect(readCommandLine(['validate', 'a', 'b'])).toEqual({ command: 'validate', files: ['a', 'b'] });
});

test.each([
  [[], 'needs to be told what to do'],
  [['strat'], 'does not know "strat". Did you mean start?'],
  [['elephant'], 'does not know "elephant".'],
  [['start', 'a', 'b'], 'start takes nothing after it, but there is "a b"'],
  [['--version', 'a'], '--version takes nothing after it'],
  [['validate'], 'needs the path of a fleet file'],
  [['validate', '--strict', 'a'], 'has no option --strict'],
])('%j is refused, and it is said why', (args, why) => {
  expect(() => readCommandLine(args)).toThrow(InputError);
  expect(() => readCommandLine(args)).toThrow(why);
});
