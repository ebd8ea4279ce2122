import { afterAll, beforeAll } from 'vitest';
import { transportNames } from '../../src/fleet/machine.ts';
import { taskTransportSuite } from '../conformance/task-transport.ts';
import { type OpenClaw, startOpenClaw } from '../support/openclaw.ts';
import { type StubModel, startStubModel } from '../support/stub-model.ts';

let model: StubModel;
let openClaw: OpenClaw;

beforeAll(async () => {
  model = await startStubModel();
  openClaw = await startOpenClaw(model.url);
});

afterAll(async () => {
  await openClaw?.close();
  await model?.close();
});

for (const transport of transportNames) {
  taskTransportSuite('a real OpenClaw', transport, async () => ({
    open: openClaw.open,
    token: openClaw.token,
    hanging: model.hanging,
    close: async () => {},
  }));
}
