import { once } from 'node:events';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BrokerMachine, brokerFolder, hasPython, patience } from '../support/edge-broker.ts';
import { isRunning } from '../support/is-running.ts';

let machine: BrokerMachine;

async function connect(door: 'gate' | 'agent'): Promise<Socket> {
  const socket = createConnection(join(machine.folder, `${door}.sock`));
  await once(socket, 'connect');
  return socket;
}

const about = () => machine.gate({ do: 'about' });

describe.runIf(hasPython)("the broker's sockets", () => {
  beforeAll(async () => {
    machine = new BrokerMachine();
    await machine.prepare({
      checks: { slow: { commands: [['slow']] } },
      limits: { commandTimeoutSeconds: 1 },
    });
    await machine.program('slow', `echo $$ > ${machine.folder}/slow; exec /bin/sleep 60`);
    await machine.start();
  });
  afterAll(() => machine.remove());

  it.each([
    ['garbage', '\x00\xff\x00{{{\n'],
    ['no object', '[]\n'],
    ['a line without end', 'x'.repeat(300_000)],
    ['JSON nested without end', `${'['.repeat(60_000)}\n`],
    ['half a number', '-\n'],
    ['an empty line', '\n'],
  ])('refuses %s and serves on', async (_, bytes) => {
    for (const door of ['gate', 'agent'] as const) {
      const reply = await machine.send(door, bytes).catch(() => '{"refused":"closed"}');
      expect(JSON.parse(reply || '{"refused":"closed"}')).toHaveProperty('refused');
    }
    expect(await about()).toHaveProperty('ok');
  });

  it('refuses callers who come and say nothing only when there are many of them', async () => {
    const idle = await Promise.all(Array.from({ length: 16 }, () => connect('agent')));
    expect(await machine.agent({ argv: ['x'] })).toMatchObject({ refused: { code: 'busy' } });
    // They are the agent's: the gate has places of its own.
    expect(await about()).toHaveProperty('ok');
    for (const socket of idle) socket.destroy();
    await expect
      .poll(() => machine.agent({ argv: ['x'] }), patience)
      .toMatchObject({ refused: { code: 'no-activation' } });
  });

  it('gives a slow caller a while', async () => {
    const socket = await connect('gate');
    for (const piece of ['{"do":', '"about"', '}\n']) {
      socket.write(piece);
      await about();
    }
    expect(JSON.parse(await text(socket))).toHaveProperty('ok');
  });

  it('outlives callers who leave at any moment', async () => {
    for (const bytes of ['', '{"do"', '{"do":"about"}\n', '{"do":"evidence","fence":1,"check":"slow"}\n']) {
      const socket = await connect('gate');
      socket.write(bytes);
      socket.destroy();
    }
    expect(await about()).toHaveProperty('ok');
    const { pid } = machine.child;
    const threads = async () => (await readdir(`/proc/${pid}/task`)).length;
    await expect.poll(threads, patience).toBe(1);
    expect(machine.printed).not.toContain('Traceback');
  });

  it('ends on SIGTERM once the calls are answered', async () => {
    await rm(join(machine.folder, 'slow'), { force: true });
    const reply = machine.gate({ do: 'evidence', fence: 1, check: 'slow' });
    await expect.poll(() => readdir(machine.folder), patience).toContain('slow');
    expect(await machine.end()).toBe(0);
    expect(await reply).toMatchObject({ ok: { outputs: [{ exitCode: null }] } });
  });

  it("takes systemd's sockets by their names, whatever their order", async () => {
    await machine.end();
    const launcher = `
import fcntl, os, socket, sys
folder, *command = sys.argv[1:]
def listening_at(path):
    os.unlink(path)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen()
    return fcntl.fcntl(listening.detach(), fcntl.F_DUPFD, 10)
agent, gate = (listening_at(f"{folder}/{name}.sock") for name in ("agent", "gate"))
os.dup2(agent, 3)
os.dup2(gate, 4)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="agent:gate")
os.execvp(command[0], command)`;
    await machine.startWith('python3', [
      ...['-I', '-S', '-c', launcher, machine.folder, 'python3', '-I', '-S', brokerFolder],
      ...machine.options(),
    ]);
    expect(await machine.agent({ argv: ['x'] })).toMatchObject({ refused: { code: 'no-activation' } });
  });

  it('does not start on files that it cannot read, and says which', async () => {
    await machine.end();
    await writeFile(join(machine.folder, 'machine.json'), '{"name":"m1"}');
    await expect(machine.start()).rejects.toThrow(/cannot start: runDir .*setup-edge/);
    expect(isRunning(machine.child.pid ?? 0)).toBe(false);
  });
});
