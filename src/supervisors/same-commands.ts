import type { CommandOutput } from '../fleet/evidence.ts';

/** Whether a machine ran exactly the commands that were asked for, in their order. */
export function sameCommands(
  expected: readonly (readonly string[])[],
  outputs: readonly CommandOutput[],
): boolean {
  return JSON.stringify(expected) === JSON.stringify(outputs.map(({ argv }) => argv));
}
