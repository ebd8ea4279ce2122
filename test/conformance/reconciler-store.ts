import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { DriftNote } from '../../src/fleet/drift.ts';
import { StaleFenceError } from '../../src/fleet/errors.ts';
import type { Halt, HaltMember, Release } from '../../src/fleet/halt.ts';
import type { Notice } from '../../src/fleet/notice.ts';
import type { ReconcilerStore } from '../../src/supervisors/ports.ts';

/** A store that nobody has used yet, and what other rooms do to it. */
export interface ReconcilerStoreUnderTest {
  readonly store: ReconcilerStore;
  /** The same records as another process sees them. */
  another(): Promise<ReconcilerStore>;
  /** A worker takes up a run of the machine. */
  giveRun(machine: string): Promise<void>;
  /** A person halts these machines. */
  begin(halt: Halt, machines: readonly string[]): Promise<void>;
  /** A person resumes. */
  release(haltId: string, release: Release): Promise<void>;
  /** The notices that are to be posted. */
  notices(): Promise<readonly Notice[]>;
  close(): Promise<void>;
}

const person = { kind: 'person', userId: 'U1', teamId: 'T1' } as const;

function haltOn(id: string, at: number): Halt {
  return {
    ...{ id, eventId: `Ev-${id}`, selector: 'web-*', reason: 'leak', by: person },
    ...{ origin: { channel: 'C01' }, at, releases: [] },
  };
}

