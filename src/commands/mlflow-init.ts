import type { InitLine } from '../runtime/command-line.ts';
import { readMlflowServer } from '../runtime/settings.ts';
import { tracesPage } from '../telemetry/link-to.ts';
import { type InitStep, initMlflow } from '../telemetry/mlflow/init.ts';
import { redact } from '../telemetry/redact.ts';
import { write } from './write.ts';

const nameWidth = 12;

/** Makes MLflow ready for traces, and prints what to set for fleetbot. Resolves to whether all is well. */
export async function makeMlflowReady({ experiment }: InitLine): Promise<boolean> {
  const server = readMlflowServer(process.env);
  const tell = ({ name, isWell, detail }: InitStep): void =>
    write(`${isWell ? '✓' : '✗'} ${name.padEnd(nameWidth)}${redact(detail)}\n`);
  const { experimentId, isWell } = await initMlflow({ ...server, experiment, tell });
  if (experimentId === undefined) return false;
  const { trackingUri, publicUrl, credentials } = server;
  const lines = [
    ...(isWell ? [] : ['Not all is well yet: see ✗ above, and do it again.']),
    `Set for fleetbot${credentials ? ', beside the login that was used here' : ''}:`,
    `MLFLOW_TRACKING_URI=${trackingUri}`,
    `MLFLOW_EXPERIMENT_ID=${experimentId}`,
    ...(publicUrl === trackingUri ? [] : [`MLFLOW_PUBLIC_URL=${publicUrl}`]),
    `Its traces: ${tracesPage({ publicUrl, experimentId })}`,
  ];
  write(lines.map((line) => `${line}\n`).join(''));
  return isWell;
}
