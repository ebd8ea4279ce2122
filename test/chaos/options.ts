import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

/** What one run of the chaos suite is told. */
export interface ChaosOptions {
  readonly seed: number;
  /** Machines that are asked something, counted once for each request. */
  readonly requests: number;
  /** Random kills and freezes; those at every transition come on top. */
  readonly kills: number;
}

export const usage = `Usage: npm run chaos -- [--seed N] [--requests N] [--kills N]
  --seed N      repeats a run as far as a seed can decide it (default: a new one, printed)
  --requests N  requests to machines (default: 500)
  --kills N     random kills and freezes; those at every transition come on top (default: 10)
`;

const seeds = 2 ** 31;
const wholeNumber = /^\d{1,9}$/;

/** @throws TypeError with a sentence for whoever typed it */
export function readOptions(args: readonly string[]): ChaosOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { seed: { type: 'string' }, requests: { type: 'string' }, kills: { type: 'string' } },
  });
  const number = (name: keyof typeof values, otherwise: number): number => {
    const text = values[name];
    if (text === undefined) return otherwise;
    if (!wholeNumber.test(text)) throw new TypeError(`--${name} must be a whole number; it is "${text}".`);
    return Number(text);
  };
  const requests = number('requests', 500);
  if (requests === 0) throw new TypeError('--requests must be at least 1.');
  return { seed: number('seed', randomInt(seeds)), requests, kills: number('kills', 10) };
}
