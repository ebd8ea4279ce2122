import { type DriftNote, mendingOf } from '../../fleet/drift.ts';
import { formatMoment } from '../../fleet/format.ts';
import { codeSpan } from './safe-text.ts';

/** Longer than any image's name with its digest that people use. */
const nameChars = 200;

/** For each part of the machine that is not the one that should be installed: what it is, and what mends it. */
export function driftLines(machine: string, drift: DriftNote | undefined): readonly string[] {
  if (drift === undefined) return [];
  const since = formatMoment(drift.since);
  return drift.parts.map((part) => {
    const mending = mendingOf(machine, part).map((each) =>
      typeof each === 'string' ? each : codeSpan(each.command, nameChars),
    );
    const found = part.found === null ? 'not known' : codeSpan(part.found, nameChars);
    return `:wrench: *DRIFT* since ${since}: its ${part.part} is ${found} and should be ${codeSpan(part.expected, nameChars)}. ${mending.join(' ')}`;
  });
}
