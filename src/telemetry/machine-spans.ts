import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Run } from '../fleet/run.ts';
import { exportHeaders, type MlflowTarget } from './mlflow-target.ts';
import { mlflowTraceId } from './trace-ids.ts';

/** How long a machine's spans may take through both collectors. */
const defaultTimeoutMs = 60_000;
const pollMs = 500;
const answerTimeoutMs = 10_000;

/** What of a span tells where it comes from. */
const spanSchema = z.object({
  name: z.string(),
  attributes: z.array(
    z.object({ key: z.string(), value: z.object({ string_value: z.string().optional() }) }),
  ),
});
const answerSchema = z.object({ trace: z.object({ spans: z.array(spanSchema) }) });

/** What an agent's plugin sends of a task in which it ran a command. */
export const agentSpanNames = ['agent.run', 'model.inference', 'tool.execution'] as const;

/**
 * The names of the spans in a run's trace that its machine has sent itself, as soon as MLflow has all of
 * `agentSpanNames`.
 * @throws Error when it has not after `timeoutMs`; it says what to look at
 * @throws the reason of `signal`
 */
export async function machineSpans(
  mlflow: MlflowTarget,
  run: Run,
  signal: AbortSignal,
  timeoutMs = defaultTimeoutMs,
): Promise<readonly string[]> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  let last = 'MLflow does not know the trace';
  while (!deadline.aborted) {
    try {
      const names = await namesOf(mlflow, run, signal);
      const missing = agentSpanNames.filter((name) => !names.includes(name));
      if (missing.length === 0) return names;
      last = `the trace holds no ${missing.join(', no ')} of the machine`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await sleep(pollMs, undefined, { signal: deadline }).catch(() => {});
  }
  signal.throwIfAborted();
  throw new Error(
    `What ${run.request.machine} records of its agent did not come to MLflow within ${timeoutMs} ms (${last}). Look at the log of ` +
      'fleetbot-collector on the machine, and of the central collector.',
  );
}

/** Source: `facts/mlflow-otel.md`, REST. A trace whose root has not come yet is told with `allow_partial`. */
async function namesOf(mlflow: MlflowTarget, run: Run, ended: AbortSignal): Promise<readonly string[]> {
  const base = mlflow.trackingUri.replace(/\/+$/, '');
  const url = `${base}/api/3.0/mlflow/traces/get?trace_id=${mlflowTraceId(run)}&allow_partial=true`;
  const signal = AbortSignal.any([ended, AbortSignal.timeout(answerTimeoutMs)]);
  const response = await fetch(url, { headers: exportHeaders(mlflow), signal });
  if (!response.ok) throw new Error(`MLflow answers ${response.status}`);
  const { trace } = answerSchema.parse(await response.json());
  return trace.spans.filter(isOf(run.request.machine)).map(({ name }) => name);
}

/** Only what went through a machine's own collector carries where it was deployed. */
function isOf(machine: string) {
  return ({ attributes }: z.infer<typeof spanSchema>) => {
    const texts = new Map(attributes.map(({ key, value }) => [key, value.string_value]));
    return texts.get('host.name') === machine && texts.get('deployment.environment.name') === 'edge';
  };
}
