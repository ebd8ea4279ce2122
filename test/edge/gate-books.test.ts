import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EdgeGate, gateFolder, patiently, python, skipsPython } from '../support/edge-gate.ts';

const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const start = (fence: number, run = 'r-00000000aaaa') => `start ${fence} ${run} ${traceparent}`;

const stateSchema = z.object({ fence: z.number(), lock: z.object({ reason: z.string() }).nullable() });

describe.skipIf(skipsPython)("the gate's books", () => {
  it('keep fence and lock whole, at whatever step of a write the gate is killed', async () => {
    await using edge = await EdgeGate.start();
    await edge.reply('lock because of the test');
    await edge.reply('evidence 1 disk');
    const lock = { reason: 'because of the test' };
    let fence = 1;
    let steps = 0;
    for (let exitCode: number | null = null; exitCode === null; steps += 1) {
      ({ exitCode } = await edge.run(`evidence ${fence + 1} disk`, '', killedAtStep(steps, edge)));
      const after = await books(edge);
      expect([fence, fence + 1]).toContain(after.fence);
      expect(after.lock).toMatchObject(lock);
      expect(await edge.reply(`evidence ${fence + 2} disk`)).toMatchObject({ check: 'disk' });
      expect(await books(edge)).toMatchObject({ fence: fence + 2, lock });
      expect(await readdir(join(edge.folder, 'gate'))).toEqual(['flock', 'state.json', 'state.spare']);
      fence += 2;
    }
    // Opened, written, cut, synced, linked, renamed, synced, renamed, and what is closed in between.
    expect(steps).toBeGreaterThan(10);
  }, 60_000);

  it('are on the disk, and not only written, before anything is acknowledged', async () => {
    await using edge = await EdgeGate.start();
    await edge.reply('evidence 1 disk');
    const told = `
import os
def telling(name, call):
    def told(*arguments):
        if arguments[0] != 1:
            os.real_write(2, (name + "\\n").encode())
        return call(*arguments)
    return told
os.real_write = os.write
for name in ("write", "fsync", "link", "rename"):
    setattr(os, name, telling(name, getattr(os, name)))`;
    const { stderr } = await edge.run('evidence 2 disk', '', patched(told, edge));
    expect(stderr.split('\n')).toEqual(['write', 'fsync', 'link', 'rename', 'fsync', 'rename', '']);
  });

  it('never lose an acknowledged fence, or the lock, in a storm of kills', async () => {
    await using edge = await EdgeGate.start();
    await edge.reply('lock because of the test');
    let next = 1;
    let acknowledged = 0;
    let killed = 0;
    const delays = fc.sample(fc.integer({ min: 10, max: 70 }), 24);
    const storm = async () => {
      for (let delay = delays.pop(); delay !== undefined; delay = delays.pop()) {
        const fence = next++;
        const gate = edge.spawn(fence % 3 === 0 ? `stop ${fence}` : `evidence ${fence} disk`);
        const ended = once(gate, 'exit');
        await Promise.race([sleep(delay), ended]);
        if (gate.kill('SIGKILL')) killed += 1;
        const [exitCode] = await ended;
        if (exitCode === 0) acknowledged = Math.max(acknowledged, fence);
        const floor = acknowledged;
        const { fence: seen, lock } = await books(edge);
        expect(seen).toBeGreaterThanOrEqual(floor);
        expect(lock).toMatchObject({ reason: 'because of the test' });
      }
    };
    await Promise.all([storm(), storm(), storm()]);
    expect(killed).toBeGreaterThan(0);
    expect(await edge.refusal(start(next))).toMatchObject({ code: 'locked' });
  });

  it('let one of many starts at once win', async () => {
    await using edge = await EdgeGate.start();
    const runs = Array.from({ length: 6 }, (_, i) => `r-00000000000${i}`);
    const results = await Promise.all(runs.map((run) => edge.run(start(5, run))));
    expect(results.filter(({ exitCode }) => exitCode === 0)).toHaveLength(1);
    expect(edge.broker.asked('agent-start')).toBe(1);
  });

  it('are not held by a gate that was killed while it held them', async () => {
    await using edge = await EdgeGate.start();
    edge.broker.before = ({ do: what }) =>
      what === 'agent-stop' ? new Promise(() => {}) : Promise.resolve(undefined);
    const gate = edge.spawn('stop 3');
    await expect.poll(() => edge.broker.asked('agent-stop'), patiently).toBe(1);
    gate.kill('SIGKILL');
    await once(gate, 'exit');
    expect(await edge.reply('evidence 3 disk')).toMatchObject({ check: 'disk' });
    expect(await edge.refusal(start(3))).toMatchObject({ code: 'old-fence' });
  });

  it('that another gate holds for too long keep no agent from being stopped', async () => {
    await using edge = await EdgeGate.start();
    await edge.reply(start(3));
    const command = patched('import books; books.FLOCK_WAIT_SECONDS = 0.1', edge);
    edge.broker.before = ({ do: what }) =>
      what === 'agent-start' ? new Promise(() => {}) : Promise.resolve(undefined);
    edge.spawn(start(3));
    await expect.poll(() => edge.broker.asked('agent-start'), patiently).toBe(2);
    const { stderr } = await edge.run('lock now', '', command);
    expect(JSON.parse(stderr)).toMatchObject({
      code: 'internal',
      message: expect.stringMatching(
        /^The agent is inactive, but the machine is not locked\. .*another request/,
      ),
    });
    edge.broker.agent = 'active';
    expect(JSON.parse((await edge.run('stop 3', '', command)).stdout)).toEqual({ agent: 'inactive' });
  });

  it('are readable by their owner alone', async () => {
    await using edge = await EdgeGate.start();
    await edge.reply('evidence 1 disk');
    expect((await stat(edge.books)).mode & 0o777).toBe(0o600);
  });
});

