import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { answersOk } from './answers-ok.ts';
import { type ChildProcess, startChild } from './child-process.ts';

const readyTimeoutMs = 90_000;

/** Whether `mlflow` is on PATH. */
export function mlflowIsInstalled(): boolean {
  return spawnSync('mlflow', ['--version'], { stdio: 'ignore' }).status === 0;
}

/**
 * Starts an MLflow server on loopback with its data in the folder.
 *
 * @param more what else its command line and its environment say
 */
export async function startMlflow(
  port: number,
  folder: string,
  more: { readonly args?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<{ url: string; child: ChildProcess }> {
  const url = `http://127.0.0.1:${port}`;
  const child = await startChild({
    name: 'mlflow',
    argv: [
      ...['mlflow', 'server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
      ...['--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`],
      ...['--default-artifact-root', join(folder, 'artifacts')],
      ...(more.args ?? []),
    ],
    env: {
      ...process.env,
      MLFLOW_DISABLE_TELEMETRY: 'true',
      MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
      ...more.env,
    },
    cwd: folder,
    logFile: join(folder, 'mlflow.log'),
    readyTimeoutMs,
    ready: () => answersOk(`${url}/health`),
  });
  return { url, child };
}
