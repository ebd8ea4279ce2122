import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';
import { freePort } from '../../../../src/sandbox/free-port.ts';
import type { OpenSsh } from '../../../support/edge-machines/open-ssh.ts';

const refused = 255;

/** What OpenSSH's client is told when it asks for more than the gate's verbs. It ends either way. */
export const refusals: Readonly<Record<string, (ssh: OpenSsh) => Promise<void>>> = {
  'a shell': async (ssh) => {
    const { exitCode, stderr } = await ssh.ssh([], [], 'id\n');
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('verb-refused'),
    });
  },
  'another command, and one behind a verb': async (ssh) => {
    for (const line of ['id', 'status; id', 'status\nid', 'status $(id)', 'status  ']) {
      const { exitCode, stdout, stderr } = await ssh.ssh([], [line]);
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toContain('verb-refused');
    }
  },
  'a terminal (-tt)': async (ssh) => {
    const { exitCode, stderr } = await ssh.ssh(['-tt'], ['status']);
    expect(stderr).toContain('PTY allocation request failed');
    expect(exitCode).toBe(refused);
  },
  'a connection into the machine (-W)': async (ssh) => {
    const { exitCode, stderr } = await ssh.ssh(['-W', '127.0.0.1:18789']);
    expect(stderr).toContain('administratively prohibited');
    expect(exitCode).toBe(refused);
  },
  'a port into the machine (-L, -D)': async (ssh) => {
    const [local, socks] = [await freePort(), await freePort()];
    using client = ssh.hold(['-N', '-L', `${local}:127.0.0.1:22`, '-D', String(socks)]);
    await client.listens(local);
    const through = connect(local, '127.0.0.1');
    expect(await text(through)).toBe('');
    // SOCKS 5 without a password, then CONNECT 127.0.0.1:22; anything but 0 in the second byte is a refusal.
    const proxied = connect(socks, '127.0.0.1');
    proxied.write(Buffer.from([5, 1, 0]));
    await once(proxied, 'data');
    proxied.end(Buffer.from([5, 1, 0, 1, 127, 0, 0, 1, 0, 22]));
    expect(await text(proxied)).not.toContain('SSH-2.0');
  },
  'a port out of the machine (-R)': async (ssh) => {
    const options = ['-N', '-o', 'ExitOnForwardFailure=yes', '-R', '0:127.0.0.1:22'];
    const { exitCode, stderr } = await ssh.ssh(options);
    expect(stderr).toContain('remote port forwarding failed');
    expect(exitCode).toBe(refused);
  },
  'a tunnel (-w)': async (ssh) => {
    const { exitCode } = await ssh.ssh(['-N', '-o', 'ExitOnForwardFailure=yes', '-w', '0:0']);
    expect(exitCode).toBe(refused);
  },
  'the keys of an agent (-A), and everything else that a key may be allowed': async (ssh) => {
    const { stderr } = await ssh.ssh(['-v', '-A'], ['status']);
    const allowed = [...stderr.matchAll(/key options: (.*?)\r?$/gm)].map(([, options]) => options);
    expect(new Set(allowed)).toEqual(new Set(['command']));
  },
  'a display (-X)': async (ssh) => {
    const { stderr } = await ssh.ssh(['-X', '-o', 'ForwardX11Trusted=yes'], ['status'], '', {
      DISPLAY: ':9',
    });
    expect(stderr).toContain('X11 forwarding request failed');
  },
  'files (sftp, scp)': async (ssh) => {
    expect((await ssh.ssh(['-s'], ['sftp'])).exitCode).toBe(1);
    for (const protocol of [[], ['-O']]) {
      expect((await ssh.copy('/etc/hostname', '/tmp/copied', protocol)).exitCode).not.toBe(0);
    }
  },
};
