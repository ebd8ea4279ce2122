import { formatMoment } from '../../fleet/format.ts';
import type { Halt } from '../../fleet/halt.ts';
import type { Machine } from '../../fleet/machine.ts';
import { listed } from '../names-of.ts';
import { codeSpan, mention, notice, prose } from './safe-text.ts';

const reasonChars = 300;
const machinesChars = 900;

/** A halt in safe words: who, when, why. */
export function haltWords({ id, by, at, reason }: Halt): string {
  return `halted by ${mention(by.userId)} since ${formatMoment(at)}: ${prose(reason, reasonChars)} (${codeSpan(id, 64)})`;
}

/** Machines that do nothing because of the halt, and how to change that, in safe words. */
export function haltedLine(halt: Halt, machines: readonly Machine[]): string {
  const how = machines.length === 1 ? machines[0]?.name : halt.id;
  const verb = machines.length === 1 ? 'is' : 'are';
  const names = notice(listed(machines), machinesChars);
  return `${names} ${verb} ${haltWords(halt)}. ${codeSpan(`/fleet resume ${how}`, 100)} lifts that, for those who may.`;
}

/** Machines of a campaign that wait for their turn and are halted: a line for each halt. */
export function queuedButHaltedLines(halted: ReadonlyMap<Halt, readonly Machine[]>): readonly string[] {
  return [...halted].map(([halt, machines]) => `:octagonal_sign: queued, but ${haltedLine(halt, machines)}`);
}
