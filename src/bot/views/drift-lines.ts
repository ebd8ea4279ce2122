import type { Drift, DriftNote } from '../../fleet/drift.ts';
import { codeSpan } from './safe-text.ts';
import { moment } from './words.ts';

/** Longer than any image's name with its digest that people use. */
const nameChars = 200;

/** For each part of the machine that is not the one that should be installed: what it is, and what mends it. */
export function driftLines(machine: string, drift: DriftNote | undefined): readonly string[] {
  if (drift === undefined) return [];
  const since = moment(drift.since);
  return drift.parts.map((part) => {
    const found = part.found === null ? 'not known' : codeSpan(part.found, nameChars);
    return `:wrench: *DRIFT* since ${since}: its ${part.part} is ${found} and should be ${codeSpan(part.expected, nameChars)}. ${cureOf(machine, part)}`;
  });
}

function cureOf(machine: string, { part, expected }: Drift): string {
  if (part === 'policy') {
    const made = codeSpan(`fleetbot edge policy ${machine} > policy.json`, nameChars);
    return `Make the new one with ${made} and install it on the machine: ${codeSpan('setup-edge.sh --policy /root/policy.json', nameChars)}`;
  }
  if (part === 'agent image') {
    return `Install it on the machine: ${codeSpan(`setup-edge.sh --image ${expected}`, nameChars)}`;
  }
  return `Install it on the machine, from the kit of version ${codeSpan(expected, nameChars)}: ${codeSpan('setup-edge.sh', nameChars)}`;
}
