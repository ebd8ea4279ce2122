import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../../../src/sandbox/free-port.ts';
import { collectorBinary } from '../../parts/collector-binary.ts';
import { eventually } from '../../parts/eventually.ts';

const root = join(import.meta.dirname, '../../../..');

/** A collector as a process of this computer. */
export interface Collector {
  /** kill -9, as often as one likes. */
  kill(): Promise<void>;
}

/**
 * Starts fleetbot's collector with shipped configurations; `own` stands over them and says where it listens and keeps
 * things. Resolves when it takes spans.
 */
export async function startCollector(options: {
  readonly folder: string;
  readonly configs: readonly string[];
  readonly own: object;
  /** Where it takes spans. */
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
}): Promise<Collector> {
  const { folder, configs, own, port, env } = options;
  const ownFile = join(folder, 'own.yaml');
  // JSON is YAML.
  await writeFile(ownFile, JSON.stringify(own));
  const args = [...configs.map((file) => join(root, file)), ownFile].flatMap((file) => ['--config', file]);
  const child = spawn(collectorBinary(), args, { env, stdio: 'ignore' });
  const exited = once(child, 'exit');
  // Whatever it answers to who shows no token: it listens.
  await eventually(() => fetch(`http://127.0.0.1:${port}/v1/traces`, { method: 'POST' }));
  return {
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Starts the central collector, on every address of this computer. `passwords` by machine. */
export async function startCentralCollector(options: {
  readonly folder: string;
  readonly passwords: Readonly<Record<string, string>>;
  readonly mlflow: { readonly url: string; readonly experimentId: string };
}): Promise<Collector & { readonly port: number }> {
  const { folder, passwords, mlflow } = options;
  const port = await freePort();
  const machinesFile = join(folder, 'machines');
  const lines = Object.entries(passwords).map(([machine, password]) => `${machine}:${hashed(password)}\n`);
  await writeFile(machinesFile, lines.join(''));
  const collector = await startCollector({
    folder,
    configs: ['deploy/collector/central.yaml'],
    own: {},
    port,
    env: {
      FLEETBOT_COLLECTOR_ENDPOINT: `0.0.0.0:${port}`,
      FLEETBOT_MACHINES_FILE: machinesFile,
      FLEETBOT_COLLECTOR_STATE: join(folder, 'central'),
      MLFLOW_TRACKING_URI: mlflow.url,
      MLFLOW_EXPERIMENT_ID: mlflow.experimentId,
    },
  });
  return { ...collector, port };
}

/** One of the forms that `htpasswd` writes. */
function hashed(password: string): string {
  return `{SHA}${createHash('sha1').update(password).digest('base64')}`;
}
