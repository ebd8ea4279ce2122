import { describe, expect, it } from 'vitest';
import { MachineError } from '../../../src/fleet/errors.ts';
import { ReconciledFleet, releaseOf, traceparent } from './reconciled-fleet.ts';

const patient = { timeout: 10_000, interval: 5 };
const names = (count: number) => Array.from({ length: count }, (_, index) => `web-${index}`);

describe('a halt', () => {
  it('that holds already when a process begins to lead locks its machines and stops their agents', async () => {
    await using fleet = new ReconciledFleet(['web-1', 'db-1']);
    await fleet.on('web-1').start(1, 'r-00000000aaaa', traceparent);
    fleet.halt('h-1', ['web-1']);
    fleet.reconcile();
    await expect.poll(() => fleet.outcome('h-1', 'web-1'), patient).toBe('inactive');
    expect(await fleet.on('web-1').status()).toMatchObject({
      agent: 'inactive',
      lock: { reason: 'halt h-1 by U1: leak' },
    });
    expect(fleet.on('db-1').books).toEqual([]);
  });

  it('is carried out at once when it begins, and each machine is locked once', async () => {
    await using fleet = new ReconciledFleet(names(3), { attentionIntervalMs: 3_600_000 });
    fleet.reconcile();
    await expect.poll(() => fleet.rounds.length, patient).toBe(1);
    fleet.halt('h-1', names(3), 'all');
    await expect.poll(() => fleet.outcomes('h-1'), patient).toEqual({ inactive: 3 });
    for (const fake of fleet.fakes.values()) expect(fake.books).toEqual(['lock halt h-1 by U1: leak']);
    expect(fleet.findings).toEqual([]);
  });

  it('names an action that must not be interrupted, until it has ended', async () => {
    await using fleet = new ReconciledFleet(['web-1']);
    fleet.on('web-1').action = { id: 'a-1', name: 'grow-disk' };
    fleet.halt('h-1', ['web-1']);
    fleet.reconcile();
    await expect.poll(() => fleet.outcome('h-1', 'web-1'), patient).toBe('ending');
    expect(fleet.records.outcome('h-1', 'web-1')?.detail).toContain('grow-disk');
    fleet.on('web-1').action = undefined;
    await expect.poll(() => fleet.outcome('h-1', 'web-1'), patient).toBe('inactive');
    expect(fleet.on('web-1').books).toHaveLength(1);
  });

  it('calls a machine inactive only when that was measured', async () => {
    await using fleet = new ReconciledFleet(['web-1', 'web-2']);
    fleet.on('web-1').lock = async () => ({ locked: true, agent: 'active' });
    fleet.on('web-2').lock = async () => {
      throw new MachineError('unit-failed', 'systemd says hunter2.');
    };
    await fleet.on('web-1').start(1, 'r-00000000aaaa', traceparent);
    fleet.halt('h-1', ['web-1', 'web-2']);
    fleet.reconcile();
    await expect.poll(() => fleet.outcomes('h-1'), patient).toEqual({ failed: 2 });
    expect(fleet.records.outcome('h-1', 'web-1')?.detail).toContain('still active');
    expect(fleet.records.outcome('h-1', 'web-2')?.detail).toBe('systemd says ***.');
  });

  it('locks a machine that was unreachable when it comes back, and tells so', async () => {
    await using fleet = new ReconciledFleet(['web-1']);
    fleet.on('web-1').unreachableAfterMs = 5;
    fleet.halt('h-1', ['web-1']);
    fleet.reconcile();
    await expect.poll(() => fleet.outcome('h-1', 'web-1'), patient).toBe('unreachable');
    expect(fleet.records.outcome('h-1', 'web-1')?.detail).toContain('does not answer');
    fleet.on('web-1').unreachableAfterMs = undefined;
    await expect.poll(() => fleet.outcome('h-1', 'web-1'), patient).toBe('inactive');
    await expect.poll(() => fleet.records.notices, patient).toHaveLength(1);
    expect(fleet.records.notices[0]).toMatchObject({ kind: 'locked-late', machine: 'web-1', channel: 'C00' });
    expect(fleet.records.notices[0]?.text).toContain('could not be locked until now');
    expect(fleet.counted).toEqual(['locked-late']);
  });

  it('locks a machine again that has lost its lock, and tells so', async () => {
    await using fleet = new ReconciledFleet(['web-1'], { roundIntervalMs: 20 });
    fleet.halt('h-1', ['web-1']);
    fleet.reconcile();
    await expect.poll(() => fleet.outcome('h-1', 'web-1'), patient).toBe('inactive');
    fleet.on('web-1').locked = null;
    await expect.poll(() => fleet.on('web-1').books.length, patient).toBe(2);
    await expect.poll(() => fleet.findings, patient).toEqual(['locked-late']);
    expect(fleet.records.notices[0]?.text).toContain('had lost the lock of halt h-1');
  });

  it('that is confirmed stays so while the machine cannot be reached', async () => {
    await using fleet = new ReconciledFleet(['web-1'], { roundIntervalMs: 20 });
    fleet.halt('h-1', ['web-1']);
    fleet.reconcile();
    await expect.poll(() => fleet.outcome('h-1', 'web-1'), patient).toBe('inactive');
    fleet.on('web-1').unreachableAfterMs = 1;
    await expect.poll(() => fleet.rounds.at(-1)?.unreachable, patient).toBe(1);
    expect(fleet.outcome('h-1', 'web-1')).toBe('inactive');
  });

  it('that begins while an earlier one is read is carried out at once, too', async () => {
    await using fleet = new ReconciledFleet(['web-1', 'db-1'], { attentionIntervalMs: 3_600_000 });
    const store = fleet.records.store();
    const halts = store.halts.bind(store);
    store.halts = async () => {
      const read = await halts();
      if (read.length === 1) fleet.halt('h-2', ['db-1']);
      return read;
    };
    fleet.reconcile(store);
    await expect.poll(() => fleet.rounds.length, patient).toBe(1);
    fleet.halt('h-1', ['web-1']);
    await expect.poll(() => fleet.outcome('h-1', 'web-1'), patient).toBe('inactive');
    await expect.poll(() => fleet.outcome('h-2', 'db-1'), patient).toBe('inactive');
  });

  it('that another process carried out a moment ago is not taken for a lock by other means', async () => {
    await using fleet = new ReconciledFleet(['web-1'], { attentionIntervalMs: 3_600_000 });
    const fake = fleet.on('web-1');
    const status = fake.status.bind(fake);
    fake.status = async (signal) => {
      if (!fleet.records.halts.has('h-1')) {
        fleet.records.listeners.clear();
        fleet.halt('h-1', ['web-1']);
        await fake.lock('halt h-1 by U1: leak');
      }
      return status(signal);
    };
    fleet.reconcile();
    await expect.poll(() => fleet.outcome('h-1', 'web-1'), patient).toBe('inactive');
    expect(fleet.findings).toEqual([]);
  });

  it('stops an agent that somebody started in spite of the lock', async () => {
    await using fleet = new ReconciledFleet(['web-1'], { roundIntervalMs: 20 });
    fleet.halt('h-1', ['web-1']);
    fleet.reconcile();
    await expect.poll(() => fleet.outcome('h-1', 'web-1'), patient).toBe('inactive');
    const { locked } = fleet.on('web-1');
    fleet.on('web-1').locked = null;
    await fleet.on('web-1').start(1, 'r-00000000aaaa', traceparent);
    fleet.on('web-1').locked = locked;
    await expect.poll(async () => (await fleet.on('web-1').status()).agent, patient).toBe('inactive');
  });

  it('holds for a machine that joins the fleet later', async () => {
    await using fleet = new ReconciledFleet(['web-1', 'web-2']);
    const later = fleet.machines.get('web-2');
    fleet.machines.delete('web-2');
    fleet.halt('h-1', ['web-1'], 'web-*');
    fleet.reconcile();
    await expect.poll(() => fleet.outcomes('h-1'), patient).toEqual({ inactive: 1 });
    if (later) fleet.machines.set('web-2', later);
    await expect.poll(() => fleet.outcome('h-1', 'web-2'), patient).toBe('inactive');
    expect(fleet.on('web-2').locked?.reason).toContain('h-1');
  });

  it('is completed by the next leader when the first one ends in the middle', async () => {
    await using fleet = new ReconciledFleet(names(4));
    // Every machine but the first one keeps it waiting.
    const first = fleet.reconcile(undefined, ({ name }) => {
      const fake = fleet.on(name);
      return {
        status: (signal) => fake.status(signal),
        stop: (fence) => fake.stop(fence),
        unlock: (reason) => fake.unlock(reason),
        lock: (reason) => (name === 'web-0' ? fake.lock(reason) : new Promise(() => {})),
      };
    });
    await expect.poll(() => fleet.rounds.length, patient).toBe(1);
    fleet.halt('h-1', names(4), 'all');
    await expect.poll(() => fleet.outcomes('h-1'), patient).toEqual({ inactive: 1, pending: 3 });
    await first.stop();
    fleet.reconcile();
    await expect.poll(() => fleet.outcomes('h-1'), patient).toEqual({ inactive: 4 });
    for (const fake of fleet.fakes.values()) expect(fake.books).toEqual(['lock halt h-1 by U1: leak']);
    expect(fleet.findings).toEqual([]);
  });

  it('leaves a lock by other means on a machine that is locked already, also afterwards', async () => {
    await using fleet = new ReconciledFleet(['web-1']);
    await fleet.on('web-1').lock('maintenance');
    fleet.halt('h-1', ['web-1']);
    fleet.reconcile();
    await expect
      .poll(() => fleet.records.outcome('h-1', 'web-1'), patient)
      .toMatchObject({
        ...{ outcome: 'inactive', detail: expect.stringContaining('maintenance') },
      });
    fleet.records.release('h-1', releaseOf('all'));
    await expect.poll(() => fleet.outcome('h-1', 'web-1'), patient).toBe('unlocked');
    expect(fleet.on('web-1').locked?.reason).toBe('maintenance');
    await expect.poll(() => fleet.findings, patient).toEqual(['foreign-lock']);
  });
});

