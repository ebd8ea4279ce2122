import type { Alert } from './alert.ts';
import type { AlertRule } from './alert-rules.ts';
import { checksOf } from './checks/index.ts';
import { machineFinder } from './find-machines.ts';
import type { Fleet } from './fleet.ts';
import { matchesGlob } from './glob.ts';
import type { Machine } from './machine.ts';
import { parseSelector } from './selector.ts';

/** What the fleet file makes of an alert, for one machine that it names. */
export interface AlertMatch {
  readonly machine: string;
  readonly check: string;
  /** Index into `alerts.rules`; absent where `alerts.otherwise` decided. */
  readonly rule?: number;
}

/** That nobody looks, and why, as sentences that say what to do. */
export interface AlertMismatch {
  /** Absent where the alert names none. */
  readonly machine?: string;
  readonly problem: string;
}

/** The machines that an alert names; never empty. */
export interface MatchedAlert {
  /** A label named exactly one machine, so the alert's labels alone tell it from others of its name. */
  readonly byLabel: boolean;
  readonly matches: readonly (AlertMatch | AlertMismatch)[];
}

/** Longest part of an alert that is repeated in a problem. */
const quotedMaxCharacters = 100;

/**
 * Which machines an alert is about, and which check looks into it.
 *
 * The first of `alerts.machineLabels` whose value names a machine counts; without one, every machine that the text
 * names. All of them are looked at, not none and not the first: a message such as "disk full on rhel-01, rhel-02" is a
 * list of what is affected, a check only reads, and `machinesPerIncident` bounds how many are looked at, so a look too
 * many costs less than an affected machine that is left out.
 *
 * The first rule that fits decides, also where the machine lacks its check: what happens shall not depend on rules
 * further down, so it is told instead.
 */
export function alertMatcher(fleet: Fleet): (alert: Alert) => MatchedAlert {
  const { machineLabels, rules, otherwise } = fleet.alerts;
  const finder = machineFinder(fleet);
  const readRules = rules.map((rule, index) => ({ index, rule, fits: fitsRule(rule) }));
  const checks = new Map<Machine, ReadonlySet<string>>();
  const hasCheck = (machine: Machine, check: string): boolean => {
    const known = checks.get(machine) ?? new Set(checksOf(machine).map(({ name }) => name));
    checks.set(machine, known);
    return known.has(check);
  };

  function match(alert: Alert, labels: ReadonlyMap<string, string>, machine: Machine) {
    const found = readRules.find(({ fits }) => fits(alert, labels, machine));
    const check = found?.rule.check ?? otherwise;
    if (check === undefined) return { machine: machine.name, problem: noRule(alert, machine) };
    if (!hasCheck(machine, check)) {
      return { machine: machine.name, problem: noCheck(machine, check, found?.index) };
    }
    return { machine: machine.name, check, ...(found && { rule: found.index }) };
  }

  return (alert) => {
    const labels = labelsOf(alert);
    const values = machineLabels.flatMap((label) => labels.get(label.toLowerCase()) ?? []);
    const inLabel = values.map((value) => finder.inValue(value)).find((named) => named.length > 0);
    const machines = inLabel ?? finder.inText(`${alert.name}\n${alert.text}`);
    if (machines.length === 0) {
      return { byLabel: false, matches: [{ problem: noMachine(machineLabels, labels) }] };
    }
    return {
      byLabel: inLabel?.length === 1,
      matches: machines.map((machine) => match(alert, labels, machine)),
    };
  };
}

/** Its labels by their names in lower case; `alertname` is its name. */
export function labelsOf({ name, labels }: Alert): ReadonlyMap<string, string> {
  const lower = Object.entries(labels).map(([label, value]) => [label.toLowerCase(), value] as const);
  return new Map([...lower, ['alertname', name]]);
}

type Fits = (alert: Alert, labels: ReadonlyMap<string, string>, machine: Machine) => boolean;

function fitsRule({ match = {}, text, machines }: AlertRule): Fits {
  const globs = Object.entries(match).map(([label, glob]) => [label.toLowerCase(), glob] as const);
  const isMeant = machines === undefined ? () => true : parseSelector(machines);
  return (alert, labels, machine) =>
    globs.every(([label, glob]) => matchesAlike(labels.get(label), glob)) &&
    (text === undefined || matchesAlike(alert.text, text) || matchesAlike(alert.name, text)) &&
    isMeant(machine);
}

/** Upper and lower case are alike: Prometheus writes `warning`, Zabbix `Warning`. */
function matchesAlike(value: string | undefined, glob: string): boolean {
  return value !== undefined && matchesGlob(value.toLowerCase(), glob.toLowerCase());
}

function noMachine(machineLabels: readonly string[], labels: ReadonlyMap<string, string>): string {
  const given = machineLabels.flatMap((label) => {
    const value = labels.get(label.toLowerCase());
    return value === undefined ? [] : [`${label} is ${quoted(value)}`];
  });
  const looked =
    given.length === 0
      ? `It has none of the labels ${machineLabels.join(', ')}`
      : `Its labels name no machine of the fleet file (${given.join(', ')})`;
  return (
    `${looked}, and its text names no machine either. Give the alert such a label with the machine's name or ` +
    'address, or add the label that has it to alerts.machineLabels.'
  );
}

function noRule({ name }: Alert, machine: Machine): string {
  return (
    `No rule of alerts.rules fits ${quoted(name)} on ${machine.name}, and alerts.otherwise is not set. ` +
    `Add a rule: { match: { alertname: ${quoted(name)} }, check: NAME }.`
  );
}

function noCheck(machine: Machine, check: string, rule: number | undefined): string {
  const who = rule === undefined ? 'alerts.otherwise' : `rule ${rule + 1} of alerts.rules`;
  return `${machine.name} has no check ${check}, which ${who} names. Add it to the machine's checks, or change the rules.`;
}

function quoted(text: string): string {
  const shown = text.length > quotedMaxCharacters ? `${text.slice(0, quotedMaxCharacters - 1)}…` : text;
  return JSON.stringify(shown.toWellFormed());
}
