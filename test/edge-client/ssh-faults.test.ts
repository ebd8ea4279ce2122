import { once } from 'node:events';
import { createServer } from 'node:net';
import pino from 'pino';
import type { ServerChannel } from 'ssh2';
import { afterEach, describe, expect, it } from 'vitest';
import { authBackOffFirstMs } from '../../src/edge-client/connection-pool.ts';
import { createMachines, type EdgeMachines } from '../../src/edge-client/create-machines.ts';
import { fingerprint, pinnedHostKey } from '../../src/edge-client/host-key.ts';
import { channelsPerConnectionMax } from '../../src/edge-client/kept-connection.ts';
import { newKeyPair } from '../../src/sandbox/key-pair.ts';
import { machineRecord } from '../support/machine-record.ts';
import { type FaultyServer, finish, refuse, reply, startFaultyServer } from '../support/ssh-server.ts';

const key = newKeyPair();
const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function server(options: Parameters<typeof startFaultyServer>[0] = {}): Promise<FaultyServer> {
  const started = await startFaultyServer(options);
  cleanUps.push(started.close);
  return started;
}

function client(options: { clock?: () => number; idleCloseMs?: number } = {}): EdgeMachines {
  const machines = createMachines({ privateKey: key.privateKey, log: pino({ level: 'silent' }), ...options });
  cleanUps.push(machines.close);
  return machines;
}

function answerStatus(_command: string, channel: ServerChannel): void {
  const clock = new Date().toISOString();
  reply(channel, {
    protocol: 1,
    machine: 'test-01',
    agent: 'inactive',
    run: null,
    fence: 0,
    lock: null,
    clock,
  });
}

describe('connecting', () => {
  it.each(['ed25519', 'ecdsa', 'rsa'] as const)('pins a host key of type %s', async (type) => {
    const other = newKeyPair('ed25519');
    const pinned = newKeyPair(type);
    // The server has two keys: the pinned one's type must be the one that is negotiated.
    const on = await server({
      onExec: answerStatus,
      hostKeys: type === 'ed25519' ? [pinned] : [other, pinned],
    });
    const gate = client().gate(machineRecord({ port: on.port, hostKey: pinned.publicKey }));
    expect((await gate.status()).fence).toBe(0);
  });

  it('sends nothing to a machine with another host key, and tells both fingerprints', async () => {
    const on = await server({ onExec: answerStatus });
    const pinned = newKeyPair().publicKey;
    const failure = client()
      .gate(machineRecord({ port: on.port, hostKey: pinned }))
      .status();
    await expect(failure).rejects.toMatchObject({ code: 'host-key-changed' });
    const error = await failure.catch(String);
    expect(error).toContain(fingerprint(pinnedHostKey(pinned).raw));
    expect(error).toContain(fingerprint(pinnedHostKey(on.hostKey).raw));
    expect(error).toContain('edit hostKey in the fleet file');
    expect(on.commands).toEqual([]);
  });

  it('takes a machine that has no key of the pinned type for a changed one', async () => {
    const on = await server({ onExec: answerStatus });
    const pinned = newKeyPair('ecdsa').publicKey;
    await expect(
      client()
        .gate(machineRecord({ port: on.port, hostKey: pinned }))
        .status(),
    ).rejects.toMatchObject({
      code: 'host-key-changed',
    });
  });

  it('leaves a machine alone for a while after it has refused the key', async () => {
    const on = await server({ refuseKeys: true });
    let now = 1_000_000;
    const gate = client({ clock: () => now }).gate(machineRecord(on));
    await expect(gate.status()).rejects.toMatchObject({ code: 'key-refused' });
    await expect(gate.status()).rejects.toMatchObject({
      code: 'key-refused',
      message: expect.stringContaining('left alone for another 10 s'),
    });
    expect(on.connections().made).toBe(1);
    now += authBackOffFirstMs;
    await expect(gate.status()).rejects.toMatchObject({ code: 'key-refused' });
    expect(on.connections().made).toBe(2);
    now += authBackOffFirstMs;
    await expect(gate.status()).rejects.toMatchObject({ message: expect.stringContaining('another 10 s') });
    expect(on.connections().made).toBe(2);
  });

  it('counts the connections that are open, that were opened, and that could not be, by reason', async () => {
    const on = await server({ onExec: answerStatus });
    const refusing = await server({ refuseKeys: true });
    const machines = client({ idleCloseMs: 50 });
    await machines.gate(machineRecord(on)).status();
    expect(machines.stats()).toMatchObject({ open: 1, opened: 1 });
    const refused = machines.gate({ ...machineRecord(refusing), name: 'refusing' });
    await expect(refused.status()).rejects.toMatchObject({ code: 'key-refused' });
    // Left alone this time: no attempt.
    await expect(refused.status()).rejects.toMatchObject({ code: 'key-refused' });
    await expect.poll(() => machines.stats().open).toBe(0);
    const { opened, failed } = machines.stats();
    expect({ opened, ...Object.fromEntries(failed) }).toEqual({
      opened: 1,
      'key-refused': 1,
      'host-key-changed': 0,
      unreachable: 0,
    });
  });

  it('says that a machine where nobody listens is unreachable', async () => {
    const on = await server();
    await on.close();
    cleanUps.length = 0;
    await expect(client().gate(machineRecord(on)).status()).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining(`127.0.0.1:${on.port}`),
    });
  });

  it('gives up a machine that accepts and says nothing after its limit', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    cleanUps.push(async () => void silent.close());
    const address = silent.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const machine = machineRecord({ port, hostKey: key.publicKey }, { limits: { connectTimeoutMs: 300 } });
    await expect(client().gate(machine).status()).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('300 ms'),
    });
  });

  it('refuses to begin with a private key that cannot be read', () => {
    const log = pino({ level: 'silent' });
    expect(() => createMachines({ privateKey: 'nonsense', log })).toThrowError(/private key cannot be read/);
  });
});

