import type { Failure } from '../fleet/errors.ts';
import type { Verdict } from '../fleet/finding.ts';
import type { ActionOutcome, ActionRecord, Inertness, Run } from '../fleet/run.ts';

/** An action of which nothing is known yet. */
export const untouched: ActionRecord = { detail: '', stdout: '', stderr: '' };

/**
 * What the end of an action changes in its run. A check keeps its verdict unless evidence was gathered after the
 * action; a person's request for the action stands or falls with it.
 * @param more what else is to be kept; a failure is one of those who asked for the action alone
 */
export function endOfAction(
  run: Run,
  changes: Partial<ActionRecord> & { readonly outcome: ActionOutcome },
  { failure, inertness }: { failure?: Failure | undefined; inertness?: Inertness | undefined } = {},
): Partial<Run> {
  const action = { ...untouched, ...run.action, ...changes };
  const verdict = verdictOf(run, action);
  return {
    action,
    ...(verdict !== undefined && { verdict }),
    ...(inertness !== undefined && { inertness }),
    ...(failure && isAct(run) && { failure }),
  };
}

/** The same for one that somebody cancelled before it began. */
export function endOfCancelled(run: Run): Partial<Run> {
  return notToBe(run, 'It was cancelled before it began.');
}

/** The same for one that is not to be, although nothing went wrong. */
export function notToBe(run: Run, detail: string): Partial<Run> {
  const before = run.action?.before;
  return {
    action: { ...untouched, ...(before && { before }), outcome: 'not-begun', detail },
    ...(isAct(run) && { verdict: 'cancelled' }),
  };
}

/** The same where its supervisor cannot go on; nothing where no action is under way. */
export function endOfAbandoned(run: Run, detail: string): Partial<Run> {
  switch (run.state) {
    case 'approved':
      return endOfAction(run, { outcome: 'not-begun', detail });
    case 'acting':
      return endOfAction(run, { outcome: 'unknown', detail });
    case 'verifying':
      return endOfAction(run, { outcome: run.action?.outcome ?? 'unknown', effect: 'inconclusive' });
    default:
      return {};
  }
}

function verdictOf(run: Run, { outcome, before, after }: ActionRecord): Verdict | undefined {
  if (after !== undefined) {
    return outcome === 'failed' && after.verdict !== 'ok' ? 'failed' : after.verdict;
  }
  if (!isAct(run)) return run.verdict;
  switch (outcome) {
    case 'not-needed':
      return before?.verdict ?? 'inconclusive';
    case 'done':
    case 'unknown':
      return 'inconclusive';
    default:
      return 'failed';
  }
}

function isAct({ request }: Run): boolean {
  return request.task.kind === 'act';
}
