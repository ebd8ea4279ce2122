import type { Failure } from '../fleet/errors.ts';
import type { Run } from '../fleet/run.ts';
import type { Drive } from './context.ts';

/** What gathering changes in the run's record. */
export type Gathered = Pick<Run, 'findings'> &
  Partial<Pick<Run, 'evidence' | 'verdict' | 'failure' | 'inertness' | 'action'>>;

/** What is left where nothing could be measured: no evidence, no success. */
export function withoutEvidence({ held }: Drive, failure: Failure): Gathered {
  return {
    findings: [],
    failure,
    verdict: held.run.request.task.kind === 'check' ? 'inconclusive' : 'failed',
  };
}
