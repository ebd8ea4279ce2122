import { type SpendingRow, type Spent, sumOf } from './spending.ts';

/** What is added up. */
const dimensions = ['machine', 'spender', 'model', 'time'] as const;
export type Dimension = (typeof dimensions)[number];

/** What was spent on one machine, by one person, on one model, or on one day. */
export interface CostLine {
  /** undefined for a model whose name is not known. */
  readonly name: string | undefined;
  readonly spent: Spent;
}

/** What was spent, by one thing: most first (days: newest first). */
export interface CostPart {
  readonly lines: readonly CostLine[];
  /** All that stands in no line of its own. */
  readonly rest: { readonly count: number; readonly spent: Spent } | undefined;
}

/** What was spent, all together and by each thing. */
export type CostReport = { readonly [by in Dimension]: CostPart } & {
  readonly total: Spent;
  /** The models that have no price, most used first. */
  readonly unpriced: readonly CostLine[];
};

/** Adds rows up as they are read, so that they need not all be held. */
export class CostSums {
  readonly #sums: { readonly [by in Dimension]: Map<string | undefined, Spent> } = {
    machine: new Map(),
    spender: new Map(),
    model: new Map(),
    time: new Map(),
  };

  add(rows: readonly SpendingRow[]): void {
    for (const by of dimensions) {
      const sums = this.#sums[by];
      for (const [name, those] of Map.groupBy(rows, (row) => row[by])) {
        const before = sums.get(name);
        sums.set(name, sumOf(before === undefined ? those : [before, ...those]));
      }
    }
  }

  /** @param top how many lines each part has; the rest is summed up */
  report(top: Readonly<Record<Dimension, number>>): CostReport {
    const linesOf = (by: Dimension): CostLine[] =>
      [...this.#sums[by]].map(([name, spent]) => ({ name, spent }));
    const part = (by: Dimension): CostPart => {
      const sorted = linesOf(by).toSorted(by === 'time' ? newestFirst : mostFirst);
      const rest = sorted.slice(top[by]);
      return {
        lines: sorted.slice(0, top[by]),
        rest:
          rest.length === 0
            ? undefined
            : { count: rest.length, spent: sumOf(rest.map(({ spent }) => spent)) },
      };
    };
    return {
      unpriced: linesOf('model')
        .filter(({ spent }) => spent.unpriced > 0)
        .toSorted((a, b) => b.spent.unpriced - a.spent.unpriced),
      total: sumOf([...this.#sums.time.values()]),
      ...{ machine: part('machine'), spender: part('spender'), model: part('model'), time: part('time') },
    };
  }
}

function newestFirst(a: CostLine, b: CostLine): number {
  return (b.name ?? '').localeCompare(a.name ?? '');
}

/** By what they cost; where that is the same, or not known, by tokens. */
function mostFirst({ spent: a }: CostLine, { spent: b }: CostLine): number {
  return b.microUsd - a.microUsd || tokensOf(b) - tokensOf(a) || b.activations - a.activations;
}

function tokensOf({ inputTokens, outputTokens }: Spent): number {
  return inputTokens + outputTokens;
}
