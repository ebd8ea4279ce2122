import { checkOf } from './checks/index.ts';
import { readEndLines } from './end-lines.ts';
import { type Finding, severities } from './finding.ts';
import { isBad, withoutNumbers } from './finding-shape.ts';
import type { Fleet } from './fleet.ts';
import { matchesGlob } from './glob.ts';
import type { Machine } from './machine.ts';
import type { PeerRule } from './peer-rules.ts';
import type { Requester } from './requester.ts';
import type { Run } from './run.ts';
import { labelOf, parseSelector, selectorProblem } from './selector.ts';

/** So many different troubles of one run are told apart; who is asked about these is asked about all. */
const subjectsMax = 20;
/** Subjects are the machine's words. */
const subjectMaxCharacters = 200;

/** Machines that are to be asked because of a run, and about what. */
export interface PeerClaim {
  readonly run: Pick<Run, 'id' | 'request'>;
  readonly check: string;
  /** See `troublesOf`. */
  readonly troubles: readonly string[];
  readonly machines: readonly string[];
}

/**
 * The machines whose supervisors are to make the same check because of what this run found: those of the fleet file's
 * rules, then those that the agent names, as far as it may; in the order of the file. Never the machine itself nor the
 * one that asked it, and only machines that have the check. None where the run failed, was cancelled or held back, or
 * where the question has been passed on often enough.
 */
export function peersFor(fleet: Fleet, machine: Machine, run: Run): readonly Machine[] {
  const { request, findings, failure, cancellation, withheld } = run;
  const { task, requester } = request;
  if (
    task.kind !== 'check' ||
    failure !== undefined ||
    cancellation !== undefined ||
    withheld !== undefined
  ) {
    return [];
  }
  const bad = findings.filter(isBad);
  const { rules, hops } = fleet.peers;
  if (bad.length === 0 || hopsOf(requester) >= hops) return [];
  const askedBy = requester.kind === 'supervisor' ? requester.machine : undefined;
  const others = [...fleet.machines.values()].filter(
    (other) =>
      other.name !== machine.name && other.name !== askedBy && checkOf(other, task.check) !== undefined,
  );
  const wanted = [
    ...rules.filter((rule) => applies(rule, task.check, machine, bad)).map((rule) => byRule(rule, machine)),
    byAgent(fleet, machine, run),
  ];
  return [...new Set(wanted.flatMap((isWanted) => others.filter(isWanted)))];
}

/** How many supervisors asked one another up to this request. */
export function hopsOf(requester: Requester): number {
  return requester.kind === 'supervisor' ? requester.hops : 0;
}

/**
 * What the run's trouble is about, numbers aside: a machine that was asked about the same is not asked again for a
 * while.
 */
export function troublesOf({ findings }: Pick<Run, 'findings'>): readonly string[] {
  const subjects = findings
    .filter(isBad)
    .map(({ subject }) => withoutNumbers(subject).slice(0, subjectMaxCharacters));
  return [...new Set(subjects)].slice(0, subjectsMax);
}

function applies(
  { check, machines, ...rule }: PeerRule,
  checked: string,
  machine: Machine,
  bad: readonly Finding[],
): boolean {
  if (check !== checked || (machines !== undefined && !parseSelector(machines)(machine))) return false;
  return bad.some((finding) => fits(rule, finding));
}

function fits(
  { subject = '*', severity = 'warning' }: Pick<PeerRule, 'subject' | 'severity'>,
  finding: Finding,
): boolean {
  return (
    severities.indexOf(finding.severity) >= severities.indexOf(severity) &&
    matchesGlob(finding.subject, subject)
  );
}

/** Whom a rule asks because of a machine. */
function byRule({ same, among }: PeerRule, machine: Machine): (other: Machine) => boolean {
  const isAmong = among === undefined ? () => true : parseSelector(among);
  return (other) => (same === undefined || haveSame(same, machine, other)) && isAmong(other);
}

/** Whom the agent wants to be asked; nobody who has not the same as this machine, whatever it writes. */
function byAgent({ peers }: Fleet, machine: Machine, { diagnosis }: Run): (other: Machine) => boolean {
  const { agentsMayAskSame: same } = peers;
  const selector = readEndLines(diagnosis?.comment ?? '').peers;
  if (same === undefined || selector === undefined || selectorProblem(selector) !== undefined) {
    return () => false;
  }
  const isNamed = parseSelector(selector);
  return (other) => haveSame(same, machine, other) && isNamed(other);
}

function haveSame(key: string, one: Machine, other: Machine): boolean {
  const value = labelOf(one, key);
  return value !== undefined && value === labelOf(other, key);
}