describe('the kept connection', () => {
  it('serves one verb after the other, and callers at the same time', async () => {
    const on = await server({ onExec: answerStatus });
    const gate = client().gate(machineRecord(on));
    await Promise.all([gate.status(), gate.status(), gate.status()]);
    await gate.status();
    expect(on.connections()).toEqual({ made: 1, open: 1 });
  });

  it('is closed when nobody has used it for a while, and opened again', async () => {
    const on = await server({ onExec: answerStatus });
    const gate = client({ idleCloseMs: 50 }).gate(machineRecord(on));
    await gate.status();
    await expect.poll(() => on.connections().open).toBe(0);
    await gate.status();
    expect(on.connections().made).toBe(2);
  });

  it('is replaced when the fleet file gives the machine another address', async () => {
    const before = await server({ onExec: answerStatus });
    const after = await server({ onExec: answerStatus });
    const machines = client();
    await machines.gate(machineRecord(before)).status();
    await machines.gate(machineRecord(after)).status();
    await expect.poll(() => before.connections().open).toBe(0);
    expect(after.connections().open).toBe(1);
  });

  it('carries no more commands at a time than a stock sshd allows', async () => {
    const held: ServerChannel[] = [];
    const on = await server({ onExec: (_command, channel) => held.push(channel) });
    const gate = client().gate(machineRecord(on));
    const asked = Array.from({ length: channelsPerConnectionMax + 2 }, () => gate.status());
    await expect.poll(() => held.length).toBe(channelsPerConnectionMax);
    const first = held.shift();
    if (first) answerStatus('', first);
    await expect.poll(() => held.length).toBe(channelsPerConnectionMax);
    for (const channel of held.splice(0)) answerStatus('', channel);
    await expect.poll(() => held.length).toBe(1);
    for (const channel of held) answerStatus('', channel);
    await Promise.all(asked);
    expect(on.connections().made).toBe(1);
  });

  it('that broke under a verb that may be repeated is replaced, and the verb asked again', async () => {
    let breaking = false;
    const on = await server({
      onExec: (command, channel) => {
        if (!breaking) return answerStatus(command, channel);
        breaking = false;
        on.cut();
      },
    });
    const gate = client().gate(machineRecord(on));
    await gate.status();
    breaking = true;
    expect((await gate.status()).agent).toBe('inactive');
    expect(on.connections().made).toBe(2);
  });

  it('that broke under a start is not tried again', async () => {
    const on = await server({
      onExec: (command, channel) => (command === 'status' ? answerStatus(command, channel) : on.cut()),
    });
    const gate = client().gate(machineRecord(on));
    await gate.status();
    const started = gate.start(1, 'r-00000000aaaa', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`);
    await expect(started).rejects.toMatchObject({ code: 'unreachable' });
    expect(on.commands.filter((command) => command.startsWith('start'))).toHaveLength(1);
  });

  it.each([
    ['before it was taken', false],
    ['when it had been taken', true],
  ])('that broke under an action, %s, hands it over no second time', async (_, takes) => {
    const taken: string[] = [];
    const on = await server({
      onExec: (command, channel) => {
        if (command === 'status') return answerStatus(command, channel);
        if (!takes) return on.cut();
        channel.on('data', (chunk: Buffer) => taken.push(chunk.toString())).on('end', () => on.cut());
      },
    });
    const gate = client().gate(machineRecord(on));
    await gate.status();
    const capsule = { capsule: '{}', signature: 'x' };
    await expect(gate.act(1, capsule)).rejects.toMatchObject({ code: 'unreachable' });
    expect(on.commands.filter((command) => command.startsWith('act'))).toEqual(['act 1']);
    expect(taken.join('')).toBe(takes ? JSON.stringify(capsule) : '');
    await gate.status();
    expect(on.commands.filter((command) => command.startsWith('act'))).toHaveLength(1);
  });

  it('whose link was cut is noticed within seconds, long before the verb would time out', async () => {
    const on = await server({ onExec: () => on.freeze() });
    const gate = client().gate(machineRecord(on, { limits: { connectTimeoutMs: 500 } }));
    const start = gate.start(1, 'r-00000000aaaa', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`);
    await expect(start).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('takes nothing any more once fleetbot shuts down', async () => {
    const on = await server({ onExec: answerStatus });
    const machines = client();
    const gate = machines.gate(machineRecord(on));
    await gate.status();
    await machines.close();
    await expect.poll(() => on.connections().open).toBe(0);
    await expect(gate.status()).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('an action', () => {
  const refuses = (code: string) =>
    server({
      onExec: (_command, channel) => refuse(channel, { code, message: 'No, since it is so.', fence: 9 }),
    });
  const capsule = { capsule: '{}', signature: 'x' };

  it.each(['verb-refused', 'locked', 'unit-failed'])(
    'that is refused (%s) has not begun, and why is told',
    async (code) => {
      const gate = client().gate(machineRecord(await refuses(code)));
      expect(await gate.act(1, capsule)).toEqual({
        outcome: 'refused',
        detail: 'test-01: No, since it is so.',
      });
    },
  );

  it('of an old fence is an error of the worker, and one of the gate leaves open whether it has begun', async () => {
    const old = client().gate(machineRecord(await refuses('old-fence')));
    await expect(old.act(1, capsule)).rejects.toMatchObject({ code: 'old-fence' });
    const failed = client().gate(machineRecord(await refuses('internal')));
    await expect(failed.act(1, capsule)).rejects.toMatchObject({ code: 'protocol' });
  });

  it('may have printed as much as a machine keeps, however it is written in JSON', async () => {
    const report = { outcome: 'done', detail: 'It is done.', exitCode: 0, stderr: '' } as const;
    const stdout = '\u0000'.repeat(32_768);
    const on = await server({
      onExec: (_command, channel) => reply(channel, { id: 'a-00000000aaaa', ...report, stdout }),
    });
    const gate = client().gate(machineRecord(on));
    expect(await gate.result('a-00000000aaaa')).toMatchObject({ ...report, stdout });
  });
});

describe('a gate that misbehaves', () => {
  const gateOn = async (onExec: (command: string, channel: ServerChannel) => void, limits = {}) =>
    client().gate(machineRecord(await server({ onExec }), { limits }));

  it.each([
    [
      'not JSON',
      (channel: ServerChannel) => finish(channel, 'Welcome to Debian!', '', 0),
      'Welcome to Debian!',
    ],
    ['JSON of another form', (channel: ServerChannel) => reply(channel, { protocol: 2 }), '"protocol":2'],
    ['nothing', (channel: ServerChannel) => finish(channel, '', '', 0), 'nothing'],
    [
      'an error of the shell',
      (channel: ServerChannel) => finish(channel, '', 'gate: not found', 127),
      'not found',
    ],
    ['too much', (channel: ServerChannel) => channel.write('x'.repeat(200_000)), 'more than 65536 bytes'],
  ])('and answers %s is outside the protocol', async (_what, misbehave, shown) => {
    const gate = await gateOn((_command, channel) => misbehave(channel));
    await expect(gate.status()).rejects.toMatchObject({
      code: 'protocol',
      message: expect.stringContaining(shown),
    });
  });

  it.each([
    ['verb-refused', 'verb-refused'],
    ['old-fence', 'old-fence'],
    ['locked', 'locked'],
    ['not-active', 'unit-failed'],
    ['unit-failed', 'unit-failed'],
    ['internal', 'protocol'],
  ])('and refuses with %s is understood as %s', async (refused, code) => {
    const gate = await gateOn((_command, channel) => refuse(channel, { code: refused, message: 'Because.' }));
    await expect(gate.status()).rejects.toMatchObject({ code, message: expect.stringContaining('Because.') });
  });

  it('and does not answer is given up after the limit, over a connection that is not used again', async () => {
    const on = await server({
      onExec: (command, channel) => (on.commands.length > 1 ? answerStatus(command, channel) : undefined),
    });
    const gate = client().gate(machineRecord(on, { limits: { statusTimeoutMs: 200 } }));
    await expect(gate.status()).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('200 ms'),
    });
    await gate.status();
    expect(on.connections().made).toBe(2);
  });

  it('and does not even begin the verb is given up after the limit, too', async () => {
    const on = await server({ ignoreCommands: true });
    const gate = client().gate(machineRecord(on, { limits: { statusTimeoutMs: 200 } }));
    await expect(gate.status()).rejects.toMatchObject({ code: 'timeout' });
    await expect(gate.status()).rejects.toMatchObject({ code: 'timeout' });
    expect(on.connections().made).toBe(2);
  });

  it('is left at once when the caller gives up, with the reason given', async () => {
    const gate = await gateOn(() => {});
    const stop = new AbortController();
    const asked = gate.status(stop.signal);
    const reason = new Error('cancelled');
    setTimeout(() => stop.abort(reason), 50);
    await expect(asked).rejects.toBe(reason);
  });

  it('and says that the unit is still stopping is asked until it has stopped', async () => {
    const states = ['deactivating', 'deactivating', 'inactive'];
    const on = await server({
      onExec: (command, channel) => {
        if (command.startsWith('stop')) return reply(channel, { agent: 'deactivating' });
        const clock = new Date().toISOString();
        const agent = states.shift();
        reply(channel, { protocol: 1, machine: 'test-01', agent, run: null, fence: 1, lock: null, clock });
      },
    });
    await client().gate(machineRecord(on)).stop(1);
    expect(on.commands).toEqual(['stop 1', 'status', 'status', 'status']);
  });

  it('and never gets its unit stopped is given up: inertness is not claimed', async () => {
    const gate = await gateOn(
      (command, channel) => {
        if (command.startsWith('stop')) return reply(channel, { agent: 'deactivating' });
        const clock = new Date().toISOString();
        reply(channel, {
          protocol: 1,
          machine: 'test-01',
          agent: 'active',
          run: null,
          fence: 1,
          lock: null,
          clock,
        });
      },
      { stopTimeoutMs: 400 },
    );
    await expect(gate.stop(1)).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('still active'),
    });
  });
});
