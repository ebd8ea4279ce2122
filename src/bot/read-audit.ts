import { concerns, type Question } from '../fleet/audit/concerns.ts';
import { type Deed, newestFirst } from '../fleet/audit/deeds.ts';
import { type Gathered, gatherDeeds } from '../fleet/audit/gather-deeds.ts';
import { type Reader, seenBy } from '../fleet/audit/may-see.ts';
import { InputError } from '../fleet/errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Period } from '../fleet/period.ts';
import { parseSelector, selectAll, selectMachines, selectorProblem } from '../fleet/selector.ts';
import { deniedAll, deniedEverywhere } from './denied.ts';
import { inTurns } from './in-turns.ts';
import { namesOf } from './names-of.ts';
import type { Asker } from './people.ts';
import { scopeHint } from './scope-hint.ts';
import type { Services } from './services.ts';

/** What somebody wants to know. */
export interface AuditQuestion {
  readonly selector: string | undefined;
  /** Slack id. */
  readonly person: string | undefined;
  readonly period: Period;
}

/** What happened, as far as the asker may see it; the one that changed last first. */
export interface Audited extends Omit<Gathered, 'deeds'> {
  readonly deeds: readonly Deed[];
}

/**
 * Reads from the ledger what happened, for this person.
 * @throws InputError, NotAllowedError with sentences for the person
 */
export async function readAudit(
  { selector, person, period }: AuditQuestion,
  fleet: Fleet,
  asker: Asker,
  { facts, clock }: Pick<Services, 'facts' | 'clock'>,
): Promise<Audited> {
  const all = [...fleet.machines.values()];
  const { allowed, denied } = await asker.permission('view', all);
  if (allowed.length === 0) throw await deniedEverywhere('There is no machine that you may `view`.', asker);
  const visible = new Set(allowed.map(({ name }) => name));
  const seesAll = denied.length === 0;
  const reader: Reader = {
    ...{ userId: asker.userId, seesAll, matched: matchedIn(fleet) },
    // Nobody can be allowed a machine that the file no longer has.
    sees: (name) => visible.has(name) || (seesAll && !fleet.machines.has(name)),
  };
  const asked = await machinesAsked(selector, reader, fleet, asker);
  const question: Question = { person, ...(asked && { machines: asked }) };
  const gathered = await gatherDeeds(facts, period, clock());
  if (asked?.isInFleet === false && !gathered.deeds.some((deed) => concerns({ machines: asked }, deed))) {
    throw await nothingMatches(asked.selector, fleet, asker, `, today or in ${period.words}`);
  }
  const deeds: Deed[] = [];
  for await (const deed of inTurns(newestFirst(gathered.deeds))) {
    const seen = concerns(question, deed) ? seenBy(reader, deed) : undefined;
    if (seen !== undefined) deeds.push(seen);
  }
  return { ...gathered, deeds };
}

/** The names that a selector matches today; none for one that cannot be read. Each selector is looked up once. */
function matchedIn({ machines }: Fleet): Reader['matched'] {
  const known = new Map<string, readonly string[]>();
  return (selector) => {
    const names = known.get(selector) ?? namesMatching(selector, [...machines.values()]);
    known.set(selector, names);
    return names;
  };
}

function namesMatching(selector: string, machines: readonly Machine[]): readonly string[] {
  return selectorProblem(selector) === undefined ? namesOf(machines.filter(parseSelector(selector))) : [];
}

/** The machines that were asked for. */
interface Asked extends NonNullable<Question['machines']> {
  readonly selector: string;
  /** Whether the fleet file has some of them; else only the ledger may know them. */
  readonly isInFleet: boolean;
}

/** Which machines were asked for; undefined for all. */
async function machinesAsked(
  selector: string | undefined,
  reader: Reader,
  fleet: Fleet,
  asker: Asker,
): Promise<Asked | undefined> {
  if (selector === undefined || selector.toLowerCase() === selectAll) return undefined;
  const matched = selectMachines(fleet, selector);
  const matches = parseSelector(selector);
  const has = (name: string): boolean => {
    const machine = fleet.machines.get(name) ?? { name, role: '', labels: {} };
    return reader.sees(name) && matches(machine);
  };
  if (matched.length > 0 && !matched.some(({ name }) => has(name))) {
    const { denied } = await asker.permission('view', matched);
    throw await deniedAll({ verb: 'view', selector, denied }, fleet, asker);
  }
  if (matched.length === 0 && !reader.seesAll) throw await nothingMatches(selector, fleet, asker);
  const meets = (other: string): boolean => reader.matched(other).some(has);
  return { selector, isInFleet: matched.length > 0, has, meets };
}

/** @param where else it was looked for */
async function nothingMatches(selector: string, fleet: Fleet, asker: Asker, where = ''): Promise<InputError> {
  const hint = await scopeHint(selector, fleet, asker);
  return new InputError(`No machine matches \`${selector}\`${where}.${hint}`);
}
