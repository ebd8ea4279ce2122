import type { LoadedMachine } from './check-meaning.ts';
import type { LocatedProblem } from './describe-issue.ts';
import { selectAll, termsOf } from './selector.ts';
import { suggest } from './suggest.ts';

/**
 * Reports rows of the access table that name a machine or a label that is nowhere in the file. It is a typo:
 * the row gives nothing, or, behind `!`, more than was meant. Patterns and roles may match nothing.
 */
export function checkAccess(
  rows: readonly { readonly index: number; readonly readable: Readonly<Record<string, unknown>> }[],
  loaded: readonly LoadedMachine[],
  report: (problem: LocatedProblem) => void,
): void {
  if (loaded.length === 0) return;
  const isUnread = (key: string): boolean => loaded.some(({ unread }) => unread.has(key));
  const labelsUnread = isUnread('labels');
  const namesUnread = isUnread('name');
  const keys = new Set(['role', ...loaded.flatMap(({ draft }) => Object.keys(draft.labels))]);
  const names = new Set([selectAll, ...loaded.flatMap(({ draft }) => draft.name ?? [])]);
  for (const { index, readable } of rows) {
    const selector = typeof readable.machines === 'string' ? readable.machines : '';
    const reportUnknown = (word: string, known: Iterable<string>, problem: string, other: string): void => {
      const meant = suggest(word, known);
      const cure = meant === undefined ? other : `Did you mean "${meant}"?`;
      report({ path: ['access', index, 'machines'], problem, cure });
    };
    for (const { key, glob } of termsOf(selector)) {
      if (key !== undefined && !keys.has(key) && !labelsUnread) {
        const problem = `names the label "${key}", which no machine has`;
        reportUnknown(key, keys, problem, 'Remove that part, or label the machines');
      }
      if (key === undefined && !/[*?]/.test(glob) && !names.has(glob) && !namesUnread) {
        const problem = `names the machine "${glob}", which is not in this file`;
        reportUnknown(glob, names, problem, 'Remove that part, or add the machine');
      }
    }
  }
}
