import { isDeepStrictEqual } from 'node:util';
import { type DriftPart, driftOf, driftParts, expectedOn } from '../../fleet/drift.ts';
import type { Machine } from '../../fleet/machine.ts';
import type { MachineStatus } from '../ports.ts';
import type { Term } from './term.ts';

/** More than any version, digest or image's name; a machine may say anything. */
const foundMaxCharacters = 300;

/**
 * Keeps in what the machine differs from what should be installed on it. Writes only what has changed: thousands of
 * machines are visited again and again. Of a machine that does not tell, nothing is assumed.
 */
export async function noteDrift(
  term: Term,
  machine: Machine,
  { installed }: Pick<MachineStatus, 'installed'>,
): Promise<void> {
  if (installed === undefined) return;
  const { store, drift, redact, clock, signal, log } = term;
  const { name } = machine;
  const parts = driftOf(expectedOnce(term, machine), installed).map(({ found, ...rest }) => ({
    ...rest,
    found: found === null ? null : redact(found).slice(0, foundMaxCharacters),
  }));
  const before = drift.get(name);
  if (isDeepStrictEqual(parts, before?.parts ?? [])) return;
  signal.throwIfAborted();
  const note = parts.length === 0 ? undefined : { since: before?.since ?? clock(), parts };
  await store.setDrift(name, note);
  if (note) drift.set(name, note);
  else drift.delete(name);
  const said = note ? 'another one is installed than should be' : 'what is installed is what should be';
  log.info({ machine: name, drift: parts }, said);
}

/** How many machines have drifted, by part. */
export function countDrift({ drift }: Term): ReadonlyMap<DriftPart, number> {
  const parts = [...drift.values()].flatMap((note) => note.parts.map(({ part }) => part));
  return new Map(driftParts.map((part) => [part, parts.filter((each) => each === part).length]));
}

/** A machine's record is another one once the fleet file has changed. */
function expectedOnce({ expected, fleet }: Term, machine: Machine) {
  const known = expected.get(machine) ?? expectedOn(machine, fleet().actions);
  expected.set(machine, known);
  return known;
}
