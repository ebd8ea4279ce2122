import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { EdgeGate, gateFolder, patiently, python, skipsPython } from '../support/edge-gate.ts';

const start = `start 3 r-00000000aaaa 00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const mebibyte = 1024 * 1024;

describe.skipIf(skipsPython)("a connection to the agent's gateway", () => {
  it('is there for the fence of the activation alone, while its unit is active', async () => {
    await using edge = await EdgeGate.start();
    expect(await edge.refusal('connect 3')).toMatchObject({ code: 'not-active' });
    await edge.reply(start);
    expect(await edge.refusal('connect 2')).toMatchObject({ code: 'old-fence', fence: 3 });
    expect(await edge.refusal('connect 4')).toMatchObject({ code: 'not-active' });
    expect(await edge.reply('status')).toMatchObject({ fence: 3 });
    edge.broker.agent = 'activating';
    expect(await edge.refusal('connect 3')).toMatchObject({ code: 'not-active' });
  });

  it('just ends while nobody listens', async () => {
    await using edge = await EdgeGate.start();
    await edge.reply(start);
    expect(await edge.run('connect 3')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('passes on the end of what is sent, and then still brings the answer', async () => {
    await using connected = await connect((socket) => {
      text(socket).then((sent) => socket.end(`got ${sent}`));
    });
    connected.child.stdin.end('all of it');
    expect(await text(connected.child.stdout)).toBe('got all of it');
    expect(await connected.ended).toBe(0);
  });

  it('brings everything unchanged, in both directions at once', async () => {
    await using connected = await connect((socket) => socket.pipe(socket));
    const sent = randomBytes(8 * mebibyte);
    Readable.from([sent]).pipe(connected.child.stdin);
    expect(await digest(connected.child.stdout)).toBe(createHash('sha256').update(sent).digest('hex'));
    expect(await connected.ended).toBe(0);
  });

  it('reads no more from the gateway than the client takes', async () => {
    const sent = randomBytes(32 * mebibyte);
    let gateway: Socket | undefined;
    await using connected = await connect((socket) => {
      gateway = socket;
      socket.end(sent);
    });
    await expect.poll(() => gateway?.bytesWritten, patiently).toBeGreaterThan(0);
    const { pid } = connected.child;
    const memory = async () =>
      Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]);
    await expect.poll(() => isWaiting(pid), patiently).toBe(true);
    expect(await memory()).toBeLessThan(sent.length / 1024);
    expect(await digest(connected.child.stdout)).toBe(createHash('sha256').update(sent).digest('hex'));
  });

  it('costs no processor time while nothing is said, also after one side has said all', async () => {
    await using connected = await connect((socket) => socket.resume());
    connected.child.stdin.end('all of it');
    await connected.sentAll;
    await expect.poll(() => isWaiting(connected.child.pid), patiently).toBe(true);
    const before = await processorTicks(connected.child.pid);
    await sleep(300);
    // A busy loop would have used about 30 ticks of 10 ms.
    expect((await processorTicks(connected.child.pid)) - before).toBeLessThan(5);
  });

  it('ends with the gateway, also one that breaks off', async () => {
    await using connected = await connect((socket) => socket.once('data', () => socket.resetAndDestroy()));
    connected.child.stdin.write('hello');
    expect(await connected.ended).toBe(0);
  });

  it('ends with its client, and the gateway is told', async () => {
    await using connected = await connect((socket) => socket.resume());
    for (const stream of connected.child.stdio) stream?.destroy();
    expect(await connected.ended).toBe(0);
    await connected.sentAll;
  });

  it('is refused when somebody else than the agent has the port, before a byte is sent', async () => {
    let connections = 0;
    const server = createServer(() => {
      connections += 1;
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using edge = await EdgeGate.start({ port: portOf(server.address()), agentUser: 'nobody' });
    await edge.reply(start);
    expect(await edge.refusal('connect 3')).toMatchObject({
      code: 'unit-failed',
      message: expect.stringContaining(`uid ${process.getuid?.()}, not by the agent`),
    });
    expect(connections).toBe(0);
    server.close();
  });

  it('is not made where the port changed hands in between', async () => {
    await using server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const connected = (inodes: string): boolean => {
      const program = `
