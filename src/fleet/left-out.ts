import type { LeftOut } from './campaign.ts';
import type { LimitError } from './errors.ts';
import { formatMoment } from './format.ts';
import type { Halt } from './halt.ts';
import type { Machine } from './machine.ts';

/** Machines that are over a limit, and that limit's sentence. */
export interface OverLimit {
  readonly machines: readonly Machine[];
  readonly why: string;
}

/** Why machines get no run, as a campaign keeps it. The same words for all of them, so that they can be told together. */
const each = (machines: readonly Machine[], why: string): readonly LeftOut[] =>
  machines.map(({ name }) => ({ machine: name, why }));

export function leftOutByHalts(halted: ReadonlyMap<Halt, readonly Machine[]>): readonly LeftOut[] {
  return [...halted].flatMap(([{ id, at, reason }, machines]) =>
    each(machines, `halted since ${formatMoment(at)}: ${reason} (${id})`),
  );
}

export function leftOutByLimits(overLimit: readonly OverLimit[]): readonly LeftOut[] {
  return overLimit.flatMap(({ machines, why }) => each(machines, why));
}

/**
 * Where no machine keeps its limits: those that were found so before, and those of the last error. Undefined where some
 * would keep them: others were faster, and it can be tried again.
 */
export function allOverLimits(
  machines: readonly Machine[],
  overLimit: readonly OverLimit[],
  { machines: over, message }: LimitError,
): readonly LeftOut[] | undefined {
  const leftOut = [
    ...leftOutByLimits(overLimit),
    ...each(
      machines.filter(({ name }) => over.includes(name)),
      message,
    ),
  ];
  return leftOut.length === machines.length ? leftOut : undefined;
}

export function leftOutWithoutCheck(machines: readonly Machine[], check: string): readonly LeftOut[] {
  return each(machines, `the fleet file does not list the check ${check} for it`);
}

export function leftOutOfFleet(names: readonly string[]): readonly LeftOut[] {
  return names.map((machine) => ({ machine, why: 'no longer in the fleet file' }));
}
