import { setTimeout as sleep } from 'node:timers/promises';
import type { Run } from '../fleet/run.ts';
import { createMlflowClient, type StoredSpan } from './mlflow/client.ts';
import type { MlflowServer } from './mlflow-target.ts';

/** How long a machine's spans may take through both collectors. */
const defaultTimeoutMs = 60_000;
const pollMs = 500;

/** What an agent's plugin sends of a task in which it ran a command. */
export const agentSpanNames = ['agent.run', 'model.inference', 'tool.execution'] as const;

/**
 * The names of the spans in a run's trace that its machine has sent itself, as soon as MLflow has all of
 * `agentSpanNames`.
 * @throws Error when it has not after `timeoutMs`; it says what to look at
 * @throws the reason of `signal`
 */
export async function machineSpans(
  mlflow: MlflowServer,
  run: Run,
  signal: AbortSignal,
  timeoutMs = defaultTimeoutMs,
): Promise<readonly string[]> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const client = createMlflowClient(mlflow);
  let last = '';
  while (!deadline.aborted) {
    try {
      const trace = await client.trace(run.trace.traceId, signal);
      const names = (trace?.spans ?? []).filter(isOf(run.request.machine)).map(({ name }) => name);
      const missing = agentSpanNames.filter((name) => !names.includes(name));
      if (missing.length === 0) return names;
      last = trace
        ? `the trace holds no ${missing.join(', no ')} of the machine`
        : 'MLflow does not know the trace';
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

/** Only what went through a machine's own collector carries where it was deployed. */
function isOf(machine: string) {
  return ({ attributes }: StoredSpan) =>
    attributes.get('host.name') === machine && attributes.get('deployment.environment.name') === 'edge';
}
