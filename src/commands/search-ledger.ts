import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { auditPieces } from '../fleet/audit/audit-files.ts';
import { auditRow } from '../fleet/audit/audit-row.ts';
import { concerns, type Question } from '../fleet/audit/concerns.ts';
import { type Deed, Deeds, newestFirst } from '../fleet/audit/deeds.ts';
import { machinesIn } from '../fleet/audit/machines-in.ts';
import { readDuration } from '../fleet/duration.ts';
import { InputError } from '../fleet/errors.ts';
import { readPeriod } from '../fleet/period.ts';
import { parseSelector, selectAll, termsOf } from '../fleet/selector.ts';
import { suggest } from '../fleet/suggest.ts';
import { exportedFacts } from '../queue/ledger/exported-facts.ts';
import { MissingEntries } from '../queue/ledger/missing-entries.ts';
import type { SearchLine } from '../runtime/command-line.ts';
import { complain } from './complain.ts';

const slackIdPattern = /^[UW][A-Z0-9]{2,}$/;

/**
 * Prints what exported ledgers tell of a question, newest first; on stderr what they lack, and that they tell nothing.
 * Resolves to whether all of them could be read and no entry is missing.
 * @throws InputError for a question that cannot be meant
 */
export async function searchLedger(line: SearchLine, out: Writable = process.stdout): Promise<boolean> {
  const { deeds, problems, machines } = await readDeeds(line, Date.now());
  for (const problem of problems) complain(new InputError(problem));
  if (deeds.length === 0) complain(new InputError('Nothing was found.'));
  const unknown = line.machines === undefined ? undefined : noMachine(line.machines, machines);
  if (unknown !== undefined) complain(new InputError(unknown));
  const rows = newestFirst(deeds).values().map(auditRow);
  await print(auditPieces(rows, line.format), out);
  return problems.length === 0;
}

interface Found {
  readonly deeds: readonly Deed[];
  /** Sentences about lines that cannot be read and entries that are missing. */
  readonly problems: readonly string[];
  /** The names of all machines of which the files tell. */
  readonly machines: ReadonlySet<string>;
}

/** The files are read twice, so that only what happened in that time, and what belongs to it, is ever in memory. */
async function readDeeds({ files, machines, person, since, until }: SearchLine, now: number): Promise<Found> {
  const from = since === undefined ? 0 : periodOf('since', since, now).from;
  const to = until === undefined ? Number.POSITIVE_INFINITY : endOf(until, now);
  const question: Question = {
    person: person === undefined ? undefined : slackId(person),
    ...(machines !== undefined && { machines: named(machines) }),
  };
  const deeds = new Deeds();
  const problems: string[] = [];
  const missing = new MissingEntries();
  const known = new Set<string>();
  for (const file of files) {
    for await (const fact of exportedFacts(file, missing, (sentence) => problems.push(sentence))) {
      for (const machine of machinesIn(fact)) known.add(machine);
      if (fact.entry.at >= from && fact.entry.at < to) deeds.add(fact);
    }
  }
  for (const file of files) {
    for await (const fact of exportedFacts(file, new MissingEntries(), () => {})) deeds.complete(fact);
  }
  problems.push(...missing.betweenFiles());
  return { deeds: deeds.all().filter((deed) => concerns(question, deed)), problems, machines: known };
}

/** That none of the machines matches; undefined where one does. Halts and the like may have meant it even so. */
function noMachine(selector: string, machines: ReadonlySet<string>): string | undefined {
  if ([...machines].some(named(selector).has)) return undefined;
  const meant = suggest(selector, machines);
  const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
  return `These files tell of no request to a machine that matches ${selector}.${hint}`;
}

/** @throws InputError where it is none: the ledger knows no names of people */
function slackId(person: string): string {
  if (slackIdPattern.test(person)) return person;
  throw new InputError(
    `fleetbot ledger search: --person ${person} is no Slack id. Write it as U0ALEX; Slack shows it in the person's profile, under "Copy member ID".`,
  );
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