describe('a halt that is lifted', () => {
  it('unlocks its machines, and is closed when none is left', async () => {
    await using fleet = new ReconciledFleet(names(3));
    fleet.halt('h-1', names(3), 'all');
    fleet.reconcile();
    await expect.poll(() => fleet.outcomes('h-1'), patient).toEqual({ inactive: 3 });
    fleet.records.release('h-1', releaseOf('web-0'));
    await expect.poll(() => fleet.outcomes('h-1'), patient).toEqual({ inactive: 2, unlocked: 1 });
    expect(fleet.on('web-0').locked).toBeNull();
    expect(fleet.on('web-1').locked).not.toBeNull();
    expect(fleet.records.halts.has('h-1')).toBe(true);
    fleet.records.release('h-1', releaseOf('all'));
    await expect.poll(() => fleet.outcomes('h-1'), patient).toEqual({ unlocked: 3 });
    await expect.poll(() => fleet.records.halts.has('h-1'), patient).toBe(false);
  });

  it('stays open while a machine cannot be reached, which is unlocked when it comes back', async () => {
    await using fleet = new ReconciledFleet(['web-1', 'web-2']);
    fleet.halt('h-1', ['web-1', 'web-2']);
    fleet.reconcile();
    await expect.poll(() => fleet.outcomes('h-1'), patient).toEqual({ inactive: 2 });
    fleet.on('web-1').unreachableAfterMs = 5;
    fleet.records.release('h-1', releaseOf('all'));
    await expect.poll(() => fleet.outcomes('h-1'), patient).toEqual({ unreachable: 1, unlocked: 1 });
    expect(fleet.records.halts.has('h-1')).toBe(true);
    fleet.on('web-1').unreachableAfterMs = undefined;
    await expect.poll(() => fleet.records.halts.has('h-1'), patient).toBe(false);
    expect(fleet.on('web-1').locked).toBeNull();
  });

  it('while a machine is just being locked leaves it unlocked', async () => {
    await using fleet = new ReconciledFleet(['web-1']);
    const fake = fleet.on('web-1');
    const lock = fake.lock.bind(fake);
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    fake.lock = async (reason) => {
      begun.resolve();
      await goOn.promise;
      return lock(reason);
    };
    fleet.halt('h-1', ['web-1']);
    fleet.reconcile();
    await begun.promise;
    fleet.records.release('h-1', releaseOf('all'));
    goOn.resolve();
    await expect.poll(() => fleet.records.halts.has('h-1'), patient).toBe(false);
    expect(fake.locked).toBeNull();
    expect(fleet.outcome('h-1', 'web-1')).toBe('unlocked');
  });

  it('while another one holds leaves the machine locked by that one, at no moment unlocked', async () => {
    await using fleet = new ReconciledFleet(['web-1']);
    fleet.halt('h-1', ['web-1'], 'web-1', 10);
    fleet.halt('h-2', ['web-1'], 'all', 20);
    fleet.reconcile();
    await expect.poll(() => fleet.outcome('h-1', 'web-1'), patient).toBe('inactive');
    await expect.poll(() => fleet.outcome('h-2', 'web-1'), patient).toBe('inactive');
    fleet.records.release('h-1', releaseOf('web-1'));
    await expect.poll(() => fleet.records.halts.has('h-1'), patient).toBe(false);
    expect(fleet.on('web-1').books).toEqual(['lock halt h-1 by U1: leak', 'lock halt h-2 by U1: leak']);
    expect(fleet.outcome('h-2', 'web-1')).toBe('inactive');
    expect(fleet.findings).toEqual([]);
    fleet.records.release('h-2', releaseOf('all'));
    await expect.poll(() => fleet.on('web-1').locked, patient).toBeNull();
  });

  it('only in part is not closed while a machine of it is away from the fleet file', async () => {
    await using fleet = new ReconciledFleet(['web-1', 'web-2']);
    fleet.halt('h-1', ['web-1', 'web-2'], 'web-*');
    fleet.reconcile();
    await expect.poll(() => fleet.outcomes('h-1'), patient).toEqual({ inactive: 2 });
    fleet.machines.delete('web-2');
    fleet.records.release('h-1', releaseOf('web-1'));
    await expect.poll(() => fleet.outcomes('h-1'), patient).toEqual({ inactive: 1, unlocked: 1 });
    await expect.poll(() => fleet.on('web-1').locked, patient).toBeNull();
    expect(fleet.records.halts.has('h-1')).toBe(true);
    fleet.records.release('h-1', releaseOf('web-*'));
    await expect.poll(() => fleet.records.halts.has('h-1'), patient).toBe(false);
  });
});

