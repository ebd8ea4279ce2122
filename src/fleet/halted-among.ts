import { type Halt, holder } from './halt.ts';
import type { Machine } from './machine.ts';

/** The machines that are halted, by the oldest halt that holds for them. */
export function haltedAmong(
  machines: readonly Machine[],
  halts: readonly Halt[],
): ReadonlyMap<Halt, readonly Machine[]> {
  const holders = halts.map((halt) => ({ halt, holds: holder(halt) }));
  const halted = new Map<Halt, Machine[]>();
  for (const machine of machines) {
    const halt = holders.find(({ holds }) => holds(machine))?.halt;
    if (halt === undefined) continue;
    const those = halted.get(halt) ?? [];
    those.push(machine);
    halted.set(halt, those);
  }
  return halted;
}

/** Whether there is a machine, and each is halted. */
export function allHalted(machines: readonly Machine[], halts: readonly Halt[]): boolean {
  const halted = [...haltedAmong(machines, halts).values()].flat();
  return machines.length > 0 && halted.length === machines.length;
}
