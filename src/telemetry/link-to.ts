import type { Run } from '../fleet/run.ts';
import type { MlflowTarget } from './mlflow-target.ts';
import { mlflowTraceId } from './trace-ids.ts';

/** The link to a run's trace, or the reason why there is none (bot's TraceLink). */
export type TraceLink = { readonly url: string } | { readonly missing: string };

/** Links into MLflow's pages. */
export function createLinkTo({ publicUrl, experimentId }: MlflowTarget): (run: Run) => TraceLink {
  const base = `${publicUrl.replace(/\/+$/, '')}/#/experiments/${experimentId}/traces`;
  return (run) => {
    const id = mlflowTraceId(run);
    // The pages of older and newer releases read one parameter each; ALL, or an old trace is not shown.
    const query = new URLSearchParams({ selectedEvaluationId: id, traceId: id, startTimeLabel: 'ALL' });
    return { url: `${base}?${query}` };
  };
}
