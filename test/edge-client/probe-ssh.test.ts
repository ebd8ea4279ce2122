import { once } from 'node:events';
import ssh2, { type Session } from 'ssh2';
import { afterEach, describe, expect, it } from 'vitest';
import { probeSsh, refusesOtherHostKey } from '../../src/edge-client/probe-ssh.ts';
import { newKeyPair } from '../../src/sandbox/key-pair.ts';
import { machineRecord } from '../support/machine-record.ts';
import { MachineUnderTest } from '../support/machine-under-test.ts';

/** Nobody breaks it off. */
const going = new AbortController().signal;

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A server without a forced command, as a careless one would be set up. */
async function startCarelessServer(): Promise<{ port: number; hostKey: string }> {
  const hostKey = newKeyPair();
  const ssh = new ssh2.Server({ hostKeys: [hostKey.privateKey] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (context) => context.accept());
    client.on('session', (accept) => serveAnything(accept()));
    client.on('tcpip', (accept) => accept().end('SSH-2.0-greeting\r\n'));
    client.on('request', (accept) => accept?.());
  });
  return { port: await listen(ssh), hostKey: hostKey.publicKey };
}

async function listen(ssh: ssh2.Server): Promise<number> {
  ssh.listen(0, '127.0.0.1');
  await once(ssh, 'listening');
  cleanUps.push(async () => void ssh.close());
  const address = ssh.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return address.port;
}

function serveAnything(session: Session): void {
  session.on('pty', (accept) => accept?.());
  session.on('sftp', (accept) => accept());
  for (const asked of ['exec', 'shell'] as const) {
    session.on(asked, (accept: () => ssh2.ServerChannel) => {
      const channel = accept();
      channel.exit(0);
      channel.end();
    });
  }
}

/** A server that runs nothing but a forced command, and grants what `restrict` would have refused. */
async function startUnrestrictedServer(): Promise<{ port: number; hostKey: string }> {
  const hostKey = newKeyPair();
  const ssh = new ssh2.Server({ hostKeys: [hostKey.privateKey] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (context) => context.accept());
    client.on('session', (accept) => {
      const session = accept();
      session.on('pty', (grant) => grant?.());
      for (const asked of ['exec', 'shell'] as const) {
        session.on(asked, (run: () => ssh2.ServerChannel) => {
          const channel = run();
          channel.exit(1);
          channel.end();
        });
      }
    });
    // ssh2 says then, as OpenSSH where nobody listens on the port: connect failed.
    client.on('tcpip', (_accept, reject) => reject());
  });
  return { port: await listen(ssh), hostKey: hostKey.publicKey };
}

describe("what fleetbot's key must not be able to do", () => {
  it('is refused by a gate, all of it', async () => {
    await using under = await MachineUnderTest.start();
    const { port, hostKey } = under.machine;
    const tried = await probeSsh(machineRecord({ port, hostKey }), under.key.privateKey, going);
    expect(tried.filter(({ refused }) => !refused)).toEqual([]);
    expect(tried.length).toBeGreaterThanOrEqual(8);
    // The machine still answers.
    expect((await under.client.run('status')).exitCode).toBe(0);
  });

  it('shows where a machine allows it, each by its name', async () => {
    const { port, hostKey } = await startCarelessServer();
    const tried = await probeSsh(machineRecord({ port, hostKey }), newKeyPair().privateKey, going);
    expect(tried.filter(({ refused }) => refused)).toEqual([]);
  });

  it('shows what a forced command does not refuse by itself', async () => {
    const { port, hostKey } = await startUnrestrictedServer();
    const tried = await probeSsh(machineRecord({ port, hostKey }), newKeyPair().privateKey, going);
    const allowed = tried.filter(({ refused }) => !refused).map(({ what }) => what);
    expect(allowed).toEqual(['a terminal', 'forwarding into the machine']);
  });
});

it('is tried no further once it is broken off', async () => {
  const { port, hostKey } = await startCarelessServer();
  const probing = probeSsh(
    machineRecord({ port, hostKey }),
    newKeyPair().privateKey,
    AbortSignal.abort(new Error('Ctrl-C')),
  );
  await expect(probing).rejects.toThrow('Ctrl-C');
});

describe('a host key other than the pinned one', () => {
  it.each(['ed25519', 'ecdsa', 'rsa'] as const)(
    'is refused, where the machine shows one of type %s',
    async (type) => {
      const hostKey = newKeyPair(type);
      const ssh = new ssh2.Server({ hostKeys: [hostKey.privateKey] }, (client) => {
        client.on('error', () => {});
        client.on('authentication', (context) => context.accept());
      });
      const machine = machineRecord({ port: await listen(ssh), hostKey: hostKey.publicKey });
      expect(await refusesOtherHostKey(machine, newKeyPair().privateKey)).toBe(true);
    },
  );

  it('cannot be tried on a machine that does not answer', async () => {
    const machine = machineRecord({ port: 1, hostKey: newKeyPair().publicKey });
    await expect(refusesOtherHostKey(machine, newKeyPair().privateKey)).rejects.toMatchObject({
      code: 'unreachable',
    });
  });
});
