import { type Approval, approvalIdOf } from '../fleet/approval.ts';
import type { Run } from '../fleet/run.ts';
import type { SigningAsk } from './ports.ts';

/** What is wrong with a record as one of an approved run, the one that is asked about, with its own question. */
export function recordProblem(ask: SigningAsk, run: Run, { question, state }: Approval): string | undefined {
  const machine = run.request.machine;
  if (run.id !== ask.run || machine !== ask.machine) {
    return `The record is that of ${run.id} on ${machine}, not of ${ask.run} on ${ask.machine}.`;
  }
  if (question.id !== approvalIdOf(run.id) || question.run !== run.id || question.machine !== machine) {
    return `The question in the record is that of ${question.run} on ${question.machine}.`;
  }
  if (run.cancellation !== undefined) return 'It was cancelled.';
  if (run.state !== 'approved' || state !== 'approved') {
    return `It is not approved: the run is ${run.state}, its approval ${state}.`;
  }
  return undefined;
}
