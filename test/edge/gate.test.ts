import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { createMachines } from '../../src/edge-client/create-machines.ts';
import { startReplySchema, statusReplySchema } from '../../src/edge-client/gate-protocol.ts';
import { edgeKitVersion } from '../../src/fleet/edge-kit.ts';
import { newKeyPair } from '../../src/sandbox/key-pair.ts';
import { machineGateSuite } from '../conformance/machine-gate.ts';
import type { AgentProcess } from '../support/broker-stand-in.ts';
import { EdgeGate, listenForGate, patiently, skipsPython } from '../support/edge-gate.ts';
import { machineRecord } from '../support/machine-record.ts';

const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const run = 'r-00000000aaaa';
const otherRun = 'r-00000000bbbb';
const start = (fence: number, id = run) => `start ${fence} ${id} ${traceparent}`;

describe.skipIf(skipsPython)('the installed gate', () => {
  machineGateSuite('as installed on machines', async () => {
    const edge = await EdgeGate.start({ agent: scriptedAgent });
    const ssh = await listenForGate(edge.folder);
    const machines = createMachines({
      privateKey: newKeyPair().privateKey,
      log: pino({ level: 'silent' }),
    });
    return {
      gate: machines.gate(machineRecord(ssh)),
      async close() {
        await machines.close();
        await ssh.close();
        await edge[Symbol.asyncDispose]();
      },
    };
  });

  describe('status', () => {
    it('tells what is installed, and of the run only while its agent lasts', async () => {
      await using edge = await EdgeGate.start();
      const installed = {
        ...{ gate: edgeKitVersion, broker: edgeKitVersion, plugin: edgeKitVersion, traces: true },
        ...{ image: 'agent@sha256:1', policy: 'sha256:2', signers: ['SHA256:3'] },
      };
      await edge.reply(start(3));
      const status = statusReplySchema.parse(await edge.reply('status'));
      expect(status).toMatchObject({ machine: 'test-01', agent: 'active', run, fence: 3, installed });
      edge.broker.agent = 'failed';
      expect(await edge.reply('status')).toMatchObject({ agent: 'failed', run: null, fence: 3 });
    });

    it('waits for nobody, not even for a stop that takes long', async () => {
      await using edge = await EdgeGate.start();
      const { promise: stopped, resolve: stop } = Promise.withResolvers<undefined>();
      edge.broker.before = ({ do: what }) => (what === 'agent-stop' ? stopped : Promise.resolve(undefined));
      const stopping = edge.reply('stop 4');
      await expect.poll(() => edge.broker.asked('agent-stop'), patiently).toBe(1);
      expect(await edge.reply('status')).toMatchObject({ fence: 4 });
      stop(undefined);
      await stopping;
    });

    it('is refused where the broker does not answer: nobody knows how the agent is', async () => {
      await using edge = await EdgeGate.start();
      edge.broker.before = async () => 'nonsense\n';
      const refusal = { code: 'internal', message: expect.stringContaining('fleetbot-broker') };
      expect(await edge.refusal('status')).toMatchObject(refusal);
    });
  });

  describe('start', () => {
    it('is the same activation when it is repeated, and needs a stop before another one', async () => {
      await using edge = await EdgeGate.start();
      const first = startReplySchema.parse(await edge.reply(start(3)));
      expect(await Promise.all([edge.reply(start(3)), edge.reply(start(3))])).toEqual([first, first]);
      const refusal = { code: 'unit-failed', message: expect.stringContaining('Stop it first') };
      expect(await edge.refusal(start(3, otherRun))).toMatchObject(refusal);
      expect(await edge.refusal(start(4))).toMatchObject(refusal);
      expect(await edge.reply('status')).toMatchObject({ run, fence: 4 });
      await edge.reply('stop 4');
      expect(await edge.reply(start(5))).not.toEqual(first);
    });

    it('hands run, fence and trace to the broker', async () => {
      await using edge = await EdgeGate.start();
      await edge.reply(start(3));
      expect(edge.broker.requests).toContainEqual({ do: 'agent-start', fence: 3, run, traceparent });
    });

    it('is refused when the unit does not get active, and can be asked again', async () => {
      await using edge = await EdgeGate.start();
      edge.broker.becomes = 'failed';
      expect(await edge.refusal(start(3))).toMatchObject({ code: 'unit-failed' });
      expect(await edge.reply('status')).toMatchObject({ agent: 'failed', run: null });
      edge.broker.becomes = 'active';
      expect(await edge.reply(start(3))).toMatchObject({ token: expect.any(String) });
    });

    it('that the broker refused leaves no activation behind', async () => {
      await using edge = await EdgeGate.start();
      const refused = { code: 'unit-failed', message: 'No.' };
      edge.broker.before = async ({ do: what }) =>
        what === 'agent-start' ? `${JSON.stringify({ refused })}\n` : undefined;
      expect(await edge.refusal(start(3))).toEqual(refused);
      edge.broker.agent = 'active';
      expect(await edge.reply('status')).toMatchObject({ agent: 'active', run: null, fence: 3 });
    });

    it('never comes after the stop of its fence', async () => {
      await using edge = await EdgeGate.start();
      await edge.reply('stop 3');
      expect(await edge.refusal(start(3))).toMatchObject({ code: 'old-fence', fence: 3 });
      expect(edge.broker.asked('agent-start')).toBe(0);
      expect(await edge.reply(start(4))).toMatchObject({ token: expect.any(String) });
    });

    it('lets a stop in while the unit is still getting active', async () => {
      await using edge = await EdgeGate.start();
      const { promise: waited, resolve: end } = Promise.withResolvers<undefined>();
      edge.broker.before = ({ do: what }) => (what === 'agent-wait' ? waited : Promise.resolve(undefined));
      const starting = edge.refusal(start(3));
      await expect.poll(() => edge.broker.asked('agent-wait'), patiently).toBe(1);
      expect(await edge.reply('stop 3')).toEqual({ agent: 'inactive' });
      end(undefined);
      expect(await starting).toMatchObject({ code: 'unit-failed' });
    });
  });

  describe('lock', () => {
    it('does not wait for evidence that takes long', async () => {
      await using edge = await EdgeGate.start();
      const { promise: gathered, resolve: gather } = Promise.withResolvers<undefined>();
      edge.broker.before = ({ do: what }) => (what === 'evidence' ? gathered : Promise.resolve(undefined));
      const evidence = edge.reply('evidence 5 disk');
      await expect.poll(() => edge.broker.asked('evidence'), patiently).toBe(1);
      expect(await edge.reply('lock now')).toEqual({ locked: true, agent: 'inactive' });
      gather(undefined);
      expect(await evidence).toMatchObject({ check: 'disk' });
    });

    it('keeps reasons in every script', async () => {
      await using edge = await EdgeGate.start();
      const reason = 'Wartung – bis 12:00 Ümit 保守 🚧';
      await edge.reply(`lock ${reason}`);
      expect(await edge.reply('status')).toMatchObject({ lock: { reason } });
      expect(await edge.reply('unlock other reason')).toEqual({ locked: true, agent: 'inactive' });
      expect(await edge.reply(`unlock ${reason}`)).toEqual({ locked: false, agent: 'inactive' });
    });

    it('stands, and says so, when the agent cannot be stopped', async () => {
      await using edge = await EdgeGate.start();
      edge.broker.before = async ({ do: what }) => (what === 'agent-stop' ? '' : undefined);
      const refusal = { code: 'internal', message: expect.stringContaining('may still run') };
      expect(await edge.refusal('lock now')).toMatchObject(refusal);
      expect(await edge.refusal(start(3))).toMatchObject({ code: 'locked' });
    });
  });

  it('gives evidence up once nobody waits for it any more, so that its commands are ended', async () => {
    await using edge = await EdgeGate.start();
    edge.broker.before = ({ do: what }) =>
      what === 'evidence' ? new Promise(() => {}) : Promise.resolve(undefined);
    const gate = edge.spawn('evidence 5 disk');
    await expect.poll(() => edge.broker.asked('evidence'), patiently).toBe(1);
    gate.stdout.destroy();
    expect(await once(gate, 'exit')).toEqual([1, null]);
  });

  describe('an action', () => {
    it('goes to the broker with its capsule, and what became of it comes from there', async () => {
      await using edge = await EdgeGate.start();
      expect(await edge.refusal('act 3', '{"capsule":true}')).toMatchObject({ code: 'verb-refused' });
      const [request] = edge.broker.requests;
      expect(request).toEqual({ do: 'act', fence: 3, capsule: '{"capsule":true}' });
      const id = 'a-00000000aaaa';
      expect(await edge.reply(`result ${id}`)).toMatchObject({ id, outcome: 'unknown' });
    });

    it('comes before or after whatever else has a fence, never while it is about to begin', async () => {
      await using edge = await EdgeGate.start();
      const { promise: begun, resolve: begin } = Promise.withResolvers<undefined>();
      edge.broker.before = ({ do: what }) => (what === 'act' ? begun : Promise.resolve(undefined));
      const acting = edge.refusal('act 3', '{}');
      await expect.poll(() => edge.broker.asked('act'), patiently).toBe(1);
      const others = [edge.reply('stop 4'), edge.reply('lock now'), edge.reply('evidence 4 disk')];
      expect(await edge.reply('status')).toMatchObject({ fence: 3, lock: null });
      expect(edge.broker.asked('agent-stop') + edge.broker.asked('evidence')).toBe(0);
      begin(undefined);
      await acting;
      await Promise.all(others);
      expect(await edge.refusal('act 3', '{}')).toMatchObject({ code: 'old-fence', fence: 4 });
      expect(edge.broker.asked('act')).toBe(1);
    });

    it('is not begun on a locked machine, which remembers its fence', async () => {
      await using edge = await EdgeGate.start();
      await edge.reply('lock a leak');
      const refusal = { code: 'locked', message: expect.stringContaining('a leak') };
      expect(await edge.refusal('act 3', '{}')).toMatchObject(refusal);
      expect(edge.broker.asked('act')).toBe(0);
      expect(await edge.reply('status')).toMatchObject({ fence: 3 });
    });

    it('that must not be interrupted is told of by whatever tells how the machine is', async () => {
      await using edge = await EdgeGate.start();
      const action = { id: 'a-00000000aaaa', name: 'vacuum' };
      edge.broker.action = { ...action, interruptible: false };
      expect(await edge.reply('status')).toMatchObject({ action });
      expect(await edge.reply('lock now')).toEqual({ locked: true, agent: 'inactive', action });
      expect(await edge.reply('unlock')).toEqual({ locked: false, agent: 'inactive', action });
    });

    it('that may be interrupted is ended by a lock, also when the agent cannot be stopped, and by no stop', async () => {
      await using edge = await EdgeGate.start();
      edge.broker.action = { id: 'a-00000000aaaa', name: 'vacuum', interruptible: true };
      expect(await edge.reply('status')).not.toHaveProperty('action');
      await edge.reply('stop 3');
      expect(edge.broker.action).not.toBeNull();
      edge.broker.before = async ({ do: what }) => (what === 'agent-stop' ? 'nonsense\n' : undefined);
      expect(await edge.refusal('lock now')).toMatchObject({ code: 'internal' });
      expect(edge.broker.action).toBeNull();
      expect(await edge.reply('status')).toMatchObject({ lock: { reason: 'now' } });
    });

    it('is refused when its capsule is too long or no text, before anything is done', async () => {
      await using edge = await EdgeGate.start();
      expect(await edge.refusal('act 3', 'x'.repeat(65_537))).toMatchObject({ code: 'verb-refused' });
      const binary = ['sh', '-c', `printf '\\377' | "$@"`, 'sh', ...edge.command];
      expect((await edge.run('act 3', '', binary)).stderr).toContain('UTF-8');
      expect(edge.broker.requests).toEqual([]);
      expect(await edge.reply('status')).toMatchObject({ fence: 0 });
    });
  });

  it('forgets an activation with the boot that it began in', async () => {
    await using edge = await EdgeGate.start();
    await edge.reply(start(3));
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    await edge.rewrite((books) => books.replace(boot, 'of-another-boot'));
    expect(await edge.reply('status')).toMatchObject({ run: null, fence: 3 });
    expect(await edge.refusal('connect 3')).toMatchObject({ code: 'not-active' });
  });

  it('tells the journal of every call: who asked for what, and how it ended', async () => {
    await using edge = await EdgeGate.start();
    await using journal = await edge.journal();
    await edge.reply('evidence 3 disk');
    await edge.refusal('status\nMESSAGE=forged');
    await edge.reply(start(4));
    const [done, refused, started] = await journal.entries(3);
    expect(started).toMatchObject({ FLEETBOT_RUN: run, FLEETBOT_FENCE: '4', FLEETBOT_TRACE: 'a'.repeat(32) });
    expect(done).toMatchObject({
      MESSAGE: "'evidence 3 disk' from 192.0.2.7: done",
      SYSLOG_IDENTIFIER: 'fleetbot-gate',
      FLEETBOT_VERB: 'evidence',
      FLEETBOT_FENCE: '3',
      FLEETBOT_CHECK: 'disk',
      FLEETBOT_FROM: '192.0.2.7',
    });
    expect(refused).toMatchObject({
      MESSAGE: expect.stringContaining("'status\\nMESSAGE=forged' from 192.0.2.7: refused (verb-refused)"),
      FLEETBOT_REFUSED: 'verb-refused',
    });
  });

  it('says what to do when its machine file is missing', async () => {
    await using edge = await EdgeGate.start();
    const command = edge.command.map((word) => word.replace('machine.json', 'nowhere.json'));
    const { exitCode, stderr } = await edge.run('status', '', command);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stderr)).toMatchObject({
      code: 'internal',
      message: expect.stringContaining('setup-edge.sh'),
    });
  });
});

/** The sandbox's agent on the machine's port: a process that comes with start and goes with stop. */
function scriptedAgent(port: number): AgentProcess {
  const program = fileURLToPath(new URL('../support/agents/scripted-agent.ts', import.meta.url));
  let child: ChildProcess | undefined;
  return {
    async start(token) {
      const env = { OPENCLAW_GATEWAY_PORT: String(port), OPENCLAW_GATEWAY_TOKEN: token };
      child = spawn(process.execPath, [program], { env, stdio: ['pipe', 'inherit', 'inherit', 'ipc'] });
      await once(child, 'spawn');
    },
    async stop() {
      if (child === undefined) return;
      const exited = once(child, 'exit');
      if (child.kill('SIGKILL')) await exited;
      child = undefined;
    },
  };
}