describe('a machine whose labels change while it is halted', () => {
  it('stays locked, and people are told how to unlock it: a change of the fleet file resumes nothing', async () => {
    await using fleet = new ReconciledFleet(['web-1', 'db-1'], { roundIntervalMs: 10 });
    const relabel = (name: string, role: string) => {
      const machine = fleet.machines.get(name);
      if (machine) fleet.machines.set(name, { ...machine, role });
    };
    relabel('web-1', 'web');
    fleet.halt('h-1', ['web-1'], 'role=web');
    fleet.reconcile();
    await expect.poll(() => fleet.outcome('h-1', 'web-1'), patient).toBe('inactive');
    relabel('web-1', 'proxy');
    await expect.poll(() => fleet.findings, patient).toEqual(['foreign-lock']);
    expect(fleet.records.notices[0]?.text).toContain('fleetbot resume --direct --force web-1');
    const before = fleet.rounds.length;
    await expect.poll(() => fleet.rounds.length, patient).toBeGreaterThan(before + 2);
    expect(fleet.on('web-1').locked?.reason).toBe('halt h-1 by U1: leak');
    expect(fleet.outcome('h-1', 'web-1')).toBe('inactive');
    fleet.records.release('h-1', releaseOf('role=web'));
    await expect.poll(() => fleet.on('web-1').locked, patient).toBeNull();
    await expect.poll(() => fleet.records.halts.has('h-1'), patient).toBe(false);
  });
});

