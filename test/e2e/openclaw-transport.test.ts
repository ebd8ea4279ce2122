import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gatewayWs } from '../../src/edge-client/transports/gateway-ws.ts';
import { transportNames } from '../../src/fleet/machine.ts';
import { taskTransportSuite } from '../conformance/task-transport.ts';
import { type OpenClaw, startOpenClaw } from '../support/openclaw.ts';
import { claim } from '../support/scripts.ts';
import { type StubModel, startStubModel } from '../support/stub-model.ts';
import { taskCall } from '../support/task-call.ts';

let model: StubModel;
let openClaw: OpenClaw | undefined;

beforeAll(async () => {
  model = await startStubModel();
});

afterAll(() => model?.close());

describe('with the settings of a machine', () => {
  beforeAll(async () => {
    openClaw = await startOpenClaw(model.url);
  });
  afterAll(() => openClaw?.close());

  for (const transport of transportNames) {
    taskTransportSuite('a real OpenClaw', transport, async () => {
      if (openClaw === undefined) throw new Error('OpenClaw was not started');
      return { open: openClaw.open, token: openClaw.token, hanging: model.hanging, close: async () => {} };
    });
  }
});

describe('with settings that have people asked', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fleetbot-kept-'));
    openClaw = await startOpenClaw(model.url, { asks: true });
  });
  afterAll(async () => {
    await openClaw?.close();
    await rm(folder, { recursive: true });
  });

  it('cannot ask for an approval over our connection, and denies the command at once', async () => {
    if (openClaw === undefined) throw new Error('OpenClaw was not started');
    const kept = join(folder, 'kept');
    await writeFile(kept, '');
    const command = `rm -rf ${kept}`;
    const denied: string[] = [];
    const call = taskCall(openClaw.open, {
      task: { message: `MODE:claims\nRUN: ${command}`, onDenied: (one) => denied.push(one) },
    });
    const { text, toolCalls } = await gatewayWs.send({ ...call, token: openClaw.token });
    expect(text).toBe(claim);
    expect(denied).toEqual([command]);
    expect(toolCalls[0]?.output).toContain('missing scope: operator.approvals');
    await expect(access(kept)).resolves.toBeUndefined();
  });
});
