import { suggest } from './suggest.ts';

/** That there is no check or action of this name; undefined where there is. */
export function unknownName(
  kind: 'check' | 'action',
  name: string,
  known: readonly string[],
): { problem: string; cure: string } | undefined {
  if (known.includes(name)) return undefined;
  const meant = suggest(name, known);
  const all = known.length === 0 ? 'There is none in this file yet' : `There are: ${known.join(', ')}`;
  const cure = meant === undefined ? all : `Did you mean "${meant}"?`;
  return { problem: `there is no ${kind} "${name}"`, cure };
}
