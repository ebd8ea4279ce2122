import type { Action } from './action.ts';
import { type Finding, type Severity, severities } from './finding.ts';
import { matchesGlob } from './glob.ts';
import type { Effect, Measurement } from './run.ts';

/**
 * What the evidence says of an action. `confirmed`: all is well now. Otherwise there must be something measured on
 * both sides to compare: the worst severity, then how many findings have it. What cannot be measured any more is not
 * better.
 */
export function effectOf(before: Measurement | undefined, after: Measurement | undefined): Effect {
  const now = severityOf(after);
  const then = severityOf(before);
  if (after === undefined || now === undefined) return 'inconclusive';
  if (now === 'ok') return 'confirmed';
  if (before === undefined || then === undefined) return 'inconclusive';
  const change = rank(now) - rank(then) || count(after, now) - count(before, now);
  if (change > 0) return 'worse';
  if (count(after, 'inconclusive') > count(before, 'inconclusive')) return 'inconclusive';
  return change < 0 ? 'better' : 'unchanged';
}

/** Whether the findings of the precondition's check are a reason to run the action; always so where it has none. */
export function meets(precondition: Action['precondition'], findings: readonly Finding[]): boolean {
  if (precondition === undefined) return true;
  const wanted: readonly Severity[] = precondition.severities;
  const { subject = '*' } = precondition;
  return findings.some((each) => wanted.includes(each.severity) && matchesGlob(each.subject, subject));
}

/** undefined where the evidence does not tell. */
function severityOf(measurement: Measurement | undefined): Severity | undefined {
  if (measurement === undefined) return undefined;
  const known = severities.find((severity) => severity === measurement.verdict);
  return known === 'inconclusive' ? undefined : known;
}

function rank(severity: Severity): number {
  return severities.indexOf(severity);
}

function count({ findings }: Measurement, severity: Severity): number {
  return findings.filter((finding) => finding.severity === severity).length;
}
