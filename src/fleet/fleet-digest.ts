import { createHash } from 'node:crypto';
import type { Fleet } from './fleet.ts';

/**
 * SHA-256, in hex, of what a fleet file means: comments, where it lies, and the order of machines and of fields
 * change nothing. Equal exactly for fleets that `compareFleets` finds equal, limits and prices included.
 */
export function fleetDigest(fleet: Fleet): string {
  const { file: _file, machines, access, suggestions, actions, ...common } = fleet;
  const meaning = {
    machines: Object.fromEntries(machines),
    access: access.map(({ line: _line, ...rule }) => rule),
    actions: Object.fromEntries(actions),
    suggestions: suggestions.map(({ line: _line, ...suggestion }) => suggestion),
    ...common,
  };
  return createHash('sha256').update(JSON.stringify(meaning, sorted)).digest('hex');
}

/** Fields in the order of their names. */
function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
