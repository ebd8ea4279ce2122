import type { AlertRules } from './alert-rules.ts';
import {
  askedAgainKept,
  type Incident,
  type Investigation,
  machinesNoted,
  type Target,
  targetWord,
} from './incident.ts';

const minuteMs = 60_000;
const secondMs = 1_000;

/** A target for which alerts fire. */
export interface FiringTarget extends Target {
  /** How many. */
  readonly firing: number;
  /** Since when any does. */
  readonly since: number;
  /** It was looked at so short a while ago that alerts lead to no other run now. */
  readonly cooling: boolean;
}

type Rules = Pick<AlertRules, 'debounceSeconds' | 'groupMinutes' | 'machinesPerIncident'>;

/** An incident as it goes on. */
export interface NextIncident {
  /** With a round under way, where machines are to be handed in; closed, where it is over. */
  readonly incident: Incident;
  /** When it is to be looked at again, unless more alerts come before. */
  readonly dueAt: number;
}

/** When an incident that takes alerts now is to be looked at: by then their likes and their ends have come too. */
export function lookAt(at: number, { debounceSeconds }: Rules): number {
  return at + debounceSeconds * secondMs;
}

/**
 * Whether it heard nothing for so long that what comes now does not belong to it. While a silence holds machines back
 * it is heard of: what fires there is looked at when that ends.
 */
export function isStale(incident: Incident, rules: Rules, now: number): boolean {
  return now >= staleAt(incident, rules);
}

function staleAt({ lastAt, investigations }: Incident, { groupMinutes }: Rules): number {
  return Math.max(lastAt, ...investigations.map(({ until = 0 }) => until)) + groupMinutes * minuteMs;
}

/**
 * What is to be done about an open incident now. Each target is looked at once each time that it begins to fire, when
 * it has fired for as long as alerts are gathered: those first for which most alerts fire, before those in their
 * cool-down, one check after the other, up to as many machines as an incident may look at; those that are held back
 * are none of them. One with a round under way stays as it is.
 */
export function planIncident(
  incident: Incident,
  targets: readonly FiringTarget[],
  rules: Rules,
  now: number,
): NextIncident {
  if (incident.underWay !== undefined) return { incident, dueAt: now };
  const byAlerts = incident.investigations.filter(({ by }) => by === undefined);
  const lookedAt = new Map(byAlerts.map((each) => [targetWord(each), each.at]));
  const waiting = targets
    .filter((target) => target.firing > 0 && (lookedAt.get(targetWord(target)) ?? -1) < target.since)
    .toSorted(firstFirst);
  const passingOver = (some: readonly FiringTarget[]): Incident => {
    const machines = machinesOf(some.filter(({ cooling }) => !cooling));
    return { ...incident, notInvestigated: Math.max(incident.notInvestigated, machines.size) };
  };

  const endsAt = incident.counts.firing === 0 ? lookAt(incident.lastAt, rules) : staleAt(incident, rules);
  if (now >= endsAt) {
    return { incident: { ...passingOver(waiting), closedAt: now }, dueAt: now };
  }

  const ready = waiting.filter(({ since }) => lookAt(since, rules) <= now);
  const noted = machinesOf(byAlerts);
  const taken = machinesOf(byAlerts.filter(({ run }) => run !== undefined));
  const more = machinesOf(ready).difference(taken);
  const unnoted = [...more.difference(noted)].slice(0, Math.max(0, machinesNoted - noted.size));
  const room = Math.max(0, rules.machinesPerIncident - taken.size);
  const allowed = taken.union(new Set([...more.intersection(noted), ...unnoted].slice(0, room)));
  const lookable = ready.filter(({ machine }) => allowed.has(machine));
  const check = lookable[0]?.check;
  if (check === undefined) {
    const later = waiting.map(({ since }) => lookAt(since, rules)).filter((at) => at > now);
    return { incident: passingOver(ready), dueAt: Math.min(endsAt, ...later) };
  }
  const machines = lookable.filter((target) => target.check === check).map(({ machine }) => machine);
  return {
    incident: { ...incident, rounds: incident.rounds + 1, underWay: { check, machines } },
    dueAt: now,
  };
}

/** The incident after its round, with what became of the machines; those that are not noted are looked at later. */
export function endRound(
  { underWay: _over, ...incident }: Incident,
  noted: readonly Investigation[],
): Incident {
  return noteInvestigations(incident, noted);
}

/**
 * The incident with what became of looking at machines, in the order in which it did: of what alerts led to, the last
 * of each target; of what people asked for, the newest.
 */
export function noteInvestigations(incident: Incident, noted: readonly Investigation[]): Incident {
  const again = new Set(noted.filter(({ by }) => by === undefined).map(targetWord));
  const before = incident.investigations.filter(
    (each) => each.by !== undefined || !again.has(targetWord(each)),
  );
  const all = [...before, ...noted];
  const byPeople = all.filter(({ by }) => by !== undefined);
  const gone = new Set(byPeople.slice(0, -askedAgainKept));
  return { ...incident, investigations: all.filter((each) => !gone.has(each)) };
}

/** Those that alerts can lead to a run of, then those with most alerts; else by name, so that it is always the same. */
function firstFirst(a: FiringTarget, b: FiringTarget): number {
  return (
    Number(a.cooling) - Number(b.cooling) || b.firing - a.firing || (targetWord(a) < targetWord(b) ? -1 : 1)
  );
}

function machinesOf(targets: readonly Target[]): Set<string> {
  return new Set(targets.map(({ machine }) => machine));
}
