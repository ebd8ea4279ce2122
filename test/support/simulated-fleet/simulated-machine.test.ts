import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { createMachines } from '../../../src/edge-client/create-machines.ts';
import { newKeyPair } from '../../../src/sandbox/key-pair.ts';
import { machineGateSuite } from '../../conformance/machine-gate.ts';
import { machineRecord } from '../machine-record.ts';
import { type SimulatedFleetOptions, startSimulatedFleet } from './start-simulated-fleet.ts';

async function open(options: Partial<SimulatedFleetOptions> = {}) {
  const fleet = await startSimulatedFleet({ count: 1, ...options });
  const [entry] = fleet.entries;
  if (entry === undefined) throw new Error('the fleet has no machine');
  const { name, ssh, hostKey } = entry;
  const record = machineRecord(
    { port: ssh.port, hostKey },
    { name, limits: { statusTimeoutMs: 1_000, connectTimeoutMs: 1_000 } },
  );
  const machines = createMachines({ privateKey: newKeyPair().privateKey, log: pino({ level: 'silent' }) });
  const close = async () => {
    await machines.close();
    await fleet.close();
  };
  return { gate: machines.gate(record), machine: fleet.machine(name), close, [Symbol.asyncDispose]: close };
}

machineGateSuite('a simulated machine over SSH', () => open());

const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const run = 'r-00000000aaaa';

describe('a simulated machine', () => {
  it('answers nobody while it is silent, and is there again afterwards', async () => {
    await using under = await open();
    await under.gate.status();
    under.machine.goSilent();
    await expect(under.gate.status()).rejects.toMatchObject({ code: 'timeout' });
    under.machine.comeBack();
    expect((await under.gate.status()).agent).toBe('inactive');
  });

  it('does what it was told also where the answer is cut off', async () => {
    let cut = true;
    const fault = () => {
      const first = cut;
      cut = false;
      return first ? ({ kind: 'cut', done: true } as const) : undefined;
    };
    const activation = () => ({ readyAfterMs: 0, taskMs: 0, ends: 'answers' }) as const;
    await using under = await open({ behaviour: () => ({ fault, activation }) });
    await expect(under.gate.start(1, run, trace)).rejects.toMatchObject({ code: 'unreachable' });
    expect(await under.gate.status()).toMatchObject({ agent: 'active', run });
    expect(under.machine.books.alive).toMatchObject({ run });
    await under.gate.stop(2);
    expect(under.machine.books.alive).toBeUndefined();
    expect(under.machine.books.violations()).toEqual([]);
  });

  it('has an agent that can die in its task', async () => {
    const activation = () => ({ readyAfterMs: 0, taskMs: 0, ends: 'dies-tasking' }) as const;
    await using under = await open({ behaviour: () => ({ fault: () => undefined, activation }) });
    const { token } = await under.gate.start(1, run, trace);
    await under.gate.ready(1);
    const task = { runId: run, agentId: 'edge', message: 'Is all well?', traceparent: trace };
    await expect(under.gate.task(1, token, task)).rejects.toMatchObject({ code: 'agent-lost' });
    expect(await under.gate.status()).toMatchObject({ agent: 'failed', run: null });
  });
});
