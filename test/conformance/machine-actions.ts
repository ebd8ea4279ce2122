import type { KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Capsule, SignedCapsule } from '../../src/fleet/capsule.ts';
import { publicKeyLine } from '../../src/fleet/ssh-signature.ts';
import type { ActionReport, MachineBrake, MachineGate } from '../../src/supervisors/ports.ts';
import { newCapsule, newCapsuleKey, signCapsule } from '../support/capsules.ts';

/** An action of the machine's policy. */
interface Rule {
  readonly argv: readonly string[];
  readonly timeoutSeconds: number;
  readonly interruptible: boolean;
  readonly summary: string;
}

/** What the machine is made with: what it may run, and a line of OpenSSH for each key that may sign. */
export interface ActingSetup {
  readonly actions: Readonly<Record<string, Rule>>;
  readonly signers: readonly string[];
}

/** A machine that has never been asked anything, with an agent that starts and stops. */
export interface ActingMachine {
  readonly name: string;
  readonly gate: MachineGate & MachineBrake;
  /** Where it keeps what became of its actions. */
  readonly book: string;
  /** Actions that are begun from now on wait before they run, or go on. */
  hold(held: boolean): Promise<void>;
  /** SIGKILL for what serves the gate; then it starts again. */
  crash(): Promise<void>;
  close(): Promise<void>;
}

const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const patience = { timeout: 20_000 };
/** Longer than every limit on outputs. */
const longOutputBytes = 20_000_000;

