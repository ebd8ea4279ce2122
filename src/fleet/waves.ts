import { InputError } from './errors.ts';

/** How many machines one wave takes: a number, a share of all of them, or what is left. */
export type WaveSize = { readonly machines: number } | { readonly percent: number } | 'rest';

/** More waves than this nobody watches. */
const wavesMax = 20;
const example = 'Write for example `1,10%,rest`.';

/**
 * Reads what a person typed: `1,10%,rest`. What is left after the last one is a wave of its own.
 * @throws InputError that says what to write instead
 */
export function parseWaves(text: string): readonly WaveSize[] {
  const words = text.toLowerCase().split(',');
  if (words.length > wavesMax) throw new InputError(`More than ${wavesMax} waves. ${example}`);
  return words.map((word, index) => {
    if (word === '') throw new InputError(`Write the waves without blanks. ${example}`);
    if (word === 'rest') {
      if (index < words.length - 1)
        throw new InputError(`After the wave \`rest\` no machine is left. ${example}`);
      return word;
    }
    const [, digits = '', percent = ''] = /^(\d{1,6})(%?)$/.exec(word) ?? [];
    const size = Number(digits);
    if (size === 0) {
      throw new InputError(
        `\`${word}\` is no wave: a number of machines, a share (10%) or \`rest\`. ${example}`,
      );
    }
    if (percent === '') return { machines: size };
    if (size > 100) throw new InputError(`\`${word}\` is more than all machines. ${example}`);
    return { percent: size };
  });
}

/**
 * How many machines are taken up to the end of each wave. A share is one of all machines, rounded up; a wave for
 * which no machine is left is none.
 */
export function waveEnds(sizes: readonly WaveSize[], machines: number): readonly number[] {
  const ends: number[] = [];
  for (const size of [...sizes, 'rest' as const]) {
    const before = ends.at(-1) ?? 0;
    if (before === machines) break;
    ends.push(size === 'rest' ? machines : Math.min(machines, before + countOf(size, machines)));
  }
  return ends;
}

function countOf(size: Exclude<WaveSize, 'rest'>, machines: number): number {
  return 'machines' in size ? size.machines : Math.ceil((size.percent * machines) / 100);
}