import os, pwd, sys; sys.path.insert(0, sys.argv[1]); import relay
seen = [{(os.getuid(), inode)} for inode in sys.argv[2]]
relay.listeners = lambda port: seen.pop(0)
print(relay.open_gateway(int(sys.argv[3]), pwd.getpwuid(os.getuid()).pw_name) is not None)`;
      const args = ['-I', '-S', '-c', program, gateFolder, inodes, String(portOf(server.address()))];
      return spawnSync(python ?? 'python3', args, { encoding: 'utf8' }).stdout === 'True\n';
    };
    expect([connected('11'), connected('12')]).toEqual([true, false]);
  });
});

describe.skipIf(skipsPython)('who has a port', () => {
  const row = (address: string, state: string, uid: number, inode: number) =>
    `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000 ${uid} 0 ${inode} 1\n`;
  const port = 18789;
  const hex = port.toString(16).toUpperCase();

  it('is everybody who would take a connection to 127.0.0.1, over IPv6 too', async () => {
    const found = await listeners({
      tcp: [
        row(`0100007F:${hex}`, '0A', 1, 11),
        row(`00000000:${hex}`, '0A', 2, 12),
        row(`0200007F:${hex}`, '0A', 3, 13),
        row('0100007F:0016', '0A', 4, 14),
        row(`0100007F:${hex}`, '01', 5, 15),
      ],
      tcp6: [
        row(`${'0'.repeat(32)}:${hex}`, '0A', 6, 16),
        row(`0000000000000000FFFF00000100007F:${hex}`, '0A', 7, 17),
        row(`00000000000000000000000001000000:${hex}`, '0A', 8, 18),
      ],
    });
    expect(found).toEqual([
      [1, '11'],
      [2, '12'],
      [6, '16'],
      [7, '17'],
    ]);
  });

  it('is told without IPv6 as well', async () => {
    expect(await listeners({ tcp: [row(`0100007F:${hex}`, '0A', 1, 11)] })).toEqual([[1, '11']]);
  });

  it.each([
    ['the user itself', 'USER:100000:65536', 0, true],
    ['the first of its range', 'USER:100000:65536', 100_000, true],
    ['the last of its range', 'USER:100000:65536', 165_535, true],
    ['the one after its range', 'USER:100000:65536', 165_536, false],
    ["another user's range", 'other:100000:65536', 100_999, false],
    ['a range by uid', `${process.getuid?.()}:100000:65536`, 100_999, true],
    ['nobody known', '', 100_999, false],
  ])("belongs to the agent's user: %s", async (_what, line, uid, belongs) => {
    await using folder = await temporaryFolder();
    const [, user] = spawnSync('id', ['-un'], { encoding: 'utf8' }).output;
    const name = user?.trim() ?? '';
    const file = join(folder.path, 'subuid');
    await writeFile(file, `${line.replace('USER', name)}\n`);
    const own = process.getuid?.() ?? 0;
    const call = `is_uid_of(${JSON.stringify(name)}, ${uid === 0 ? own : uid}, ${JSON.stringify(file)})`;
    expect(portOwner(call)).toBe(belongs);
  });

  async function listeners(tables: Record<string, string[]>): Promise<unknown> {
    await using folder = await temporaryFolder();
    for (const [name, rows] of Object.entries(tables)) {
      await writeFile(join(folder.path, name), `  sl  local_address\n${rows.join('')}`);
    }
    return portOwner(`sorted(listeners(${port}, ${JSON.stringify(folder.path)}))`);
  }
});

function portOwner(call: string): unknown {
  const program = `import json, sys; sys.path.insert(0, sys.argv[1]); from port_owner import *; print(json.dumps(${call}))`;
  const { stdout } = spawnSync(python ?? 'python3', ['-I', '-S', '-c', program, gateFolder], {
    encoding: 'utf8',
  });
  return JSON.parse(stdout);
}

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'fleetbot-port-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A gate that is connected to a gateway of the test, which has said hello or nothing. */
async function connect(onConnection: (socket: Socket) => void) {
  const { promise: sentAll, resolve } = Promise.withResolvers<void>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {}).once('end', resolve);
    onConnection(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const edge = await EdgeGate.start({ port: portOf(server.address()) });
  await edge.reply(start);
  const connected = once(server, 'connection');
  const child = edge.spawn('connect 3');
  child.stdin.on('error', () => {});
  const ended = once(child, 'exit').then(([exitCode]) => exitCode);
  await connected;
  return {
    child,
    ended,
    sentAll,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      server.close();
      await edge[Symbol.asyncDispose]();
    },
  };
}

function portOf(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return address.port;
}

async function digest(stream: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest('hex');
}

/** The fields of proc(5)'s stat from the third on. */
async function stat(pid: number | undefined): Promise<string[]> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8');
  return line.slice(line.lastIndexOf(')') + 2).split(' ');
}

async function isWaiting(pid: number | undefined): Promise<boolean> {
  return (await stat(pid))[0] === 'S';
}

async function processorTicks(pid: number | undefined): Promise<number> {
  const fields = await stat(pid);
  return Number(fields[14 - 3]) + Number(fields[15 - 3]);
}