/** What every machine promises of changes: only what people approved, and each approval once. */
export function machineActionsSuite(
  name: string,
  make: (setup: ActingSetup) => Promise<ActingMachine>,
): void {
  describe(`the actions of a machine: ${name}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'fleetbot-actions-'));
    const [key, nextKey, stranger] = [newCapsuleKey(), newCapsuleKey(), newCapsuleKey()];
    const log = join(folder, 'log');
    const go = join(folder, 'go');
    const scripts = {
      note: `echo "$0" >> ${log}; echo noted`,
      wait: `echo "$0" >> ${log}; while [ ! -e ${go} ]; do /bin/sleep 0.02; done; echo ended`,
      fail: 'echo "password=hunter2hunter2" >&2; exit 3',
      print: `/usr/bin/head -c ${longOutputBytes} /dev/zero | /usr/bin/tr '\\0' x; echo "$0" >> ${log}`,
      // Its parent is what runs it.
      orphan: `while [ ! -e ${go} ]; do /bin/sleep 0.02; done; kill -9 $PPID`,
    };
    const argvOf = (script: keyof typeof scripts, word: string) => ['sh', '-c', scripts[script], word];
    const rule = (script: keyof typeof scripts, timeoutSeconds = 60, interruptible = false): Rule => ({
      argv: ['sh', literal('-c'), literal(scripts[script]), '[a-z]{1,8}'],
      ...{ timeoutSeconds, interruptible, summary: 'A test' },
    });
    const actions = {
      note: rule('note'),
      wait: rule('wait'),
      pause: rule('wait', 60, true),
      hurry: rule('wait', 1),
      fail: rule('fail'),
      print: rule('print'),
      orphan: rule('orphan'),
    };
    const scriptOf: Readonly<Record<keyof typeof actions, keyof typeof scripts>> = {
      ...{
        note: 'note',
        wait: 'wait',
        pause: 'wait',
        hurry: 'wait',
        fail: 'fail',
        print: 'print',
        orphan: 'orphan',
      },
    };

    let under: ActingMachine;
    let fence = 0;
    let word = 0;
    beforeAll(async () => {
      under = await make({ actions, signers: [key, nextKey].map(publicKeyLine) });
    });
    afterAll(async () => {
      await writeFile(go, '');
      await under?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    /** A capsule for the next fence, with a word of its own. */
    function next(action: keyof typeof actions, changes: Partial<Capsule> = {}): Capsule {
      fence += 1;
      word += 1;
      const argv = argvOf(scriptOf[action], wordOf(word));
      return newCapsule({ machine: under.name, fence, action, argv, ...changes });
    }
    const act = (capsule: Capsule, by: KeyObject = key) =>
      under.gate.act(capsule.fence, signCapsule(by, capsule));
    async function ended({ id }: Capsule): Promise<ActionReport> {
      await expect.poll(() => under.gate.result(id), patience).not.toMatchObject({ outcome: 'running' });
      return await under.gate.result(id);
    }
    /** How often it ran. */
    async function runs(capsule: Capsule): Promise<number> {
      const lines = (await readFile(log, 'utf8').catch(() => '')).split('\n');
      return lines.filter((line) => line === capsule.argv.at(-1)).length;
    }
    const begins = (capsule: Capsule) => expect.poll(() => runs(capsule), patience).toBe(1);
    async function finishes(capsule: Capsule): Promise<ActionReport> {
      writeFileSync(go, '');
      const report = await ended(capsule);
      rmSync(go);
      return report;
    }
    async function isRefused(delivery: SignedCapsule, under_: number, why: RegExp): Promise<void> {
      expect(await under.gate.act(under_, delivery)).toEqual({
        outcome: 'refused',
        detail: expect.stringMatching(why),
      });
    }

    it('run once, and are told of as often as asked', async () => {
      const capsule = next('note');
      expect(await under.gate.result(capsule.id)).toMatchObject({ outcome: 'unknown' });
      expect(await act(capsule)).toMatchObject({ outcome: 'running' });
      const report = { outcome: 'done', exitCode: 0, stdout: 'noted\n', stderr: '' };
      expect(await ended(capsule)).toMatchObject(report);
      expect(await under.gate.result(capsule.id)).toMatchObject(report);
      expect(await runs(capsule)).toBe(1);
      expect((await under.gate.status()).action).toBeUndefined();
    });

    it('are not run again by a capsule that comes again, nor by a later one of the same approval', async () => {
      const capsule = next('note');
      await act(capsule);
      await ended(capsule);
      await isRefused(signCapsule(key, capsule), fence, /was used at/);
      fence += 1;
      await isRefused(signCapsule(key, { ...capsule, fence }), fence, /was used at/);
      expect(await runs(capsule)).toBe(1);
    });

    it('run once when the same capsule comes five times at once', async () => {
      const capsule = next('note');
      const reports = await Promise.all(Array.from({ length: 5 }, () => act(capsule)));
      expect(reports.map(({ outcome }) => outcome).toSorted()).toEqual([
        ...Array(4).fill('refused'),
        'running',
      ]);
      await ended(capsule);
      expect(await runs(capsule)).toBe(1);
    });

    it('are taken from every key that the machine carries, so that keys can change', async () => {
      const capsule = next('note');
      expect(await act(capsule, nextKey)).toMatchObject({ outcome: 'running' });
      expect(await ended(capsule)).toMatchObject({ outcome: 'done' });
    });

    describe('that nobody approved', () => {
      const forgeries: Readonly<Record<string, readonly [(capsule: Capsule) => SignedCapsule, RegExp]>> = {
        'of another key': [(capsule) => signCapsule(stranger, capsule), /signature is none of a key/],
        'with changed words': [
          (capsule) => ({
            ...signCapsule(key, capsule),
            capsule: JSON.stringify({ ...capsule, argv: argvOf('fail', 'x') }),
          }),
          /signature is none of a key/,
        ],
        'signed as something else': [
          (capsule) => signCapsule(key, capsule, 'fleetbot-decision@1'),
          /signature/,
        ],
        'without a signature': [(capsule) => ({ ...signCapsule(key, capsule), signature: '' }), /signature/],
        'that are garbage': [() => ({ capsule: '}{', signature: '\0' }), /cannot be read|signature/],
        'that are signed garbage': [() => signCapsule(key, '}{'), /cannot be read/],
        'of another version': [(capsule) => signCapsule(key, { ...capsule, version: 2 }), /cannot be read/],
        'with a field too many': [
          (capsule) => signCapsule(key, { ...capsule, shell: true }),
          /cannot be read/,
        ],
        'for another machine': [
          (capsule) => signCapsule(key, { ...capsule, machine: 'other-01' }),
          /for other-01/,
        ],
        'for another fence': [
          (capsule) => signCapsule(key, { ...capsule, fence: capsule.fence + 1 }),
          /for fence/,
        ],
        'that have expired': [
          (capsule) => signCapsule(key, { ...capsule, signedAt: 1_000, expiresAt: 61_000 }),
          /expired at 1970-01-01T00:01:01\.000Z: this machine's clock says 20/,
        ],
        'of a time to come': [
          (capsule) => signCapsule(key, { ...capsule, signedAt: Date.parse('2999-01-01'), expiresAt: 8e15 }),
          /signed at 2999-01-01T00:00:00\.000Z, which is still to come: this machine's clock says 20/,
        ],
        'whose digest is another': [
          (capsule) => signCapsule(key, { ...capsule, argv: argvOf('note', 'other') }),
          /digest/,
        ],
        'that are not in the policy': [
          (capsule) => signCapsule(key, { ...capsule, action: 'wipe' }),
          /"wipe" is not/,
        ],
        'with words that the policy does not allow': [
          ({ machine, fence: at, id }) => {
            const argv = argvOf('note', '$(id)');
            return signCapsule(key, newCapsule({ id, machine, fence: at, action: 'note', argv }));
          },
          /policy allows/,
        ],
        'with words that only begin as the policy allows': [
          ({ machine, fence: at, id }) => {
            const argv = argvOf('note', 'x\n');
            return signCapsule(key, newCapsule({ id, machine, fence: at, action: 'note', argv }));
          },
          /policy allows/,
        ],
        'with more words than the policy has': [
          ({ machine, fence: at, id }) => {
            const argv = [...argvOf('note', 'x'), 'y'];
            return signCapsule(key, newCapsule({ id, machine, fence: at, action: 'note', argv }));
          },
          /policy/,
        ],
      };
      for (const [what, [forge, why]] of Object.entries(forgeries)) {
        it(`are refused: ${what}`, async () => {
          const capsule = next('note');
          await isRefused(forge(capsule), fence, why);
          expect(await under.gate.result(capsule.id)).toMatchObject({ outcome: 'unknown' });
          expect(await runs(capsule)).toBe(0);
        });
      }

      it('do not use up the approval', async () => {
        const capsule = next('note');
        await isRefused(signCapsule(stranger, capsule), fence, /signature/);
        await act(capsule);
        expect(await ended(capsule)).toMatchObject({ outcome: 'done' });
      });
    });

    it('never begin after a higher fence was seen', async () => {
      const late = next('note');
      await under.gate.stop(fence + 1);
      await expect(act(late)).rejects.toMatchObject({ code: 'old-fence' });
      fence += 1;
      expect(await under.gate.result(late.id)).toMatchObject({ outcome: 'unknown' });
      expect(await runs(late)).toBe(0);
    });

    it('tell how they failed, without secrets', async () => {
      const capsule = next('fail');
      await act(capsule);
      const { outcome, exitCode, detail, stderr } = await ended(capsule);
      expect({ outcome, exitCode }).toEqual({ outcome: 'failed', exitCode: 3 });
      expect(detail).toContain('exit code 3');
      expect(stderr).toContain('[redacted:');
      expect(stderr).not.toContain('hunter2');
    });

    it('are ended when they take longer than the policy allows', async () => {
      const capsule = next('hurry');
      await act(capsule);
      const { outcome, exitCode, detail } = await ended(capsule);
      expect({ outcome, exitCode }).toEqual({ outcome: 'failed', exitCode: null });
      expect(detail).toContain('ended after 1 s');
    });

    it('are not ended by what they print, of which the beginning is kept', async () => {
      const capsule = next('print');
      await act(capsule);
      const { outcome, stdout = '' } = await ended(capsule);
      expect(outcome).toBe('done');
      expect(stdout).toMatch(/^x{1000,16384}$/);
      expect(await runs(capsule)).toBe(1);
    });

    it('do not begin while the agent runs', async () => {
      const capsule = next('note');
      await under.gate.start(fence, 'r-00000000aaaa', traceparent);
      await isRefused(signCapsule(key, capsule), fence, /agent runs/);
      fence += 1;
      await under.gate.stop(fence);
      expect(await runs(capsule)).toBe(0);
    });

    it('run alone, and are ended by no stop; no agent starts beside one', async () => {
      const capsule = next('wait');
      await act(capsule);
      await begins(capsule);
      const action = { id: capsule.id, name: 'wait' };
      expect(await under.gate.status()).toMatchObject({ agent: 'inactive', action });
      const other = next('note');
      await isRefused(signCapsule(key, other), fence, /wait \(a-.*\) runs/);
      fence += 1;
      await expect(under.gate.start(fence, 'r-00000000bbbb', traceparent)).rejects.toMatchObject({
        code: 'unit-failed',
        message: expect.stringContaining(capsule.id),
      });
      await under.gate.stop(fence);
      expect(await under.gate.result(capsule.id)).toMatchObject({ outcome: 'running' });
      expect(await finishes(capsule)).toMatchObject({ outcome: 'done', stdout: 'ended\n' });
      expect(await runs(other)).toBe(0);
    });

    it('that must not be interrupted go on when the machine is locked, which is told; none begins then', async () => {
      const capsule = next('wait');
      await act(capsule);
      await begins(capsule);
      const action = { id: capsule.id, name: 'wait' };
      expect(await under.gate.lock('a leak')).toEqual({ locked: true, agent: 'inactive', action });
      const other = next('note');
      await isRefused(signCapsule(key, other), fence, /has been locked/);
      expect(await finishes(capsule)).toMatchObject({ outcome: 'done' });
      await isRefused(signCapsule(key, other), fence, /has been locked/);
      expect(await under.gate.unlock('a leak')).toEqual({ locked: false, agent: 'inactive' });
      expect(await runs(other)).toBe(0);
    });

    it('that may be interrupted are ended by a lock', async () => {
      const capsule = next('pause');
      await act(capsule);
      await begins(capsule);
      expect((await under.gate.status()).action).toBeUndefined();
      expect(await under.gate.lock('a leak')).toEqual({ locked: true, agent: 'inactive' });
      const { outcome, exitCode, detail } = await ended(capsule);
      expect({ outcome, exitCode }).toEqual({ outcome: 'failed', exitCode: null });
      expect(detail).toContain('told to end');
      await under.gate.unlock('a leak');
    });

    it('that have not had their turn yet never begin once the machine is locked', async () => {
      const capsule = next('note');
      await under.hold(true);
      expect(await act(capsule)).toMatchObject({ outcome: 'running' });
      expect(await under.gate.lock('a leak')).toEqual({ locked: true, agent: 'inactive' });
      const never = { outcome: 'unknown', detail: expect.stringContaining('never began') };
      expect(await under.gate.result(capsule.id)).toMatchObject(never);
      await under.hold(false);
      await under.gate.unlock('a leak');
      // Whatever was held has gone on by the time that another one has run.
      const other = next('note');
      await act(other);
      await ended(other);
      expect(await under.gate.result(capsule.id)).toMatchObject(never);
      expect(await runs(capsule)).toBe(0);
    });

    describe('when what serves the gate is killed', () => {
      it('after they have ended: are remembered', async () => {
        const capsule = next('note');
        await act(capsule);
        await ended(capsule);
        await under.crash();
        expect(await under.gate.result(capsule.id)).toMatchObject({ outcome: 'done', stdout: 'noted\n' });
        await isRefused(signCapsule(key, capsule), fence, /was used at/);
      });

      it('while they run: go on, alone, and are told of', async () => {
        const capsule = next('wait');
        await act(capsule);
        await begins(capsule);
        await under.crash();
        expect(await under.gate.result(capsule.id)).toMatchObject({ outcome: 'running' });
        expect((await under.gate.status()).action).toEqual({ id: capsule.id, name: 'wait' });
        await isRefused(signCapsule(key, next('note')), fence, /runs/);
        expect(await finishes(capsule)).toMatchObject({ outcome: 'done', stdout: 'ended\n' });
        expect(await runs(capsule)).toBe(1);
      });

      it('between being begun and running: ran once, or never will', async () => {
        const capsule = next('note');
        await under.hold(true);
        await act(capsule);
        await under.crash();
        const early = await under.gate.result(capsule.id);
        await under.hold(false);
        const { outcome } = await ended(capsule);
        if (early.outcome !== 'running') expect(outcome).toBe(early.outcome);
        await isRefused(signCapsule(key, capsule), fence, /was used at/);
        // Whatever was held has gone on by the time that another one has run.
        const other = next('note');
        await act(other);
        await ended(other);
        expect({ outcome, runs: await runs(capsule) }).toEqual(
          outcome === 'done' ? { outcome: 'done', runs: 1 } : { outcome: 'unknown', runs: 0 },
        );
      });
    });

    it('whose process is killed end as failed, and it is said that nobody knows how far they came', async () => {
      const capsule = next('orphan');
      await act(capsule);
      writeFileSync(go, '');
      const { outcome, detail } = await ended(capsule);
      rmSync(go);
      expect(outcome).toBe('failed');
      expect(detail).toContain('how far it came is not known');
    });

    it('in whose middle the machine restarted are lost, which is said', async () => {
      const capsule = next('orphan');
      await act(capsule);
      const record = join(under.book, `${capsule.id}.json`);
      const text = await readFile(record, 'utf8');
      await writeFile(record, text.replace(/("boot": ?)"[^"]*"/, '$1"another one"'));
      writeFileSync(go, '');
      const { outcome, detail } = await ended(capsule);
      rmSync(go);
      expect(outcome).toBe('lost');
      expect(detail).toContain('restarted');
    });
  });
}

/** A regular expression of exactly this text, as the policy has it. */
function literal(text: string): string {
  return text.replace(/[^A-Za-z0-9]/g, '\\$&');
}

/** Letters alone. */
function wordOf(number: number): string {
  return [...String(number)].map((digit) => 'abcdefghij'[Number(digit)]).join('');
}
