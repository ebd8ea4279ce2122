import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Machines } from '../../src/supervisors/ports.ts';
import { machineGateSuite } from '../conformance/machine-gate.ts';
import { diskCommands, type GateMachine, startGateMachine } from '../support/gate-machine.ts';

machineGateSuite('over SSH', async () => {
  const { gate, close } = await startGateMachine();
  return { gate, close };
});

const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

describe('the gate of a real machine', () => {
  let on: GateMachine;
  beforeAll(async () => {
    on = await startGateMachine();
  });
  afterAll(async () => {
    await on.close();
  });

  it('is what the supervisors ask for', () => {
    const machines: Machines = on.machines;
    expect(machines.gate(on.machine)).toBeDefined();
  });

  it('runs exactly the commands of the check', async () => {
    const { outputs } = await on.gate.evidence(1, 'disk');
    expect(outputs.map(({ argv }) => argv)).toEqual(diskCommands);
    expect(outputs[0]?.stdout).toContain('Mounted on');
  });

  it('refuses a check that the machine does not know', async () => {
    await expect(on.gate.evidence(1, 'secrets')).rejects.toMatchObject({ code: 'verb-refused' });
  });

  it('keeps the agent of a locked machine from starting, until it is unlocked', async () => {
    const { token } = await on.gate.start(2, 'r-00000000aaaa', traceparent);
    expect(token).not.toBe('');
    expect(await on.gate.lock('maintenance\nuntil  noon')).toEqual({ locked: true, agent: 'inactive' });
    expect((await on.gate.status()).lock?.reason).toBe('maintenance until noon');
    await expect(on.gate.start(3, 'r-00000000bbbb', traceparent)).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining('maintenance until noon'),
    });
    expect(await on.gate.unlock('maintenance until noon')).toMatchObject({ locked: false });
  });

  it('wants a reason for a lock', async () => {
    await expect(on.gate.lock(' \n ')).rejects.toMatchObject({ code: 'input-invalid' });
  });

  it('hands an action to the broker, which refuses it on a machine without keys', async () => {
    const refused = {
      outcome: 'refused',
      detail: expect.stringContaining('test-01: This machine carries no key'),
    };
    expect(await on.gate.act(4, { capsule: '{}', signature: '' })).toEqual(refused);
    expect(await on.gate.result('a-00000000aaaa')).toMatchObject({ outcome: 'unknown' });
  });

  it('tells a worker whose fence is old so, whatever it wants of the agent', async () => {
    await on.gate.evidence(5, 'disk');
    const task = { runId: 'r-00000000aaaa', agentId: 'edge', message: 'MODE:text', traceparent };
    await expect(on.gate.ready(4)).rejects.toMatchObject({ code: 'old-fence' });
    await expect(on.gate.task(4, 'a-token-of-some-length', task)).rejects.toMatchObject({
      code: 'old-fence',
    });
  });

  it('says that the agent died when its gateway is waited for and the unit is gone', async () => {
    await on.gate.stop(5);
    await expect(on.gate.ready(5)).rejects.toMatchObject({
      code: 'agent-not-ready',
      message: expect.stringContaining('died'),
    });
  });
});

describe('an agent that never gets ready', () => {
  it('is given up after the limit of the machine', async () => {
    const on = await startGateMachine({
      agentCommand: [process.execPath, '-e', 'setInterval(() => {}, 1000)'],
      limits: { readyTimeoutMs: 700 },
    });
    try {
      await on.gate.start(1, 'r-00000000aaaa', traceparent);
      await expect(on.gate.ready(1)).rejects.toMatchObject({
        code: 'agent-not-ready',
        message: expect.stringContaining('700 ms'),
      });
      await on.gate.stop(1);
      expect((await on.gate.status()).agent).toBe('inactive');
    } finally {
      await on.close();
    }
  });
});