describe('a lock by other means', () => {
  it('is left alone and told once, by whoever leads, also where it names a halt that nobody knows', async () => {
    await using fleet = new ReconciledFleet(['web-1', 'web-2'], { roundIntervalMs: 10 });
    await fleet.on('web-1').lock('maintenance hunter2');
    await fleet.on('web-2').lock('halt h-9 by U1: forgotten');
    fleet.reconcile();
    await expect.poll(() => fleet.rounds.length, patient).toBeGreaterThan(2);
    fleet.records.leader?.abort();
    const before = fleet.rounds.length;
    await expect.poll(() => fleet.rounds.length, patient).toBeGreaterThan(before + 1);
    expect(fleet.records.notices).toHaveLength(2);
    expect(JSON.stringify(fleet.records.notices)).not.toContain('hunter2');
    expect(fleet.on('web-1').locked).not.toBeNull();
    expect(fleet.on('web-2').locked).not.toBeNull();
    await fleet.on('web-1').lock('maintenance again');
    await expect.poll(() => fleet.records.notices.length, patient).toBe(3);
  });
});

describe('thousands of locks by other means in one channel', () => {
  it('are told of by few messages, the last of which says so; all of them are in the ledger', async () => {
    await using fleet = new ReconciledFleet(names(100));
    for (const [name, machine] of fleet.machines) fleet.machines.set(name, { ...machine, channel: 'C01' });
    for (const fake of fleet.fakes.values()) await fake.lock('halt --direct by ops@desk: fire');
    fleet.reconcile();
    await expect.poll(() => fleet.rounds.length, patient).toBe(1);
    expect(fleet.records.notices).toHaveLength(20);
    const last = fleet.records.notices.filter(({ text }) => text.includes('not posted here'));
    expect(last).toHaveLength(1);
    expect(fleet.findings).toEqual(names(100).map(() => 'foreign-lock'));
  });
});

