import type { LoadedMachine } from './check-meaning.ts';
import type { LocatedProblem } from './describe-issue.ts';
import type { Path } from './read-yaml.ts';
import { selectAll, selectorProblem, termsOf } from './selector.ts';
import { suggest } from './suggest.ts';

/**
 * Reports selectors that cannot be read, or name a machine or a label that is nowhere in the file. That is a typo: the
 * selector matches nothing, or, behind `!`, more than was meant. Patterns and roles may match nothing.
 * @param list where in the file the list of the rows stands
 * @param field the row's field that holds the selector
 */
export function checkSelectors(
  list: Path,
  rows: readonly { readonly index: number; readonly readable: Readonly<Record<string, unknown>> }[],
  loaded: readonly LoadedMachine[],
  report: (problem: LocatedProblem) => void,
  field = 'machines',
): void {
  const selectorIn = (readable: Readonly<Record<string, unknown>>): string | undefined => {
    const selector = readable[field];
    return typeof selector === 'string' ? selector : undefined;
  };
  for (const { index, readable } of rows) {
    const selector = selectorIn(readable);
    const found = selector === undefined ? undefined : selectorProblem(selector);
    if (found !== undefined) report({ path: [...list, index, field], ...found });
  }
  if (loaded.length === 0) return;
  const isUnread = (part: string): boolean => loaded.some(({ unread }) => unread.has(part));
  const labelsUnread = isUnread('labels');
  const namesUnread = isUnread('name');
  const labels = new Set(['role', ...loaded.flatMap(({ draft }) => Object.keys(draft.labels))]);
  const names = new Set([selectAll, ...loaded.flatMap(({ draft }) => draft.name ?? [])]);
  for (const { index, readable } of rows) {
    const selector = selectorIn(readable) ?? '';
    const reportUnknown = (word: string, known: Iterable<string>, problem: string, other: string): void => {
      const meant = suggest(word, known);
      const cure = meant === undefined ? other : `Did you mean "${meant}"?`;
      report({ path: [...list, index, field], problem, cure });
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
