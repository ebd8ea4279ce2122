import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { open, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
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
 * things. Its output goes to `collector.log` in the folder. Resolves when it takes spans.
 */
export async function startCollector(options: {
  readonly folder: string;
  /** Files, from the repository's folder on. */
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
  const args = [...configs.map((file) => resolve(root, file)), ownFile].flatMap((file) => ['--config', file]);
  const log = await open(join(folder, 'collector.log'), 'a');
  const child = spawn(collectorBinary(), args, { env, stdio: ['ignore', log.fd, log.fd] });
  await log.close();
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

/** The central collector as a process of this computer. */
export interface CentralCollector extends Collector {
  readonly port: number;
  /** Where Prometheus reads its own metrics. */
  readonly metricsPort: number;
  /** The value of the one of these metrics that has this name; 0 where it has counted nothing yet. */
  metric(name: string): Promise<number>;
  /** Where it keeps its queue and its copies. */
  readonly state: string;
}

/** Starts the central collector, on every address of this computer. `passwords` by machine. */
export async function startCentralCollector(options: {
  readonly folder: string;
  readonly passwords: Readonly<Record<string, string>>;
  readonly mlflow: { readonly url: string; readonly experimentId: string };
  /** Where it takes spans; a free one by default. */
  readonly port?: number;
  /** Files that stand over its configuration, and what they want in the environment. */
  readonly overlays?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Configuration that stands over everything. */
  readonly own?: object;
}): Promise<CentralCollector> {
  const { folder, passwords, mlflow, overlays = [], env = {}, own = {} } = options;
  const port = options.port ?? (await freePort());
  const metricsPort = await freePort();
  const state = join(folder, 'central');
  const machinesFile = join(folder, 'machines');
  const lines = Object.entries(passwords).map(([machine, password]) => `${machine}:${hashed(password)}\n`);
  await writeFile(machinesFile, lines.join(''));
  const collector = await startCollector({
    folder,
    configs: ['deploy/collector/central.yaml', ...overlays],
    own,
    port,
    env: {
      FLEETBOT_COLLECTOR_ENDPOINT: `0.0.0.0:${port}`,
      FLEETBOT_COLLECTOR_METRICS_PORT: String(metricsPort),
      FLEETBOT_MACHINES_FILE: machinesFile,
      FLEETBOT_COLLECTOR_STATE: state,
      MLFLOW_TRACKING_URI: mlflow.url,
      MLFLOW_EXPERIMENT_ID: mlflow.experimentId,
      ...env,
    },
  });
  return { ...collector, port, metricsPort, state, metric: (name) => metricAt(metricsPort, name) };
}

async function metricAt(port: number, name: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  const line = (await response.text()).split('\n').find((each) => each.startsWith(`${name}{`));
  return Number(line?.slice(line.lastIndexOf(' ')) ?? 0);
}

/** One of the forms that `htpasswd` writes. */
function hashed(password: string): string {
  return `{SHA}${createHash('sha1').update(password).digest('base64')}`;
}
