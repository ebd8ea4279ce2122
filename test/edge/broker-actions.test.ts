import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, rmdir, stat, symlink, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Capsule, capsuleNamespace, capsuleSigner } from '../../src/fleet/capsule.ts';
import { publicKeyLine } from '../../src/fleet/ssh-signature.ts';
import { newCapsule, newCapsuleKey, signCapsule } from '../support/capsules.ts';
import { BrokerMachine, brokerFolder, hasPython, patience } from '../support/edge-broker.ts';

const key = newCapsuleKey();
const signerLine = `${capsuleSigner} namespaces="${capsuleNamespace}" ${publicKeyLine(key)}\n`;
const fence = 7;
const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

let machine: BrokerMachine;

const file = (name: string): string => join(machine.folder, name);
const newNote = (): Capsule =>
  newCapsule({ machine: machine.name, fence, action: 'note', argv: ['note', 'now'] });
const callOf = (capsule: Capsule) => ({
  do: 'act',
  fence,
  capsule: JSON.stringify(signCapsule(key, capsule)),
});
const act = (capsule: Capsule) => machine.gate(callOf(capsule));
const result = ({ id }: Capsule) => machine.gate({ do: 'result', id });
const signaturesLeft = async () =>
  (await readdir(machine.folder)).filter((name) => /^capsule-(?!signers)/.test(name));
const runs = async () => (await readFile(file('notes'), 'utf8').catch(() => '')).split('\n').length - 1;
const has = (outcome: string) => ({ ok: { outcome } });
const isRefused = (code: string, why: string) => ({
  refused: { code, message: expect.stringContaining(why) },
});

/** Kills the broker while it does something for a call, and starts another. */
async function crash(): Promise<void> {
  await machine.end('SIGKILL');
  await machine.start();
}