describe.skipIf(skipsPython)('damaged books', () => {
  it('let nothing start, say what to do, and still show, stop and lock', async () => {
    await using edge = await EdgeGate.start();
    await edge.reply(start(9));
    await edge.rewrite((whole) => whole.slice(0, 12));
    const damaged = await readFile(edge.books, 'utf8');
    const message = expect.stringMatching(/state\.json cannot be read .*Restore the file, or delete it/);

    expect(await edge.reply('status')).toMatchObject({
      agent: 'active',
      run: null,
      lock: { reason: message },
    });
    for (const line of [start(10), 'evidence 10 disk', 'act 10']) {
      expect(await edge.refusal(line), line).toMatchObject({ code: 'internal', message });
    }
    expect(await edge.refusal('connect 9')).toMatchObject({ code: 'internal', message });
    expect(await edge.reply('stop 1')).toEqual({ agent: 'inactive' });
    edge.broker.agent = 'active';
    expect(await edge.reply('lock now')).toEqual({ locked: true, agent: 'inactive' });
    expect(await edge.reply('unlock')).toEqual({ locked: true, agent: 'inactive' });
    expect(edge.broker.asked('agent-start')).toBe(1);
    expect(await readFile(edge.books, 'utf8')).toBe(damaged);
  });

  const whole = { fence: 9, retired: 8, lock: null, activation: null };
  it.each([
    ['nothing', ''],
    ['zeros, as a power cut leaves them', '\0'.repeat(90)],
    ['no JSON', '{"fence": 9'],
    ['more than one state', JSON.stringify(whole).repeat(2)],
    ['a list', '[9]'],
    ['a nest', '['.repeat(4_000)],
    ['far too much', JSON.stringify(whole) + ' '.repeat(8_000)],
    ['nothing of the lock', JSON.stringify({ ...whole, lock: undefined })],
    ['half a lock', JSON.stringify({ ...whole, lock: { reason: 'x' } })],
    ['something unknown', JSON.stringify({ ...whole, more: 1 })],
    ['a fence that is a text', JSON.stringify({ ...whole, fence: '9' })],
    ['a fence that is true', JSON.stringify({ ...whole, fence: true, retired: 0 })],
    ['a fence below 0', JSON.stringify({ ...whole, fence: -1, retired: -1 })],
    ['a stopped fence that was never seen', JSON.stringify({ ...whole, retired: 10 })],
  ])('are those that hold %s', async (_what, content) => {
    await using edge = await EdgeGate.start();
    await writeFile(edge.books, content);
    const message = expect.stringContaining('cannot be read');
    expect(await edge.refusal(start(10))).toMatchObject({ code: 'internal', message });
  });

  it('are not those of a machine that was never asked anything', async () => {
    await using edge = await EdgeGate.start();
    expect(await edge.reply('status')).toMatchObject({ fence: 0, lock: null });
  });
});