describe('a halt of a thousand machines, a tenth of them unreachable', () => {
  it('is confirmed for all others within seconds, and stored in few writes', async () => {
    const all = names(1_000);
    await using fleet = new ReconciledFleet(all, { attentionIntervalMs: 3_600_000 });
    fleet.reconcile();
    await expect.poll(() => fleet.rounds.length, { timeout: 20_000 }).toBe(1);
    for (const [index, name] of all.entries()) {
      if (index % 10 === 0) fleet.on(name).unreachableAfterMs = 100;
    }
    const before = performance.now();
    fleet.halt('h-1', all, 'all');
    await expect
      .poll(() => fleet.outcomes('h-1'), { timeout: 20_000, interval: 20 })
      .toEqual({ inactive: 900, unreachable: 100 });
    expect(performance.now() - before).toBeLessThan(5_000);
    expect(fleet.records.batches.length).toBeLessThan(30);
  }, 60_000);
});

describe('a store that is away', () => {
  it('when a process begins to lead is asked again soon', async () => {
    await using fleet = new ReconciledFleet(['web-1']);
    fleet.halt('h-1', ['web-1']);
    fleet.records.away = true;
    fleet.reconcile();
    await expect.poll(() => fleet.records.refused, patient).toBeGreaterThan(2);
    fleet.records.away = false;
    await expect.poll(() => fleet.outcome('h-1', 'web-1'), patient).toBe('inactive');
    await expect.poll(() => fleet.rounds.length, patient).toBe(1);
  });

  it('when a machine was locked is told later', async () => {
    await using fleet = new ReconciledFleet(['web-1']);
    const lock = fleet.on('web-1').lock.bind(fleet.on('web-1'));
    fleet.on('web-1').lock = async (reason) => {
      fleet.records.away = true;
      return lock(reason);
    };
    fleet.halt('h-1', ['web-1']);
    fleet.reconcile();
    await expect.poll(() => fleet.records.refused, patient).toBeGreaterThan(2);
    expect(fleet.outcome('h-1', 'web-1')).toBe('pending');
    fleet.records.away = false;
    await expect.poll(() => fleet.outcome('h-1', 'web-1'), patient).toBe('inactive');
    expect(fleet.on('web-1').books).toHaveLength(1);
  });
});
