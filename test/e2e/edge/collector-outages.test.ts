import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../src/sandbox/free-port.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { collectorBinary } from '../parts/collector-binary.ts';
import { eventually } from '../parts/eventually.ts';
import { type CentralCollector, startCentralCollector } from './parts/collector.ts';
import { randomHex, type SpanToSend, sendSpans } from './parts/send-spans.ts';

const machine = { machine: 'rhel-01', password: 'of-rhel-01' };

beforeAll(() => void collectorBinary());

describe('the central collector', () => {
  let folder: string;
  let port: number;
  let mlflow: OtlpReceiver;
  let central: CentralCollector;

  /** Starts it where it was before. */
  async function start(own: object = {}): Promise<void> {
    central = await startCentralCollector({
      ...{ folder, port, own },
      passwords: { 'rhel-01': 'of-rhel-01' },
      mlflow: { url: mlflow.url, experimentId: '7' },
    });
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fleetbot-outages-'));
    port = await freePort();
    mlflow = await startOtlpReceiver();
    return async () => {
      await central.kill();
      await mlflow.close();
      await rm(folder, { recursive: true });
    };
  });

  const send = (...spans: SpanToSend[]) => sendSpans(`http://127.0.0.1:${port}`, machine, spans);
  const arrived = () => mlflow.spans.map(({ spanId }) => spanId).toSorted();
  const copy = () => readFile(join(central.state, 'copy/spans.jsonl'), 'utf8');

  it('loses nothing while MLflow is away or restarts, whoever is killed meanwhile', async () => {
    const ids = Array.from({ length: 4 }, () => randomHex(16));
    const [first = '', second = '', third = '', fourth = ''] = ids;
    await start();
    await mlflow.close();
    expect(await send({ spanId: first })).toBe(200);
    await central.kill();
    await start();
    expect(await send({ spanId: second })).toBe(200);
    mlflow = await startOtlpReceiver('127.0.0.1', Number(new URL(mlflow.url).port));
    mlflow.answer = { status: 503 };
    await eventually(() => expect(mlflow.requests.length).toBeGreaterThan(1));
    expect(await send({ spanId: third })).toBe(200);
    mlflow.answer = 'silent';
    await eventually(() => expect(mlflow.requests.length).toBeGreaterThan(2));
    await central.kill();
    mlflow.answer = { status: 200 };
    await start();
    expect(await send({ spanId: fourth })).toBe(200);
    await eventually(() => expect([...new Set(arrived())]).toEqual(ids.toSorted()));
    for (const id of ids) expect(await copy()).toContain(`"spanId":"${id}"`);
  });

  it.each([401, 404, 422, 500])('keeps what MLflow refuses with %i, and tells', async (status) => {
    const [refused, taken] = [randomHex(16), randomHex(16)];
    await start();
    mlflow.answer = { status };
    expect(await send({ spanId: refused })).toBe(200);
    await eventually(async () => expect(await central.metric('otelcol_exporter_send_failed_spans')).toBe(1));
    mlflow.answer = { status: 200 };
    expect(await send({ spanId: taken })).toBe(200);
    await eventually(() => expect(arrived()).toEqual([taken]));
    expect(await copy()).toContain(`"spanId":"${refused}"`);
  });

  it('has machines wait when its own disk holds as much as it may', async () => {
    await start({ exporters: { otlp_http: { sending_queue: { queue_size: 2_000 } } } });
    mlflow.answer = { status: 503 };
    const spanIds: string[] = [];
    const one = () => ({ spanId: randomHex(16) });
    await eventually(async () => {
      const span = one();
      const status = await send(span);
      if (status === 200) spanIds.push(span.spanId);
      expect(status).toBe(503);
    });
    expect(await central.metric('otelcol_exporter_queue_size')).toBeGreaterThan(0);
    mlflow.answer = { status: 200 };
    await eventually(() => expect(arrived()).toEqual(expect.arrayContaining(spanIds)));
    expect(await send(one())).toBe(200);
  });
});
