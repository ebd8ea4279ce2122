import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freePort } from '../../../src/sandbox/free-port.ts';
import { startMlflow } from '../../../src/sandbox/mlflow-server.ts';
import { attemptProgram } from '../../support/edge-machines/run-program.ts';
import { collectorBinary } from '../parts/collector-binary.ts';
import { eventually } from '../parts/eventually.ts';
import { mlflowBinFolder } from '../parts/mlflow.ts';
import { storedTrace } from '../parts/mlflow-traces.ts';
import { startCentralCollector } from './parts/collector.ts';
import { randomHex, sendSpans } from './parts/send-spans.ts';

const main = join(import.meta.dirname, '../../../src/main.ts');

it('what MLflow refused is sent again from the central collector’s copy, once', async () => {
  collectorBinary();
  await using cleanUps = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'fleetbot-replay-'));
  cleanUps.defer(() => rm(folder, { recursive: true }));
  // Last, because the folder has a python of its own.
  process.env.PATH = `${process.env.PATH}:${mlflowBinFolder()}`;
  const mlflow = await startMlflow(await freePort(), folder);
  cleanUps.defer(() => mlflow.child.stop());
  const central = await startCentralCollector({
    folder,
    passwords: { 'rhel-01': 'of-rhel-01' },
    // There is none: MLflow refuses every span.
    mlflow: { url: mlflow.url, experimentId: '4711' },
  });
  cleanUps.defer(() => central.kill());

  const traceId = randomHex(32);
  const spans = [
    { traceId, name: 'tool.execution' },
    { traceId, name: 'agent.run', parentSpanId: '' },
    { traceId, name: 'agent.run' },
  ];
  const machine = { machine: 'rhel-01', password: 'of-rhel-01' };
  expect(await sendSpans(`http://127.0.0.1:${central.port}`, machine, spans)).toBe(200);
  await eventually(async () => expect(await central.metric('otelcol_exporter_send_failed_spans')).toBe(2));

  const replay = () =>
    attemptProgram([process.execPath, main, 'traces', 'replay', join(central.state, 'copy')], '', {
      PATH: process.env.PATH ?? '',
      MLFLOW_TRACKING_URI: mlflow.url,
      MLFLOW_EXPERIMENT_ID: '0',
    });
  expect(await replay()).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^sent +2$/m) });
  const trace = await storedTrace(mlflow.url, `tr-${traceId}`);
  expect(trace.spans.map(({ name }) => name).toSorted()).toEqual(['agent.run', 'tool.execution']);
  for (const { attributes } of trace.spans) {
    expect(attributes).toMatchObject({ 'host.name': 'rhel-01', 'deployment.environment': 'edge' });
  }
  expect(await replay()).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^sent +0$/m) });
});