describe.skipIf(skipsPython)('books that cannot be written', () => {
  /** No file can grow: what a full disk does, without one. */
  const fullDisk = (edge: EdgeGate) => ['sh', '-c', 'ulimit -f 0; exec "$@"', 'sh', ...edge.command];
  const internal = (message: string) => ({ code: 'internal', message: expect.stringContaining(message) });

  it('still let the agent be stopped, and nothing start', async () => {
    await using edge = await EdgeGate.start();
    await edge.reply(start(3));
    const { exitCode, stdout } = await edge.run('stop 4', '', fullDisk(edge));
    expect({ exitCode, stdout: JSON.parse(stdout) }).toEqual({ exitCode: 0, stdout: { agent: 'inactive' } });
    const started = await edge.run(start(5), '', fullDisk(edge));
    expect(JSON.parse(started.stderr)).toMatchObject(internal('cannot be written'));
    expect(edge.broker.asked('agent-start')).toBe(1);
  });

  it('are told to who locks: the agent is stopped, but the machine is not locked', async () => {
    await using edge = await EdgeGate.start();
    await edge.reply(start(3));
    const { stderr } = await edge.run('lock now', '', fullDisk(edge));
    expect(JSON.parse(stderr)).toMatchObject(
      internal('The agent is inactive, but the machine is not locked.'),
    );
    expect(await edge.reply('status')).toMatchObject({ agent: 'inactive', lock: null });
  });

  it('admit the highest fence, but none that would have to be remembered', async () => {
    await using edge = await EdgeGate.start();
    await edge.reply('evidence 3 disk');
    expect((await edge.run('evidence 3 disk', '', fullDisk(edge))).exitCode).toBe(0);
    const higher = await edge.run('evidence 4 disk', '', fullDisk(edge));
    expect(JSON.parse(higher.stderr)).toMatchObject(internal('cannot be written'));
    expect(edge.broker.asked('evidence')).toBe(2);
    expect(await edge.refusal('evidence 2 disk')).toMatchObject({ code: 'old-fence', fence: 3 });
  });

  it('because their folder is gone are told, and the agent can still be stopped', async () => {
    await using edge = await EdgeGate.start();
    await edge.reply(start(3));
    await rm(`${edge.folder}/gate`, { recursive: true });
    expect(await edge.refusal(start(4))).toMatchObject({ code: 'internal' });
    expect(await edge.reply('status')).toMatchObject({
      lock: { reason: expect.stringContaining('missing') },
    });
    expect(await edge.refusal('lock now')).toMatchObject(internal('The agent is inactive'));
    edge.broker.agent = 'active';
    expect(await edge.reply('stop 4')).toEqual({ agent: 'inactive' });
  });

  const ownMounts = ['unshare', '--map-root-user', '--mount'];
  const hasMounts = spawnSync('unshare', [...ownMounts.slice(1), 'true']).status === 0;
  it.skipIf(!hasMounts)('are not those on a full disk: a machine with one must be looked at', async () => {
    await using edge = await EdgeGate.start();
    const script = [
      'set -e',
      `mount -t tmpfs -o size=64k none ${edge.folder}/gate`,
      'for fence in 1 2 3; do SSH_ORIGINAL_COMMAND="evidence $fence disk" "$@" >&2; done',
      `! cat /dev/zero > ${edge.folder}/gate/fill`,
      'SSH_ORIGINAL_COMMAND="lock the disk is full" "$@" >&2',
      'for fence in 4 5 6; do SSH_ORIGINAL_COMMAND="evidence $fence disk" "$@" >&2; done',
      `cat ${edge.books}`,
    ].join('\n');
    const { stdout } = await edge.run('', '', [...ownMounts, 'sh', '-c', script, 'sh', ...edge.command]);
    expect(JSON.parse(stdout)).toMatchObject({ fence: 6, lock: { reason: 'the disk is full' } });
  });
});

async function books(edge: EdgeGate) {
  return stateSchema.parse(JSON.parse(await readFile(edge.books, 'utf8')));
}

/** The forced command, which kills itself right before it asks the system for the nth step of a write. */
function killedAtStep(step: number, edge: EdgeGate): string[] {
  const dying = `
import os, signal
left = ${step}
def dying(call):
    def counted(*arguments):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return call(*arguments)
    return counted
for name in ("open", "write", "ftruncate", "fsync", "close", "link", "rename", "unlink"):
    setattr(os, name, dying(getattr(os, name)))`;
  return patched(dying, edge);
}

/** The forced command, with a change to it that no option makes. */
function patched(change: string, edge: EdgeGate): string[] {
  const program = `import sys; sys.path.insert(0, ${JSON.stringify(gateFolder)}); import serve\n${change}\nserve.main()`;
  const options = edge.command.slice(edge.command.indexOf(gateFolder) + 1);
  return [python ?? 'python3', '-I', '-S', '-c', program, ...options];
}
