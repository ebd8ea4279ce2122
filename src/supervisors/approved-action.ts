import type { ActionSubject } from '../fleet/approval.ts';
import type { Run } from '../fleet/run.ts';

/** What people approved for a run in `approved` or later, and the approval's id. @throws RangeError for another (a bug) */
export function approvedAction({ id, approval }: Run): ActionSubject & { readonly id: string } {
  const { question } = approval ?? {};
  if (question?.subject.kind !== 'action') throw new RangeError(`run ${id} has no action to do`);
  return { ...question.subject, id: question.id };
}
