import { InputError } from '../../fleet/errors.ts';
import { parseWaves, type WaveSize } from '../../fleet/waves.ts';

/** What follows `check` and `ask` in their usage. */
export const waveUsage = '[--wave 1,10%,rest] [--at-once N]';

/** How the machines of a command are taken. */
export interface WaveFlags {
  readonly waves?: readonly WaveSize[];
  readonly atOnce?: number;
}

const flags = ['--wave', '--at-once'] as const;
type Flag = (typeof flags)[number];
const examples: Record<Flag, string> = { '--wave': '--wave 1,10%,rest', '--at-once': '--at-once 10' };
const atOnceMax = 10_000;

/** A question in quotes, and nothing outside of them. */
const quoted = /^"([^"]*)"$/;

/** The text without one pair of quotes around the whole of it. */
export function unquote(text: string): string {
  return (quoted.exec(text)?.[1] ?? text).trim();
}

/**
 * Takes the flags from both ends of the words: one in the middle of a question, or in quotes, is a word of the
 * question.
 * @throws InputError that says what to write instead
 */
export function takeWaveFlags(all: readonly string[]): {
  readonly words: readonly string[];
  readonly flags: WaveFlags;
} {
  let words = [...all];
  const values = new Map<Flag, string>();
  while (!quoted.test(words.join(' '))) {
    const first = flagAt(words, 0) ?? flagAt(words, words.length - 1) ?? flagAt(words, words.length - 2);
    if (first === undefined) break;
    const { flag, value, at, length } = first;
    if (value === undefined || value === '') {
      throw new InputError(`\`${flag}\` needs a value. Write for example \`${examples[flag]}\`.`);
    }
    if (values.has(flag)) throw new InputError(`\`${flag}\` is there twice.`);
    values.set(flag, value);
    words = words.toSpliced(at, length);
  }
  const wave = values.get('--wave');
  const atOnce = values.get('--at-once');
  return {
    words,
    flags: {
      ...(wave !== undefined && { waves: parseWaves(wave) }),
      ...(atOnce !== undefined && { atOnce: readAtOnce(atOnce) }),
    },
  };
}

/** `--wave 1,rest` or `--wave=1,rest` at this place. */
function flagAt(
  words: readonly string[],
  at: number,
): { flag: Flag; value: string | undefined; at: number; length: number } | undefined {
  const [name, ...values] = (words[at] ?? '').split('=');
  const flag = flags.find((each) => each === name?.toLowerCase());
  if (flag === undefined) return undefined;
  if (values.length > 0) return { flag, value: values.join('='), at, length: 1 };
  return { flag, value: words[at + 1], at, length: 2 };
}

function readAtOnce(text: string): number {
  const count = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > atOnceMax) {
    throw new InputError(
      `\`${text}\` is not how many machines may be at work at once: a number from 1 to ${atOnceMax}.`,
    );
  }
  return count;
}
