import type { ReplayLine } from '../runtime/command-line.ts';
import { readMlflowTarget } from '../runtime/settings.ts';
import { redact } from '../telemetry/redact.ts';
import { write } from './write.ts';

/** Sends MLflow the spans in copies that it lacks. Resolves to whether it has all of them now. */
export async function replayTraces({ paths, since, dryRun }: ReplayLine): Promise<boolean> {
  const mlflow = readMlflowTarget(process.env);
  // OpenTelemetry takes its time to load: no other command waits for it.
  const { replayToMlflow } = await import('../telemetry/replay/replay-to-mlflow.ts');
  return replayToMlflow(mlflow, { paths, since, dryRun, tell: (line) => write(`${redact(line)}\n`) });
}
