import type { LoadedMachine } from './check-meaning.ts';
import type { LocatedProblem } from './describe-issue.ts';
import { selectAll, termsOf } from './selector.ts';
import { suggest } from './suggest.ts';

/**
 * Reports selectors that name a machine or a label that is nowhere in the file. It is a typo: the selector matches
 * nothing, or, behind `!`, more than was meant. Patterns and roles may match nothing.
 * @param key the list in which the rows stand
 */
export function checkSelectors(
  key: 'access' | 'suggestions',
  rows: readonly { readonly index: number; readonly readable: Readonly<Record<string, unknown>> }[],
  loaded: readonly LoadedMachine[],
  report: (problem: LocatedProblem) => void,
): void {
  if (loaded.length === 0) return;
  const isUnread = (part: string): boolean => loaded.some(({ unread }) => unread.has(part));
  const labelsUnread = isUnread('labels');
  const namesUnread = isUnread('name');
  const labels = new Set(['role', ...loaded.flatMap(({ draft }) => Object.keys(draft.labels))]);
  const names = new Set([selectAll, ...loaded.flatMap(({ draft }) => draft.name ?? [])]);
  for (const { index, readable } of rows) {
    const selector = typeof readable.machines === 'string' ? readable.machines : '';
    const reportUnknown = (word: string, known: Iterable<string>, problem: string, other: string): void => {
      const meant = suggest(word, known);
      const cure = meant === undefined ? other : `Did you mean "${meant}"?`;
      report({ path: [key, index, 'machines'], problem, cure });
    };
    for (const { key: label, glob } of termsOf(selector)) {
      if (label !== undefined && !labels.has(label) && !labelsUnread) {
        const problem = `names the label "${label}", which no machine has`;
        reportUnknown(label, labels, problem, 'Remove that part, or label the machines');
      }
      if (label === undefined && !/[*?]/.test(glob) && !names.has(glob) && !namesUnread) {
        const problem = `names the machine "${glob}", which is not in this file`;
        reportUnknown(glob, names, problem, 'Remove that part, or add the machine');
      }
    }
  }
}
