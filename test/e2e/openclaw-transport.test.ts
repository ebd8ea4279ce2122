import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll } from 'vitest';
import { waitUntilReady } from '../../src/edge-client/readiness.ts';
import type { OpenSocket } from '../../src/edge-client/task-transport.ts';
import { transportNames } from '../../src/fleet/machine.ts';
import { taskTransportSuite } from '../conformance/task-transport.ts';
import { type OpenClaw, startOpenClaw } from '../support/openclaw.ts';
import { type StubModel, startStubModel } from '../support/stub-model.ts';

const readyTimeoutMs = 120_000;

let model: StubModel;
let openClaw: OpenClaw;

const open: OpenSocket = async (signal) => {
  signal?.throwIfAborted();
  const socket = connect({ host: '127.0.0.1', port: openClaw.port, noDelay: true });
  await once(socket, 'connect');
  return socket.on('error', () => {});
};

beforeAll(async () => {
  model = await startStubModel();
  openClaw = await startOpenClaw(model.url);
  await waitUntilReady({ machine: 'test-01', open, timeoutMs: readyTimeoutMs });
});

afterAll(async () => {
  await openClaw?.close();
  await model?.close();
});

for (const transport of transportNames) {
  taskTransportSuite('a real OpenClaw', transport, async () => ({
    open,
    token: openClaw.token,
    hanging: model.hanging,
    close: async () => {},
  }));
}
