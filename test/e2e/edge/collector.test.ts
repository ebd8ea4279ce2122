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
const parentSpanId = 'b7ad6b7169203331';
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

const text = (key: string, value: string) => ({ key, value: { stringValue: value } });
const claims = [text('host.name', 'rhel-99'), text('host.name', 'rhel-98')];

function spanOf(name: string, more: readonly object[] = []): object {
  const spanId = Buffer.from(name.padEnd(8)).toString('hex').slice(0, 16);
  const at = `${Date.now()}000000`;
  const times = { startTimeUnixNano: at, endTimeUnixNano: at };
  return { traceId, spanId, parentSpanId, name, ...times, attributes: [...claims, ...more] };
}

async function post(url: string, spans: readonly object[], bearer = token): Promise<number> {
  const body = { resourceSpans: [{ resource: { attributes: claims }, scopeSpans: [{ spans }] }] };
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${bearer}` };
  const response = await fetch(`${url}/v1/traces`, { method: 'POST', headers, body: JSON.stringify(body) });
  await response.arrayBuffer();
  return response.status;
}

const send = (url: string, name: string, bearer?: string) => post(url, [spanOf(name)], bearer);

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
    expect(await edge.copy()).not.toMatch(/rhel-9\d/);
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

    it('sends in parts what is too much for the centre at a time', async () => {
      const edge = await startEdge({ url: centre.url, password: 'p' });
      const long = 'x'.repeat(2 ** 20);
      const spans = Array.from({ length: 9 }, (_, index) => spanOf(`part-${index}`, [text('result', long)]));
      expect(await post(edge.url, spans)).toBe(200);
      await vi.waitFor(() => expect(centre.spans).toHaveLength(9), waiting);
      expect(centre.requests.length).toBeGreaterThan(1);
      for (const { body } of centre.requests) expect(body.length).toBeLessThan(5 * 2 ** 20);
    });

    it('reaches MLflow through the central collector', async () => {
      const central = await startCentralCollector({
        folder,
        passwords: { 'rhel-01': 'of-rhel-01' },
        mlflow: { url: centre.url, experimentId: '7' },
      });
      running.push(central);
      const edge = await startEdge({ url: `http://127.0.0.1:${central.port}`, password: 'of-rhel-01' });
      await send(edge.url, 'agent.run');
      await vi.waitFor(() => expect(names()).toEqual(['agent.run']), waiting);
      expect(centre.spans[0]).toMatchObject({
        traceId,
        parentSpanId,
        attributes: { 'host.name': 'rhel-01' },
      });
      expect(centre.requests[0]?.headers['x-mlflow-experiment-id']).toBe('7');
      expect(centre.requests[0]?.headers.authorization).toBeUndefined();
    });
  });
});
