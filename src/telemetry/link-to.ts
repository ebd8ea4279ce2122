import type { Traced } from '../fleet/run.ts';
import type { MlflowTarget } from './mlflow-target.ts';
import { mlflowTraceId } from './trace-ids.ts';

/** The link to traces, or the reason why there is none (bot's TraceLink). */
export type TraceLink = { readonly url: string } | { readonly missing: string };

/** What traces are looked for by (bot's TracesOf): the id of what they belong to. */
export type TracesOf = { readonly campaign: string } | { readonly incident: string };

type Pages = Pick<MlflowTarget, 'publicUrl' | 'experimentId'>;

/** Links into MLflow's pages: to one trace, or to the list of all that belong to something. */
export function createLinkTo(pages: Pages): (what: Traced | TracesOf) => TraceLink {
  return (what) => ({ url: tracesPage(pages, 'trace' in what ? oneTrace(what) : allOf(what)) });
}

/** The page with an experiment's traces, and what of them it shows. An old trace is shown, too. */
export function tracesPage(
  { publicUrl, experimentId }: Pages,
  shown: Readonly<Record<string, string>> = {},
): string {
  const query = new URLSearchParams({ ...shown, startTimeLabel: 'ALL' });
  return `${publicUrl.replace(/\/+$/, '')}/#/experiments/${experimentId}/traces?${query}`;
}

/** The pages of older and newer releases read one parameter each. */
function oneTrace(run: Traced) {
  const id = mlflowTraceId(run);
  return { selectedEvaluationId: id, traceId: id };
}

/**
 * The same of a tag: 3.17 reads `tag`, in which key and value are encoded once more, and older ones `filter`. Source:
 * MLflow's pages; measured with 3.17.2.
 */
function allOf(what: TracesOf) {
  const [name, id] = 'campaign' in what ? ['campaign', what.campaign] : ['incident', what.incident];
  const key = `fleet.${name}`;
  return {
    tag: `${encodeURIComponent(key)}=${encodeURIComponent(id)}`,
    filter: `TAG::=::${id}::${key}`,
  };
}
