import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { commandOutputSchema } from '../../src/fleet/evidence.ts';
import { BrokerMachine, hasPython, listed, patience } from '../support/edge-broker.ts';
import { isRunning } from '../support/is-running.ts';

const run = 'r-0123456789ab';
const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${trace}-00f067aa0ba902b7-01`;
const startCall = { do: 'agent-start', fence: 7, run, traceparent };

const tokenSchema = z.object({ ok: z.strictObject({ token: z.string().min(16) }) });
const outputSchema = commandOutputSchema.extend({ run: z.string(), trace: z.string() }).strict();
const isRoot = process.getuid?.() === 0;
/** A uid that nobody has; with the ids of the subordinate ones it is the container's 1000. */
const containerUid = 700_000_999;
/** The same of the collector's 10001. */
const collectorUid = 700_010_000;

const machine = new BrokerMachine();
const files = join(machine.folder, 'files');

const code = (reply: unknown): string =>
  z.object({ refused: z.strictObject({ code: z.string(), message: z.string() }) }).parse(reply).refused.code;

async function start(): Promise<string> {
  return tokenSchema.parse(await machine.gate(startCall)).ok.token;
}

describe.runIf(hasPython)('the broker and the agent', () => {
  /** No policy of ours lists one; the broker looks programs up itself. */
  const byPath = { pattern: '/bin/echo', words: [{ match: '^/bin/echo$', min: 1, max: 1 }] };
  const policy = {
    commands: [
      listed('say status {word*}'),
      listed('say {word*} on'),
      listed('show {path}'),
      listed('slow'),
      byPath,
    ],
    readable: [`${files}/*`, `${machine.folder}/also/*`],
    secret: ['*/.env*', '*.key'],
  };

  beforeAll(async () => {
    await machine.prepare(policy);
    await machine.program('say', 'echo "$@"');
    await machine.program('show', '/bin/cat "$1"');
    await machine.program('slow', `echo $$ >> ${machine.folder}/slow; exec /bin/sleep 60`);
    for (const folder of ['files', 'also', 'elsewhere']) await mkdir(join(machine.folder, folder));
    await machine.start();
  });
  afterEach(async () => {
    await machine.fakePrograms();
    await machine.writePolicy(policy);
    await machine.gate({ do: 'agent-stop' });
  });
  afterAll(() => machine.remove());

  const slowPids = async (): Promise<number[]> => {
    const lines = await readFile(join(machine.folder, 'slow'), 'utf8').catch(() => '');
    return lines.trim().split('\n').filter(Boolean).map(Number);
  };

  describe('within an activation', () => {
    beforeEach(start);

    it('runs a listed command and puts the name of the run and its trace on it', async () => {
      const output = outputSchema.parse(await machine.agent({ argv: ['say', 'status', 'a', 'b'] }));
      expect(output).toMatchObject({ exitCode: 0, stdout: 'status a b\n', run, trace });
      expect(machine.printed).toMatch(
        new RegExp(`FLEETBOT_BY=agent .*FLEETBOT_FENCE=7 FLEETBOT_RUN=${run} FLEETBOT_TRACE=${trace}`),
      );
      expect(code(await machine.agent({ argv: ['say', 'status'], run: 'r-ba9876543210' }))).toBe('wrong-run');
      expect(outputSchema.parse(await machine.agent({ argv: ['say', 'status'], run })).exitCode).toBe(0);
    });

    it('runs exactly what is listed', async () => {
      const listedOnes = [
        ['say', 'a', 'on'],
        ['say', 'on'],
        ['say', 'status', 'a', 'b', 'c', 'd'],
      ];
      for (const argv of listedOnes) {
        expect([argv, outputSchema.parse(await machine.agent({ argv })).exitCode]).toEqual([argv, 0]);
      }
      const others = [
        ['say', 'status', 'a', 'b', 'c', 'd', 'e'],
        ['say', 'restart'],
        ['say', 'status', '$(id)'],
        ['say', 'status', 'a\n'],
        ['say', 'status; id'],
        ['/bin/say', 'status'],
        ['/bin/echo'],
        ['Say', 'status'],
        ['say'],
        ['sh', '-c', 'say status'],
        [''],
      ];
      for (const argv of others) {
        expect([argv, code(await machine.agent({ argv }))]).toEqual([argv, 'not-listed']);
      }
    });

    it('reads listed files, and neither secrets nor what a link leads to elsewhere', async () => {
      const made = async (name: string): Promise<string> => {
        const path = join(machine.folder, name);
        await writeFile(path, 'text');
        return path;
      };
      const link = async (from: string, to: string): Promise<string> => {
        await symlink(to, join(files, from));
        return join(files, from);
      };
      const readable = [
        await made('files/log'),
        await link('to-also', await made('also/log')),
        join(files, 'absent'),
      ];
      for (const path of readable) outputSchema.parse(await machine.agent({ argv: ['show', path] }));
      const other = await made('elsewhere/log');
      const unreadable = [
        ...[
          other,
          await link('out', other),
          await made('files/.env.edge'),
          await made('also/tls.key'),
          await made('also/TLS.KEY'),
        ],
        ...[await link('to-key', join(machine.folder, 'also/tls.key')), `${files}/../elsewhere/log`],
        ...[await link('folder', join(machine.folder, 'elsewhere')), `${files}/folder/log`, '/etc/shadow'],
      ];
      for (const path of unreadable)
        expect([path, code(await machine.agent({ argv: ['show', path] }))]).toEqual([path, 'not-readable']);
      expect(code(await machine.agent({ argv: ['show', 'files/log'] }))).toBe('not-listed');
    });

    it('tells the journal no secret, also where the word before says that it is one', async () => {
      await machine.agent({ argv: ['say', '--password', 'hunter2x'] });
      expect(machine.printed).toContain('asked for: say --password [redacted:password]');
      expect(machine.printed).not.toContain('hunter2x');
    });

    it('slows an agent down that asks without end, and fills no journal with it', async () => {
      const ask = async (): Promise<string> =>
        JSON.stringify(await machine.agent({ argv: ['say', 'again'] }));
      const asked = (): number => machine.printed.split('asked for: say again').length;
      const before = asked();
      for (let last = ''; !last.includes('Too many commands'); ) {
        [last = ''] = (await Promise.all([ask(), ask(), ask(), ask()])).toSorted();
        if (asked() - before > 150) break;
      }
      expect(asked() - before).toBeLessThan(150);
      expect(machine.printed.split('the agent asks too often')).toHaveLength(2);
      expect(await machine.gate({ do: 'agent-state' })).toEqual({ ok: { agent: 'active' } });
      await machine.end();
      await machine.start();
    });

    it('refuses what is no call', async () => {
      const many = Array.from({ length: 65 }, () => 'say');
      for (const call of [
        ...[[], {}, { argv: [] }, { argv: 'say status' }, { argv: ['say', 7] }, { argv: ['say', 'a\0b'] }],
        ...[{ argv: ['\ud800'] }, { argv: many }, { argv: ['say', 'status'], fence: 8 }],
        ...[{ argv: ['say'], run: 7 }, { do: 'agent-stop' }],
      ])
        expect([call, code(await machine.agent(call))]).toEqual([call, 'bad-request']);
    });

    it('is busy beyond its limit, and the gate does not wait for it', async () => {
      // It must be the stop that ends them.
      await machine.writePolicy({ ...policy, limits: { commandTimeoutSeconds: 60 } });
      const slow = Promise.allSettled([machine.agent({ argv: ['slow'] }), machine.agent({ argv: ['slow'] })]);
      await expect.poll(slowPids, patience).toHaveLength(2);
      expect(code(await machine.agent({ argv: ['say', 'status'] }))).toBe('busy');
      await machine.writePolicy({ checks: { load: { commands: [['say', 'x']] } } });
      expect(await machine.gate({ do: 'evidence', fence: 7, check: 'load' })).toHaveProperty('ok');
      expect(await machine.gate({ do: 'agent-stop' })).toEqual({ ok: { agent: 'inactive' } });
      await slow;
      const begun = await slowPids();
      await expect.poll(() => begun.filter(isRunning), patience).toEqual([]);
    });

    it('lists nothing without a policy that can be used', async () => {
      await writeFile(machine.policyFile, '{}');
      const reply = await machine.agent({ argv: ['say', 'status'] });
      expect(code(reply)).toBe('not-listed');
      expect(JSON.stringify(reply)).toContain('fleetbot edge policy m1');
    });

    it('tells everyone of the activation but not its token', async () => {
      expect(await machine.activation()).toEqual({ fence: 7, run, traceparent });
      expect((await stat(machine.activationFile)).mode & 0o777).toBe(0o644);
      expect((await stat(join(machine.folder, 'activation.token'))).mode & 0o777).toBe(0o600);
    });

    it('knows the activation again after it was killed', async () => {
      await machine.end('SIGKILL');
      await machine.start();
      expect(outputSchema.parse(await machine.agent({ argv: ['say', 'status'] }))).toMatchObject({ run });
      await machine.gate({ do: 'agent-stop' });
      await machine.end('SIGKILL');
      await machine.start();
      expect(code(await machine.agent({ argv: ['say', 'status'] }))).toBe('no-activation');
    });
  });

  it('refuses the agent outside an activation', async () => {
    expect(code(await machine.agent({ argv: ['say', 'status'] }))).toBe('no-activation');
    await start();
    await machine.gate({ do: 'agent-stop' });
    expect(code(await machine.agent({ argv: ['say', 'status'] }))).toBe('no-activation');
  });

  it("gives the container a token of the activation's own, never in an argument", async () => {
    const token = await start();
    const secret = z
      .object({ token: z.string() })
      .parse(JSON.parse(await readFile(machine.secretFile, 'utf8')));
    expect(Buffer.from(secret.token, 'base64').toString()).toBe(token);
    expect(await readFile(machine.podmanLog, 'utf8')).not.toContain(token);
    expect(machine.printed).not.toContain(token);
    await machine.gate({ do: 'agent-stop' });
    await expect(stat(machine.secretFile)).rejects.toThrow('ENOENT');
    await expect(stat(machine.activationFile)).rejects.toThrow('ENOENT');
    await writeFile(machine.secretFile, 'left over');
    expect(await start()).not.toBe(token);
    expect(await readFile(machine.secretFile, 'utf8')).not.toBe('left over');
  });

  it("gives it as it stands, in a secret of its own, where the agent's unit is no pod", async () => {
    await machine.installed({ quadlet: false });
    await machine.end('SIGTERM');
    await machine.start();
    try {
      const token = await start();
      expect(await readFile(`${machine.secretFile}.token`, 'utf8')).toBe(token);
      await expect(stat(machine.secretFile)).rejects.toThrow('ENOENT');
      await machine.gate({ do: 'agent-stop' });
      await expect(stat(`${machine.secretFile}.token`)).rejects.toThrow('ENOENT');
    } finally {
      await machine.installed();
      await machine.end('SIGTERM');
      await machine.start();
    }
  });

  it('lets podman leave the process behind that holds its namespace', async () => {
    const pidFile = join(machine.folder, 'pause');
    await machine.program('podman', `/bin/sleep 60 > /dev/null 2>&1 & echo $! > ${pidFile}`);
    await start();
    const pause = Number(await readFile(pidFile, 'utf8'));
    expect(await machine.gate({ do: 'agent-state' })).toEqual({ ok: { agent: 'active' } });
    expect(isRunning(pause)).toBe(true);
    process.kill(pause);
  });

  it('returns the token again to a repeated start, also after it was killed, and refuses any other', async () => {
    const token = await start();
    expect(await start()).toBe(token);
    await machine.end('SIGKILL');
    await machine.start();
    expect(await start()).toBe(token);
    expect(code(await machine.gate({ ...startCall, fence: 8 }))).toBe('unit-failed');
    expect(await machine.activation()).toMatchObject({ fence: 7 });
    await machine.unit('failed');
    expect(await machine.gate({ ...startCall, fence: 8 })).toHaveProperty('ok');
    expect(await machine.activation()).toMatchObject({ fence: 8 });
  });

  it('waits for the unit as long as it is starting', async () => {
    await machine.unit('activating');
    expect(await machine.gate({ do: 'agent-state' })).toEqual({ ok: { agent: 'activating' } });
    const waiting = machine.gate({ do: 'agent-wait' });
    await expect.poll(() => Promise.race([waiting, 'still'])).toBe('still');
    await machine.unit('failed');
    expect(await waiting).toEqual({ ok: { agent: 'failed' } });
    await machine.program('systemctl', 'echo "ActiveState=inactive"; echo "Job=77"');
    expect(await machine.gate({ do: 'agent-state' })).toEqual({ ok: { agent: 'activating' } });
  });

  it('leaves no activation behind a start that failed', async () => {
    await machine.program('podman', '[ "$2" = rm ] || { echo "no space left" >&2; exit 125; }');
    const reply = await machine.gate(startCall);
    expect(code(reply)).toBe('unit-failed');
    expect(JSON.stringify(reply)).toContain('no space left');
    expect(code(await machine.agent({ argv: ['say', 'status'] }))).toBe('no-activation');
    await expect(stat(machine.activationFile)).rejects.toThrow('ENOENT');
  });

  it('does not take a state for measured that it cannot measure', async () => {
    await start();
    await machine.program('systemctl', 'echo "Failed to connect to bus" >&2; exit 1');
    for (const call of ['agent-state', 'agent-stop', 'agent-wait']) {
      const reply = await machine.gate({ do: call });
      expect(code(reply)).toBe('internal');
      expect(JSON.stringify(reply)).toContain('Failed to connect to bus');
    }
    expect(await machine.activation()).toMatchObject({ run });
  });

  it("takes the unit for ended when its user's manager has ended", async () => {
    await start();
    await machine.program(
      'systemctl',
      '[ "$1" != --user ] || { echo "Connection refused" >&2; exit 1; }; echo "ActiveState=inactive"',
    );
    expect(await machine.gate({ do: 'agent-stop' })).toEqual({ ok: { agent: 'inactive' } });
    await expect(stat(machine.activationFile)).rejects.toThrow('ENOENT');
  });

  it('never kills processes of a user with a name', async () => {
    const self = process.getuid?.() ?? 0;
    const subuid = join(machine.folder, 'subuid');
    const before = await readFile(subuid, 'utf8');
    const username = before.split(':')[0];
    const restartWith = async (content: string): Promise<void> => {
      await machine.end();
      await writeFile(subuid, content);
      await machine.start();
    };
    await restartWith(`${username}:800000000:999\n${username}:${self}:65536\n`);
    expect(code(await machine.gate({ do: 'agent-stop' }))).toBe('internal');
    await restartWith(before);
  });

  describe.runIf(isRoot)('on a machine with other users', () => {
    it("answers the container's users and nobody else", async () => {
      await chmod(machine.folder, 0o755);
      const ask = `
import os, socket, sys
os.setuid(int(sys.argv[2]))
caller = socket.socket(socket.AF_UNIX)
caller.connect(sys.argv[1])
caller.sendall(b'{"argv":["say","status"]}\\n')
print(caller.recv(65536).decode())`;
      await start();
      const answers = (door: string, uid: number): string => {
        const socket = join(machine.folder, `${door}.sock`);
        chmodSync(socket, 0o666);
        return spawnSync('python3', ['-I', '-S', '-c', ask, socket, String(uid)], { encoding: 'utf8' })
          .stdout;
      };
      expect(JSON.parse(answers('agent', containerUid))).toMatchObject({ exitCode: 0 });
      expect(code(JSON.parse(answers('agent', 65_534)))).toBe('bad-request');
      expect(code(JSON.parse(answers('agent', collectorUid)))).toBe('bad-request');
      expect(code(JSON.parse(answers('gate', containerUid)))).toBe('verb-refused');
    });

    it("kills what a stop left of the container, and none of the collector's", async () => {
      await start();
      const asUser = (uid: number) =>
        spawn('setpriv', [`--reuid=${uid}`, '--clear-groups', 'sleep', '60'], { stdio: 'ignore' });
      const [agent, collector] = [asUser(containerUid), asUser(collectorUid)];
      await Promise.all([once(agent, 'spawn'), once(collector, 'spawn')]);
      const owner = async (pid = 0) =>
        (await readFile(`/proc/${pid}/status`, 'utf8')).match(/Uid:\t(\d+)/)?.[1];
      await expect.poll(() => owner(agent.pid), patience).toBe(String(containerUid));
      expect(await machine.gate({ do: 'agent-stop' })).toEqual({ ok: { agent: 'inactive' } });
      await expect.poll(() => agent.signalCode, patience).toBe('SIGKILL');
      expect(collector.signalCode).toBeNull();
      collector.kill('SIGKILL');
      await once(collector, 'exit');
    });
  });
});
