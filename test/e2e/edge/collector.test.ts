import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../../src/sandbox/free-port.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { collectorBinary } from '../parts/collector-binary.ts';

const root = join(import.meta.dirname, '../../..');
const token = 'a-token-of-this-test';
const traceId = '0af7651916cd43dd8448eb211c80319c';
const waiting = { timeout: 30_000, interval: 50 };

let binary: string;
let folder: string;
const running = new Set<ChildProcess>();

beforeAll(() => {
  binary = collectorBinary();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleetbot-collector-'));
  return async () => {
    await Promise.all([...running].map(kill));
    await rm(folder, { recursive: true });
  };
});

async function kill(child: ChildProcess): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** The shipped configuration; only where it listens and where it keeps things is the test's own. */
async function start(
  configs: readonly string[],
  overrides: object,
  env: Readonly<Record<string, string>>,
): Promise<ChildProcess> {
  const own = join(folder, 'own.yaml');
  // JSON is YAML.
  await writeFile(own, JSON.stringify(overrides));
  const args = [...configs.map((file) => join(root, file)), own].flatMap((file) => ['--config', file]);
  const child = spawn(binary, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let log = '';
  // A machine's collector and the centre's do not log to the same stream.
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
  await vi.waitFor(() => expect(log).toContain('Everything is ready'), waiting);
  return child;
}

interface Edge {
  readonly url: string;
  /** What was kept on the machine. */
  copy(): Promise<string>;
  process: ChildProcess;
}

async function startEdge(uplink?: { url: string; password: string }, machine = 'rhel-01'): Promise<Edge> {
  const port = await freePort();
  const state = join(folder, machine);
  const overrides = {
    extensions: { file_storage: { directory: join(state, 'queue') } },
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
    exporters: { file: { path: join(state, 'copy/spans.jsonl') } },
  };
  const configs = ['edge/collector/collector.yaml', ...(uplink ? ['edge/collector/uplink.yaml'] : [])];
  const child = await start(configs, overrides, {
    FLEETBOT_OTLP_TOKEN: token,
    FLEETBOT_MACHINE: machine,
    ...(uplink && { FLEETBOT_UPLINK_URL: uplink.url, FLEETBOT_UPLINK_PASSWORD: uplink.password }),
  });
  return {
    url: `http://127.0.0.1:${port}`,
    copy: () => readFile(join(state, 'copy/spans.jsonl'), 'utf8'),
    process: child,
  };
}

async function send(url: string, name: string, bearer = token): Promise<number> {
  const attributes = [{ key: 'host.name', value: { stringValue: 'rhel-99' } }];
  const span = {
    ...{ traceId, spanId: Buffer.from(name.padEnd(8)).toString('hex').slice(0, 16), name, attributes },
    ...{ startTimeUnixNano: '1795345672000000000', endTimeUnixNano: '1795345673000000000' },
  };
  const body = { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [span] }] }] };
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${bearer}` };
  const response = await fetch(`${url}/v1/traces`, { method: 'POST', headers, body: JSON.stringify(body) });
  await response.arrayBuffer();
  return response.status;
}

describe("a machine's collector", () => {
  it('takes no spans from a process that does not know the token', async () => {
    const edge = await startEdge();
    expect(await send(edge.url, 'forged', 'another-token')).toBe(401);
    expect(await send(edge.url, 'genuine')).toBe(200);
    await vi.waitFor(async () => expect(await edge.copy()).toContain('genuine'), waiting);
    expect(await edge.copy()).not.toContain('forged');
  });

  it('says whose the spans are, whatever they claim', async () => {
    const edge = await startEdge();
    await send(edge.url, 'claimed');
    await vi.waitFor(async () => expect(await edge.copy()).toContain('rhel-01'), waiting);
    expect(await edge.copy()).not.toContain('rhel-99');
  });

  describe('with a way to the centre', () => {
    let centre: OtlpReceiver;
    beforeEach(async () => {
      centre = await startOtlpReceiver();
      return () => centre.close();
    });
    const names = () => centre.spans.map(({ name }) => name).toSorted();

    it('hands spans on under its own name, and shows its password', async () => {
      const edge = await startEdge({ url: centre.url, password: 'of-rhel-01' });
      await send(edge.url, 'handed-on');
      await vi.waitFor(() => expect(names()).toEqual(['handed-on']), waiting);
      const [span] = centre.spans;
      expect(span?.traceId).toBe(traceId);
      expect(span?.attributes).toMatchObject({ 'host.name': 'rhel-01', 'deployment.environment': 'edge' });
      const shown = Buffer.from('rhel-01:of-rhel-01').toString('base64');
      expect(centre.requests[0]?.headers.authorization).toBe(`Basic ${shown}`);
    });

    it('loses nothing while the centre is away and it is itself killed', async () => {
      centre.answer = { status: 503 };
      const edge = await startEdge({ url: centre.url, password: 'p' });
      expect(await send(edge.url, 'first')).toBe(200);
      await vi.waitFor(() => expect(centre.requests.length).toBeGreaterThan(0), waiting);
      expect(await send(edge.url, 'second')).toBe(200);
      await kill(edge.process);
      const again = await startEdge({ url: centre.url, password: 'p' });
      expect(await send(again.url, 'third')).toBe(200);
      centre.answer = { status: 200 };
      await vi.waitFor(() => expect(names()).toEqual(['first', 'second', 'third']), waiting);
      await vi.waitFor(async () => expect(await again.copy()).toContain('third'), waiting);
      expect(await again.copy()).toContain('first');
    });
  });
});

describe('the central collector', () => {
  /** bcrypt of `of-rhel-01`, as `htpasswd -B` writes it. */
  const machines = 'rhel-01:$2y$05$abcdefghijklmnopqrstuuq5r00iVeljzWCtZCqN4WmDRORor0ifq\n';
  let mlflow: OtlpReceiver;
  let url: string;

  beforeEach(async () => {
    mlflow = await startOtlpReceiver();
    const endpoint = `127.0.0.1:${await freePort()}`;
    const machinesFile = join(folder, 'machines');
    await writeFile(machinesFile, machines);
    await start(
      ['deploy/collector/central.yaml'],
      {},
      {
        ...{ FLEETBOT_COLLECTOR_ENDPOINT: endpoint, FLEETBOT_MACHINES_FILE: machinesFile },
        ...{ FLEETBOT_COLLECTOR_STATE: join(folder, 'central') },
        ...{ MLFLOW_TRACKING_URI: mlflow.url, MLFLOW_EXPERIMENT_ID: '7' },
      },
    );
    url = `http://${endpoint}`;
    return () => mlflow.close();
  });

  it("writes a machine's spans to MLflow under the name that it proved", async () => {
    const edge = await startEdge({ url, password: 'of-rhel-01' });
    await send(edge.url, 'through');
    await vi.waitFor(() => expect(mlflow.spans.map(({ name }) => name)).toEqual(['through']), waiting);
    expect(mlflow.spans[0]?.attributes['host.name']).toBe('rhel-01');
    expect(mlflow.requests[0]?.headers['x-mlflow-experiment-id']).toBe('7');
    expect(mlflow.requests[0]?.headers.authorization).toBeUndefined();
  });

  it('takes nothing from a machine with another password, nor under a name that it does not know', async () => {
    for (const credentials of ['rhel-01:wrong', 'rhel-99:of-rhel-01']) {
      const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
      const headers = { 'content-type': 'application/json', authorization };
      const response = await fetch(`${url}/v1/traces`, { method: 'POST', headers, body: '{}' });
      expect(response.status).toBe(401);
    }
    expect(mlflow.requests).toEqual([]);
  });
});

afterAll(async () => {
  await Promise.all([...running].map(kill));
});
