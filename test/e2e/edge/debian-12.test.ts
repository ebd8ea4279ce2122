import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMachines, type EdgeMachines } from '../../../src/edge-client/create-machines.ts';
import type { Gate } from '../../../src/edge-client/gate.ts';
import { readFleetFile } from '../../../src/runtime/fleet-file.ts';
import type { EdgeMachine } from '../../support/edge-machines/edge-machine.ts';
import { eventually } from '../parts/eventually.ts';
import { flagsFor, setUp } from './parts/govern.ts';
import { type GovernedMachines, startGovernedMachines } from './parts/governed-machines.ts';

const name = 'edge-12';
const run = 'r-00000000dddd';
const trace = 'd'.repeat(32);
const traceparent = `00-${trace}-${'c'.repeat(16)}-01`;
const runtimeMaxSeconds = 5;
const task = { runId: run, agentId: 'edge', message: 'MODE:tool which kernel is this?', traceparent };

describe('Debian 12, whose podman has no Quadlet', () => {
  let governed: GovernedMachines;
  let edge: EdgeMachines;
  let machine: EdgeMachine;
  let gate: Gate;

  beforeAll(async () => {
    governed = await startGovernedMachines([{ name, suite: 'bookworm' }]);
    edge = createMachines({ privateKey: governed.key.privateKey, log: pino({ level: 'silent' }) });
    machine = governed.machine(name);
    const record = (await readFleetFile(governed.fleetFile)).machines.get(name);
    if (!record) throw new Error(`${name} is not in the fleet file`);
    gate = edge.gate(record);
  });

  afterAll(async () => {
    await edge?.close();
    await governed?.[Symbol.asyncDispose]();
  });

  const setUpAgain = (...flags: string[]) =>
    setUp(machine, [...flagsFor(machine, governed.options(name)), ...flags]);

  const start = async () => {
    const fence = (await gate.status()).fence + 1;
    return { fence, token: (await gate.start(fence, run, traceparent)).token };
  };

  /** A property of a unit of the agent's user. */
  const show = async (unit: string, property: string) => {
    const argv = ['systemctl', '--user', '--machine=openclaw@', 'show', '--value', `--property=${property}`];
    return (await machine.run([...argv, unit])).trim();
  };

  const agentProcesses = async () =>
    (await machine.attempt(['pgrep', '-xf', 'node /opt/fleetbot/entrypoint.ts'])).stdout.trim();

  it('is as it should be when it is set up again', async () => {
    const { exitCode, stdout, stderr } = await setUpAgain();
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('Nothing to change');
  });

  it('runs the agent for a task, traced, and stops it', async () => {
    const { fence, token } = await start();
    const pid = await agentProcesses();
    expect(await machine.run(['cat', `/proc/${pid}/oom_score_adj`])).toBe('900\n');
    expect(await machine.run(['cat', `/proc/${pid}/status`])).toMatch(
      /^CapBnd:\t0+\nCapAmb:\t0+\nNoNewPrivs:\t1$/m,
    );
    await gate.ready(fence);
    const answer = await gate.task(fence, token, task);
    expect(answer.text).toMatch(/^It says: Linux /);
    await eventually(() =>
      expect(
        governed.spans.spans.filter(({ traceId }) => traceId === trace).map((span) => span.name),
      ).toContain('tool.execution'),
    );
    await gate.stop(fence);
    expect(await gate.status()).toMatchObject({ agent: 'inactive', run: null });
    expect(await agentProcesses()).toBe('');
    const secrets = await machine.run(['runuser', '-u', 'openclaw', '--', 'podman', 'secret', 'ls']);
    expect(secrets).not.toContain('openclaw-gateway-token');
  });

  it('leaves a killed agent dead, as a failure', async () => {
    const { fence } = await start();
    await machine.run(['kill', '-KILL', await agentProcesses()]);
    await eventually(async () => expect((await gate.status()).agent).toBe('failed'));
    expect(await show('openclaw-agent.service', 'NRestarts')).toBe('0');
    await gate.stop(fence);
    expect(await agentProcesses()).toBe('');
  });

  it('starts the agent for nobody outside an activation, and not at boot', async () => {
    const byHand = ['systemctl', '--user', '--machine=openclaw@', 'start', 'openclaw-agent.service'];
    expect((await machine.attempt(byHand)).stderr).toContain('Assertion failed');
    const { fence } = await gate.status();
    await machine.reboot();
    expect(await eventually(() => gate.status())).toMatchObject({ agent: 'inactive', run: null, fence });
    await eventually(async () =>
      expect(await show('fleetbot-collector.service', 'ActiveState')).toBe('active'),
    );
    expect(await agentProcesses()).toBe('');
  });

  it('ends an agent that nobody stops', async () => {
    const { exitCode } = await setUpAgain('--no-warm-up', '--runtime-max-seconds', String(runtimeMaxSeconds));
    expect(exitCode).toBe(0);
    await start();
    expect(await agentProcesses()).not.toBe('');
    await eventually(async () => expect((await gate.status()).agent).toBe('failed'));
    expect(await show('openclaw-agent.service', 'Result')).toBe('timeout');
    expect(await agentProcesses()).toBe('');
  });

  it('has it taken off again', async () => {
    const argv = ['/root/edge/scripts/setup-edge.sh', '--uninstall', '--purge'];
    const { exitCode, stderr } = await machine.attempt(argv);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const links = await machine.run(['ls', '-A', '/etc/systemd/user/default.target.wants']);
    expect(links).not.toContain('fleetbot');
    expect((await machine.attempt(['getent', 'passwd', 'fleetbot', 'openclaw'])).stdout).toBe('');
  });
});
