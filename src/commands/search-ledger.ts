import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { auditPieces } from '../fleet/audit/audit-files.ts';
import { auditRow } from '../fleet/audit/audit-row.ts';
import { concerns, type Question } from '../fleet/audit/concerns.ts';
import { type Deed, Deeds, newestFirst } from '../fleet/audit/deeds.ts';
import { readDuration } from '../fleet/duration.ts';
import { InputError } from '../fleet/errors.ts';
import { readPeriod } from '../fleet/period.ts';
import { parseSelector, selectAll, termsOf } from '../fleet/selector.ts';
import { exportedFacts } from '../queue/ledger/exported-facts.ts';
import type { SearchLine } from '../runtime/command-line.ts';
import { complain } from './complain.ts';

/** Prints what exported ledgers tell of a question, newest first. Resolves to whether all of them could be read. */
export async function searchLedger(line: SearchLine, out: Writable = process.stdout): Promise<boolean> {
  const { deeds, problems } = await readDeeds(line, Date.now());
  for (const problem of problems) complain(new InputError(problem));
  const rows = newestFirst(deeds).values().map(auditRow);
  await print(auditPieces(rows, line.format), out);
  return problems.length === 0;
}

/** The files are read twice, so that only what happened in that time, and what belongs to it, is ever in memory. */
async function readDeeds(
  { files, machines, person, since, until }: SearchLine,
  now: number,
): Promise<{ readonly deeds: readonly Deed[]; readonly problems: readonly string[] }> {
  const from = since === undefined ? 0 : periodOf('since', since, now).from;
  const to = until === undefined ? Number.POSITIVE_INFINITY : endOf(until, now);
  const question: Question = {
    person,
    ...(machines !== undefined && { machines: named(machines) }),
  };
  const deeds = new Deeds();
  const problems: string[] = [];
  for (const file of files) {
    for await (const fact of exportedFacts(file, (sentence) => problems.push(sentence))) {
      if (fact.entry.at >= from && fact.entry.at < to) deeds.add(fact);
    }
  }
  for (const file of files) {
    for await (const fact of exportedFacts(file, () => {})) deeds.complete(fact);
  }
  return { deeds: deeds.all().filter((deed) => concerns(question, deed)), problems };
}

/** `7d` is that long ago; a day or a month is meant to its end. */
function endOf(until: string, now: number): number {
  const { from, to } = periodOf('until', until, now);
  return readDuration(until) === undefined ? to : from;
}

function periodOf(flag: 'since' | 'until', text: string, now: number): { from: number; to: number } {
  const period = readPeriod(text, now);
  if (period !== undefined) return period;
  throw new InputError(
    `fleetbot ledger search: --${flag} ${text} is no time. Write 2026-11-01, 2026-11-01T10:30, 2026-11 or 7d (ago).`,
  );
}

/**
 * Machines by their names: there is no fleet file that would tell labels.
 * @throws InputError as `parseSelector`, or where it asks for more than names
 */
function named(selector: string): NonNullable<Question['machines']> {
  const matches = parseSelector(selector);
  const key = termsOf(selector).find((term) => term.key !== undefined)?.key;
  if (key !== undefined) {
    throw new InputError(
      `fleetbot ledger search knows machines by their names only, not by ${key}. Write rhel-01 or rhel-*.`,
    );
  }
  const has = (name: string): boolean => matches({ name, role: '', labels: {} });
  return { has, meets: (other) => mayMatch(other, has) };
}

/** What was typed then may have matched any machine, unless it only lists names. */
function mayMatch(selector: string, has: (name: string) => boolean): boolean {
  const terms = termsOf(selector);
  const areNames = terms.every(
    ({ key, negated, glob }) => key === undefined && !negated && glob !== selectAll && !/[*?]/.test(glob),
  );
  return !areNames || terms.some(({ glob }) => has(glob));
}

async function print(pieces: Iterable<string>, out: Writable): Promise<void> {
  try {
    await pipeline(Readable.from(pieces), out, { end: false });
  } catch (error) {
    // Whoever reads it has read enough: `| head`.
    const isClosed = error instanceof Error && 'code' in error && error.code === 'EPIPE';
    if (!isClosed) throw error;
  }
}