/** What every adapter of the port ReconcilerStore promises. */
export function reconcilerStoreSuite(name: string, make: () => Promise<ReconcilerStoreUnderTest>): void {
  describe(`the reconciler's store: ${name}`, () => {
    let under: ReconcilerStoreUnderTest;
    let store: ReconcilerStore;
    let other: ReconcilerStore;
    beforeAll(async () => {
      under = await make();
      store = under.store;
      other = await under.another();
    });
    afterAll(async () => {
      await under.close();
    });

    const record = async (machine: string) => (await store.machines([machine])).get(machine);

    describe('a fence', () => {
      it('is 0 for a machine that nobody has used', async () => {
        expect(await store.machines(['new-01', 'new-02'])).toEqual(
          new Map([
            ['new-01', { fence: 0 }],
            ['new-02', { fence: 0 }],
          ]),
        );
      });

      it('that is taken is above the one that the machine has seen, and above the one before', async () => {
        expect(await store.takeFence('fence-01', 7)).toBe(8);
        expect(await other.takeFence('fence-01', 7)).toBe(9);
        expect(await record('fence-01')).toEqual({ fence: 9 });
      });

      it('is not given for a machine that has a current run, and stays as it is', async () => {
        await under.giveRun('fence-02');
        const before = await record('fence-02');
        expect(before).toMatchObject({ currentRunId: expect.any(String) });
        expect(await store.takeFence('fence-02', 100)).toBeUndefined();
        expect(await record('fence-02')).toEqual(before);
      });
    });

    describe('a quarantine', () => {
      const quarantine = { runId: 'r-00000000aaaa', reason: 'It could not be stopped.', at: 5 };

      it('is set and lifted under the fence of the machine', async () => {
        const fence = (await store.takeFence('quarantine-01', 0)) ?? 0;
        await store.setQuarantine('quarantine-01', fence, quarantine);
        expect(await record('quarantine-01')).toEqual({ fence, quarantine });
        await other.setQuarantine('quarantine-01', fence, undefined);
        expect(await record('quarantine-01')).toEqual({ fence });
      });

      it('is refused under a fence that was taken over', async () => {
        const fence = (await store.takeFence('quarantine-02', 0)) ?? 0;
        await other.takeFence('quarantine-02', 0);
        await expect(store.setQuarantine('quarantine-02', fence, quarantine)).rejects.toBeInstanceOf(
          StaleFenceError,
        );
        expect((await record('quarantine-02'))?.quarantine).toBeUndefined();
      });
    });

    describe('what is known of drift', () => {
      const drift: DriftNote = {
        since: 5,
        parts: [
          { part: 'policy', expected: 'sha256:a', found: null },
          { part: 'gate', expected: '1.0.0', found: '0.9.0' },
        ],
      };

      it('is kept with the machine, replaced, and forgotten', async () => {
        await store.setDrift('drift-01', drift);
        expect(await record('drift-01')).toEqual({ fence: 0, drift });
        const changed = { ...drift, parts: drift.parts.slice(1) };
        await other.setDrift('drift-01', changed);
        expect(await record('drift-01')).toEqual({ fence: 0, drift: changed });
        await store.setDrift('drift-01', undefined);
        expect(await record('drift-01')).toEqual({ fence: 0 });
      });

      it('changes nothing else of the machine', async () => {
        await store.takeFence('drift-02', 7);
        await store.setDrift('drift-02', drift);
        expect(await store.takeFence('drift-02', 0)).toBe(9);
        expect(await record('drift-02')).toEqual({ fence: 9, drift });
      });
    });

    describe('a halt', () => {
      it('is told to every process, with its machines as pending', async () => {
        const [heard, heardByOther] = [vi.fn<() => void>(), vi.fn<() => void>()];
        const stops = [store.onHaltsChanged(heard), other.onHaltsChanged(heardByOther)];
        await under.begin(haltOn('h-1', 10), ['web-01', 'web-02']);
        await vi.waitFor(() => expect(heard).toHaveBeenCalled());
        await vi.waitFor(() => expect(heardByOther).toHaveBeenCalled());
        for (const stop of stops) stop();
        expect(await other.halts()).toEqual([haltOn('h-1', 10)]);
        expect(await other.haltMembers('h-1')).toEqual(
          new Map<string, HaltMember>([
            ['web-01', { outcome: 'pending', at: 10 }],
            ['web-02', { outcome: 'pending', at: 10 }],
          ]),
        );
      });

      it('keeps what became of each machine, also of one that joined later', async () => {
        await store.recordHalt('h-1', new Map([['web-01', { outcome: 'inactive', at: 11 }]]));
        const gone: HaltMember = { outcome: 'unreachable', at: 12, detail: 'No answer.' };
        await store.recordHalt('h-1', new Map([['web-03', gone]]));
        expect(await other.haltMembers('h-1')).toEqual(
          new Map<string, HaltMember>([
            ['web-01', { outcome: 'inactive', at: 11 }],
            ['web-02', { outcome: 'pending', at: 10 }],
            ['web-03', gone],
          ]),
        );
      });

      it('stands behind older ones', async () => {
        await under.begin(haltOn('h-3', 30), []);
        await under.begin(haltOn('h-2', 20), []);
        expect((await store.halts()).map(({ id }) => id)).toEqual(['h-1', 'h-2', 'h-3']);
      });

      it('that was lifted is told, and stays until it is closed', async () => {
        const heard = vi.fn<() => void>();
        const stop = other.onHaltsChanged(heard);
        const release: Release = { selector: 'web-*', by: person, at: 40 };
        await under.release('h-1', release);
        await vi.waitFor(() => expect(heard).toHaveBeenCalled());
        stop();
        expect((await other.halts())[0]).toEqual({ ...haltOn('h-1', 10), releases: [release] });

        await store.closeHalt('h-1');
        await store.closeHalt('h-1');
        expect((await other.halts()).map(({ id }) => id)).toEqual(['h-2', 'h-3']);
      });

      it('is not told to who listens no more', async () => {
        const [heard, still] = [vi.fn<() => void>(), vi.fn<() => void>()];
        store.onHaltsChanged(heard)();
        const stop = store.onHaltsChanged(still);
        await under.begin(haltOn('h-4', 50), []);
        await vi.waitFor(() => expect(still).toHaveBeenCalled());
        stop();
        expect(heard).not.toHaveBeenCalled();
      });
    });

    it('posts a notice once', async () => {
      const notice: Notice = {
        ...{ id: 'n-1', kind: 'stray-stopped', machine: 'web-01', channel: 'C01' },
        ...{ text: 'An agent was stopped.', at: 60 },
      };
      await store.notice(notice);
      await other.notice(notice);
      await store.found('web-01', 'stray-found', 'An agent runs.');
      expect(await under.notices()).toEqual([notice]);
    });

    describe('the lead', () => {
      it('is with one process at a time, and goes to another one when it lets go', async () => {
        const [first, second] = [new AbortController(), new AbortController()];
        let leaders = 0;
        let most = 0;
        const terms: string[] = [];
        const work = (by: string) => async (signal: AbortSignal) => {
          leaders += 1;
          most = Math.max(most, leaders);
          terms.push(by);
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
          leaders -= 1;
        };
        const one = store.lead(work('one'), first.signal);
        await vi.waitFor(() => expect(terms).toEqual(['one']));
        const two = other.lead(work('two'), second.signal);
        first.abort();
        await one;
        await vi.waitFor(() => expect(terms).toEqual(['one', 'two']), { timeout: 15_000 });
        second.abort();
        await two;
        expect(most).toBe(1);
      });

      it('comes back to a process whose work broke off', async () => {
        const stopping = new AbortController();
        let terms = 0;
        const leading = store.lead(async (signal) => {
          terms += 1;
          if (terms === 1) throw new Error('a bug');
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        }, stopping.signal);
        await vi.waitFor(() => expect(terms).toBe(2), { timeout: 15_000 });
        stopping.abort();
        await leading;
      });
    });
  });
}
