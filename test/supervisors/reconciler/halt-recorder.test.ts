import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { HaltMember } from '../../../src/fleet/halt.ts';
import type { ReconcilerStore } from '../../../src/supervisors/ports.ts';
import { HaltBook } from '../../../src/supervisors/reconciler/halt-book.ts';
import { HaltRecorder } from '../../../src/supervisors/reconciler/halt-recorder.ts';
import { machineWith } from '../../fleet/fixtures.ts';
import { MemoryRecords } from '../../support/memory-reconciler-store.ts';
import { haltOf } from './reconciled-fleet.ts';

const machine = machineWith();
const halt = haltOf('h-1', 'all');

async function recorderOn(records: MemoryRecords, store: ReconcilerStore = records.store()) {
  records.begin(halt, [machine.name]);
  const book = new HaltBook();
  await book.refresh(store);
  return new HaltRecorder({ store, book, clock: () => 7, log: pino({ level: 'silent' }) });
}

describe('what became of the machines of a halt', () => {
  it('is stored together, soon, and what is known already is not stored again', async () => {
    const records = new MemoryRecords();
    const recorder = await recorderOn(records);
    recorder.record(halt, machine, { outcome: 'inactive' });
    recorder.record(halt, { ...machine, name: 'rhel-02' }, { outcome: 'unreachable', detail: 'Gone.' });
    expect(records.batches).toEqual([]);
    await expect.poll(() => records.batches).toEqual([2]);
    recorder.record(halt, machine, { outcome: 'inactive' });
    expect(await recorder.flush()).toBe(true);
    expect(records.batches).toEqual([2]);
    expect(records.outcome('h-1', 'rhel-02')).toEqual({ outcome: 'unreachable', at: 7, detail: 'Gone.' });
  });

  it('is stored at once where it is of many', async () => {
    const records = new MemoryRecords();
    const recorder = await recorderOn(records);
    for (let number = 0; number < 100; number += 1) {
      recorder.record(halt, { ...machine, name: `web-${number}` }, { outcome: 'inactive' });
    }
    await setImmediate();
    expect(records.batches).toEqual([100]);
    expect(records.outcome('h-1', 'web-99')?.outcome).toBe('inactive');
  });

  it('and could not be stored is stored later, unless there is newer', async () => {
    const records = new MemoryRecords();
    const store = records.store();
    const failing = Promise.withResolvers<never>();
    const stored: (HaltMember | undefined)[] = [];
    store.recordHalt = async (_id, members) => {
      stored.push(members.get(machine.name));
      if (stored.length === 1) await failing.promise;
    };
    const recorder = await recorderOn(records, store);
    recorder.record(halt, machine, { outcome: 'unreachable' });
    const first = recorder.flush();
    await expect.poll(() => stored.length).toBe(1);
    recorder.record(halt, machine, { outcome: 'inactive' });
    failing.reject(new Error('Redis is away'));
    expect(await first).toBe(false);
    expect(await recorder.flush()).toBe(true);
    expect(stored.map((member) => member?.outcome)).toEqual(['unreachable', 'inactive']);
  });

  it('is not taken any more once it is closed', async () => {
    const records = new MemoryRecords();
    const recorder = await recorderOn(records);
    await recorder.close();
    recorder.record(halt, machine, { outcome: 'inactive' });
    await recorder.flush();
    expect(records.batches).toEqual([]);
  });
});
