import type { Verdict } from '../../fleet/finding.ts';

/** Cells of the strip of a campaign with at least so many machines; one with fewer has a cell for each. */
const stripCells = 20;

/** A square for each verdict, and for what has none. */
export const verdictSquares = {
  critical: ':large_red_square:',
  failed: ':large_brown_square:',
  warning: ':large_orange_square:',
  inconclusive: ':large_purple_square:',
  cancelled: ':black_large_square:',
  ok: ':large_green_square:',
  answered: ':large_blue_square:',
  /** At work, waiting, or not begun when somebody ended the campaign. */
  open: ':white_large_square:',
} as const satisfies Record<Verdict | 'open', string>;
const order: readonly (keyof typeof verdictSquares)[] = [
  ...(['critical', 'failed', 'warning', 'inconclusive', 'cancelled', 'ok', 'answered', 'open'] as const),
];

/** The machines of a campaign by verdict as a row of squares. What there is has a cell, however rare it is. */
export function campaignStrip(counts: ReadonlyMap<Verdict | 'open', number>): string {
  const kinds = order.flatMap((kind) => {
    const count = counts.get(kind) ?? 0;
    return count > 0 ? [{ kind, count }] : [];
  });
  const machines = kinds.reduce((sum, { count }) => sum + count, 0);
  const cells = Math.min(stripCells, machines);
  const shares = kinds.map(({ kind, count }) => ({
    kind,
    cells: Math.max(1, Math.floor((count * cells) / machines)),
  }));
  // What rounding leaves or takes too much goes to the longest.
  const longest = shares.reduce((most, each) => Math.max(most, each.cells), 0);
  const rest = cells - shares.reduce((sum, each) => sum + each.cells, 0);
  let given = false;
  return shares
    .map(({ kind, cells: own }) => {
      const gets = !given && own === longest;
      given ||= gets;
      return verdictSquares[kind].repeat(gets ? Math.max(1, own + rest) : own);
    })
    .join('');
}