describe.runIf(hasPython)("the broker's actions", () => {
  beforeEach(async () => {
    machine = new BrokerMachine();
    const rule = {
      argv: ['note', 'now'],
      timeoutSeconds: 5,
      interruptible: false,
      summary: 'Notes the time',
    };
    await machine.prepare({ actions: { note: rule } });
    await machine.actionPrograms();
    await machine.program('note', `echo "$1" >> ${file('notes')}`);
    await writeFile(file('capsule-signers'), signerLine);
    await machine.start();
  });
  afterEach(() => machine.remove());

  it.each([
    ['no file', undefined],
    ['an empty file', ''],
    ['comments', `# ${signerLine}`],
  ])('are refused, with the cure, where setup wrote no key: %s', async (_, content) => {
    await rm(file('capsule-signers'));
    if (content !== undefined) await writeFile(file('capsule-signers'), content);
    expect(await act(newNote())).toMatchObject(isRefused('verb-refused', 'carries no key'));
  });

  it('take up another key at once, and tell which keys they take', async () => {
    const before = await machine.gate({ do: 'about' });
    expect(before).toMatchObject({ ok: { signers: [expect.stringMatching(/^SHA256:[A-Za-z0-9+/]{43}$/)] } });
    const other = publicKeyLine(newCapsuleKey());
    await writeFile(file('capsule-signers'), `${capsuleSigner} namespaces="${capsuleNamespace}" ${other}\n`);
    expect(await act(newNote())).toMatchObject(isRefused('verb-refused', 'signature'));
    expect(await machine.gate({ do: 'about' })).not.toEqual(before);
  });

  it('take no key that is listed for something else', async () => {
    await writeFile(file('capsule-signers'), signerLine.replace(capsuleNamespace, 'file'));
    expect(await act(newNote())).toMatchObject(isRefused('verb-refused', 'signature'));
  });

  it('leave nothing of a signature behind', async () => {
    await act(newNote());
    await act(newNote());
    expect(await signaturesLeft()).toEqual([]);
  });

  it('are none where a name stands twice in what was signed', async () => {
    const twice = JSON.stringify(newNote()).replace('{', '{"machine":"other",');
    const call = { do: 'act', fence, capsule: JSON.stringify(signCapsule(key, twice)) };
    expect(await machine.gate(call)).toMatchObject(isRefused('verb-refused', 'twice'));
    expect(await runs()).toBe(0);
  });

  it('are programs by name, never by a path, whatever the policy says', async () => {
    const rule = {
      argv: ['.+', 'now'],
      ...{ timeoutSeconds: 5, interruptible: false, summary: 'Anything' },
    };
    await machine.writePolicy({ actions: { note: rule } });
    const argv = [file('bin/note'), 'now'];
    const byPath = newCapsule({ machine: machine.name, fence, action: 'note', argv });
    expect(await act(byPath)).toMatchObject(isRefused('verb-refused', 'bare name'));
    expect(await runs()).toBe(0);
  });

  it('are refused when they expired while they waited for their turn', async () => {
    await machine.program('podman', `while [ -e ${file('slow-podman')} ]; do /bin/sleep 0.02; done; exit 1`);
    await writeFile(file('slow-podman'), '');
    const starting = machine.gate({ do: 'agent-start', fence, run: newNote().run, traceparent });
    await expect.poll(() => existsSync(machine.activationFile), patience).toBe(true);
    const capsule = { ...newNote(), expiresAt: Date.now() + 2_000 };
    const acting = act(capsule);
    await expect.poll(() => Date.now() > capsule.expiresAt, patience).toBe(true);
    await rm(file('slow-podman'));
    expect(await starting).toMatchObject({ refused: { code: 'unit-failed' } });
    expect(await acting).toMatchObject(isRefused('verb-refused', 'expired'));
    expect(await runs()).toBe(0);
  });

  it('leave files that others may read, as services do', async () => {
    const capsule = newNote();
    await act(capsule);
    await expect.poll(() => result(capsule), patience).toMatchObject(has('done'));
    expect((await stat(file('notes'))).mode & 0o777).toBe(0o644);
  });

  it('whose books cannot be read are refused, and keep nobody from stopping the agent', async () => {
    await machine.end();
    // A name that no file system takes.
    await symlink('x'.repeat(300), file('actions'));
    await machine.start();
    expect(await machine.gate({ do: 'agent-stop' })).toMatchObject({ ok: { agent: 'inactive' } });
    expect(await machine.gate({ do: 'action-halt' })).toMatchObject(isRefused('internal', file('actions')));
    expect(await act(newNote())).toMatchObject(isRefused('internal', file('actions')));
    expect(await runs()).toBe(0);
  });

  it('whose record is damaged are told with the file to mend', async () => {
    const { id } = newNote();
    await mkdir(file('actions'));
    await writeFile(join(file('actions'), `${id}.json`), '{');
    expect(await machine.gate({ do: 'result', id })).toMatchObject(isRefused('internal', `${id}.json`));
  });

  it('are none of the agent: its socket knows argument vectors alone', async () => {
    const capsule = newNote();
    for (const call of [callOf(capsule), { do: 'result', id: capsule.id }, { do: 'action-halt' }]) {
      expect(await machine.agent(call)).toMatchObject({ refused: { code: 'bad-request' } });
    }
    expect(await machine.agent({ argv: ['note', 'now'] })).toMatchObject({
      refused: { code: 'no-activation' },
    });
    expect(await runs()).toBe(0);
  });

  it('that no unit can be started for are refused, and their approval is not used up', async () => {
    const capsule = newNote();
    await writeFile(file('no-units'), '');
    expect(await act(capsule)).toMatchObject(
      isRefused('unit-failed', 'Failed to start transient service unit'),
    );
    expect(await result(capsule)).toMatchObject(has('unknown'));
    await rm(file('no-units'));
    expect(await act(capsule)).toMatchObject(has('running'));
    await expect.poll(() => result(capsule), patience).toMatchObject(has('done'));
    expect(await runs()).toBe(1);
  });

  it('that systemd began and did not answer for in time have begun', async () => {
    const capsule = newNote();
    await writeFile(file('slow-units'), '');
    await writeFile(file('no-answer'), '');
    const acting = act(capsule);
    await expect.poll(runs, patience).toBe(1);
    await rm(file('slow-units'));
    expect(await acting).toMatchObject(has('running'));
    await expect.poll(() => result(capsule), patience).toMatchObject(has('done'));
    expect(await act(capsule)).toMatchObject(isRefused('verb-refused', 'was used at'));
  });

  it('that end while they are looked at are told with how they went', async () => {
    const capsule = newNote();
    await writeFile(file('hold'), '');
    await act(capsule);
    const runner = await readFile(file(`fleetbot-action-${capsule.id}.service.pid`), 'utf8');
    const lives = async () =>
      !/^$|\) Z /.test(await readFile(`/proc/${runner.trim()}/stat`, 'utf8').catch(() => ''));
    await rm(file('shown'), { force: true });
    await writeFile(file('slow-show'), '');
    const asking = result(capsule);
    await expect.poll(() => existsSync(file('shown')), patience).toBe(true);
    await rm(file('hold'));
    await expect.poll(lives, patience).toBe(false);
    await rm(file('slow-show'));
    expect(await asking).toMatchObject(has('done'));
  });

  it('that must not be interrupted are waited for by what is told to end', async () => {
    const capsule = newNote();
    await machine.program(
      'note',
      `echo "$1" >> ${file('notes')}; until [ -e ${file('go')} ]; do /bin/sleep 0.02; done`,
    );
    await act(capsule);
    await expect.poll(runs, patience).toBe(1);
    const unit = `fleetbot-action-${capsule.id}.service`;
    process.kill(Number(await readFile(file(`${unit}.pid`), 'utf8')), 'SIGTERM');
    expect(await result(capsule)).toMatchObject(has('running'));
    await writeFile(file('go'), '');
    await expect.poll(() => result(capsule), patience).toMatchObject(has('done'));
  });

  it('that cannot be written down are refused, and their approval is not used up', async () => {
    const capsule = newNote();
    const inTheWay = join(file('actions'), `${capsule.id}.space`);
    await mkdir(inTheWay, { recursive: true });
    expect(await act(capsule)).toMatchObject(isRefused('unit-failed', 'Make room'));
    await rmdir(inTheWay);
    expect(await result(capsule)).toMatchObject(has('unknown'));
    expect(await act(capsule)).toMatchObject(has('running'));
  });

  it('are not begun for a gate that is gone: another may hold the books by now', async () => {
    const capsule = newNote();
    await writeFile(file('slow-keygen'), '');
    await machine.program(
      'ssh-keygen',
      `echo asked > ${file('asked')}; while [ -e ${file('slow-keygen')} ]; do /bin/sleep 0.02; done
      exec /usr/bin/ssh-keygen "$@"`,
    );
    const gate = createConnection(file('gate.sock'));
    gate.write(`${JSON.stringify(callOf(capsule))}\n`);
    await expect.poll(() => existsSync(file('asked')), patience).toBe(true);
    gate.destroy();
    await rm(file('slow-keygen'));
    await expect.poll(signaturesLeft, patience).toEqual([]);
    const other = newNote();
    await expect.poll(() => act(other), patience).toMatchObject(has('running'));
    expect(await result(capsule)).toMatchObject(has('unknown'));
    await expect.poll(() => result(other), patience).toMatchObject(has('done'));
    expect(await runs()).toBe(1);
  });

  describe('when the broker is killed', () => {
    it('before systemd was asked: never begin, which is said', async () => {
      const capsule = newNote();
      await machine.program('systemd-run', `echo asked > ${file('asked')}; exec /bin/sleep 60`);
      const acting = act(capsule).catch(() => undefined);
      await expect.poll(() => existsSync(file('asked')), patience).toBe(true);
      await crash();
      await acting;
      expect(await result(capsule)).toMatchObject({
        ok: { outcome: 'unknown', detail: expect.stringContaining('never began') },
      });
      expect(await act(capsule)).toMatchObject(isRefused('verb-refused', 'was used at'));
      expect(await runs()).toBe(0);
    });

    it('after systemd has begun, before that was answered: run once', async () => {
      const capsule = newNote();
      await writeFile(file('slow-units'), '');
      const acting = act(capsule).catch(() => undefined);
      await expect.poll(() => existsSync(file('units')), patience).toBe(true);
      await expect.poll(runs, patience).toBe(1);
      await crash();
      await acting;
      await expect.poll(() => result(capsule), patience).toMatchObject(has('done'));
      expect(await act(capsule)).toMatchObject(isRefused('verb-refused', 'was used at'));
      expect(await runs()).toBe(1);
    });

    it('and what would run it too, before its turn: never begin', async () => {
      const capsule = newNote();
      await writeFile(file('hold'), '');
      await act(capsule);
      const unit = `fleetbot-action-${capsule.id}.service`;
      process.kill(Number(await readFile(file(`${unit}.pid`), 'utf8')), 'SIGKILL');
      await crash();
      await expect.poll(() => result(capsule), patience).toMatchObject(has('unknown'));
      expect(await runs()).toBe(0);
    });
  });

  it('that had their turn are not run by hand either', async () => {
    const capsule = newNote();
    await act(capsule);
    await expect.poll(() => result(capsule), patience).toMatchObject(has('done'));
    const again = ['-I', '-S', join(brokerFolder, 'run_action.py'), '--book', file('actions'), capsule.id];
    const { status, stderr } = spawnSync('python3', again, { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('had its turn before') });
    expect(await runs()).toBe(1);
  });

  it('stand in the journal, with who they are', async () => {
    const capsule = newNote();
    await act(capsule);
    expect(machine.printed).toContain('note begins: note now');
    expect(machine.printed).toContain(`FLEETBOT_APPROVAL=${capsule.id}`);
    expect(machine.printed).toContain(`FLEETBOT_DIGEST=${capsule.digest}`);
  });
});
