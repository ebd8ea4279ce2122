import { reconcilerStoreSuite } from '../../conformance/reconciler-store.ts';
import { MemoryRecords } from '../../support/memory-reconciler-store.ts';

reconcilerStoreSuite('in memory', async () => {
  const records = new MemoryRecords();
  return {
    store: records.store(),
    another: async () => records.store(),
    giveRun: async (machine) => void records.giveRun(machine, 'r-00000000aaaa'),
    begin: async (halt, machines) => records.begin(halt, machines),
    release: async (id, release) => records.release(id, release),
    notices: async () => records.notices,
    close: async () => {},
  };
});
