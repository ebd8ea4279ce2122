import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../../src/sandbox/free-port.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { collectorBinary } from '../parts/collector-binary.ts';
import { type Collector, startCentralCollector, startCollector } from './parts/collector.ts';

const token = 'a-token-of-this-test';
const traceId = '0af7651916cd43dd8448eb211c80319c';
const waiting = { timeout: 30_000, interval: 50 };

let folder: string;
const running: Collector[] = [];

beforeAll(() => {
  // Built here, where there is time for it.
  collectorBinary();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleetbot-collector-'));
  return async () => {
    await Promise.all(running.splice(0).map((collector) => collector.kill()));
    await rm(folder, { recursive: true });
  };
});

interface Edge extends Collector {
  readonly url: string;
  /** What was kept on the machine. */
  copy(): Promise<string>;
}

async function startEdge(uplink?: { url: string; password: string }, machine = 'rhel-01'): Promise<Edge> {
  const port = await freePort();
  const state = join(folder, machine);
  const collector = await startCollector({
    folder,
    configs: ['edge/collector/collector.yaml', ...(uplink ? ['edge/collector/uplink.yaml'] : [])],
    own: {
      extensions: { file_storage: { directory: join(state, 'queue') } },
      receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
      exporters: { file: { path: join(state, 'copy/spans.jsonl') } },
    },
    port,
    env: {
      FLEETBOT_OTLP_TOKEN: token,
      FLEETBOT_MACHINE: machine,
      ...(uplink && { FLEETBOT_UPLINK_URL: uplink.url, FLEETBOT_UPLINK_PASSWORD: uplink.password }),
    },
  });
  running.push(collector);
  return {
    ...collector,
    url: `http://127.0.0.1:${port}`,
    copy: () => readFile(join(state, 'copy/spans.jsonl'), 'utf8'),
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
      await edge.kill();
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
  let mlflow: OtlpReceiver;
  let url: string;

  beforeEach(async () => {
    mlflow = await startOtlpReceiver();
    const central = await startCentralCollector({
      folder,
      passwords: { 'rhel-01': 'of-rhel-01' },
      mlflow: { url: mlflow.url, experimentId: '7' },
    });
    running.push(central);
    url = `http://127.0.0.1:${central.port}`;
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
