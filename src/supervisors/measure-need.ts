import type { Action } from '../fleet/action.ts';
import { actionsOf } from '../fleet/actions-of.ts';
import type { ActionSubject } from '../fleet/approval.ts';
import { meets } from '../fleet/effect.ts';
import type { Failure, RunFailureCode } from '../fleet/errors.ts';
import type { ActionOutcome, Inertness, Measurement } from '../fleet/run.ts';
import type { Drive } from './context.ts';
import { measureCheck } from './measure-check.ts';
import type { Step } from './ports.ts';

const codeOfNotBegun = 'action-not-begun' satisfies RunFailureCode;

/** Why an action does not begin. Nothing was changed. */
export interface NotBegun {
  /** What was measured by the check that verifies the action, where it was. */
  readonly before?: Measurement;
  readonly outcome: Extract<ActionOutcome, 'refused' | 'not-needed' | 'not-begun'>;
  readonly detail: string;
  readonly failure?: Failure;
  readonly inertness?: Inertness;
}

/** An action that the evidence calls for. */
export interface Needed {
  readonly action: Action;
  /** What was measured by the check that verifies it. */
  readonly before: Measurement;
}

/**
 * Measures whether an action is needed: before people are asked, and again when its turn has come. What cannot be
 * measured is no reason to change anything.
 * @throws MachineError @throws the reason of an interruption
 */
export async function measureNeed(
  drive: Drive,
  step: Step,
  name: ActionSubject['action'],
  clockSkewMs: number,
): Promise<Needed | NotBegun> {
  const { machine, fleet, interruption } = drive;
  const action = actionsOf(fleet(), machine).get(name);
  if (!action) return unknownAction(machine.name, name);
  const { verify, precondition } = action;
  const measure = (check: string) => measureCheck(drive, step, check, clockSkewMs, interruption.signal);
  const verified = await measure(verify);
  const before = verified.measurement;
  const { measurement, failure } =
    verified.failure || !precondition || precondition.check === verify
      ? verified
      : await measure(precondition.check);
  if (failure) return { before, outcome: 'not-begun', detail: failure.message, failure };
  if (!precondition || meets(precondition, measurement.findings)) return { action, before };
  const { check, subject, severities } = precondition;
  const what = `${check}${subject === undefined ? '' : ` of ${subject}`} on ${machine.name}`;
  const found = measurement.findings.map(({ severity }) => severity);
  // What is wrong elsewhere says nothing of what could not be measured.
  if (found.length > 0 && !found.includes('inconclusive')) {
    const wanted = `its precondition is that ${what} is ${severities.join(' or ')}, and it is not`;
    return { before, outcome: 'not-needed', detail: `It is not needed: ${wanted}.` };
  }
  const detail = `Whether it is needed is not known: ${what} is inconclusive.`;
  return { before, outcome: 'not-begun', detail, failure: { code: codeOfNotBegun, message: detail } };
}

function unknownAction(machine: string, name: string): NotBegun {
  const message = `The fleet file does not allow the action ${name} on ${machine}. Ask for another one.`;
  const failure = { code: 'action-unknown' satisfies RunFailureCode, message };
  return { outcome: 'refused', detail: message, failure };
}
