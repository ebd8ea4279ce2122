import { Redis } from 'ioredis';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { Run } from '../../src/fleet/run.ts';
import { obeyHalts } from '../../src/queue/obey-halts.ts';
import { sampleHalt } from '../support/sample-halt.ts';
import { sampleRun } from '../support/sample-run.ts';
import { silent } from './support.ts';

it('a run whose cancellation is not confirmed keeps no other one from being cancelled', async () => {
  const halt = sampleHalt();
  const asked: string[] = [];
  let changed = (): void => {};
  const subscriber = new Redis({ lazyConnect: true });
  onTestFinished(() => subscriber.disconnect());
  await obeyHalts(
    {
      halts: {
        known: { version: '1', halts: [halt] },
        onChanged: (callback) => {
          changed = callback;
          return () => {};
        },
        listen: async () => () => {},
      },
      runs: {
        cancelForHalt: async (run: Run) => {
          asked.push(run.id);
          throw new Error('not on disk in time');
        },
      },
      haltOf: () => halt,
      worker: { driven: () => [sampleRun('r-1', 'tasking'), sampleRun('r-2', 'gathering')] },
      log: silent,
    },
    subscriber,
  );
  changed();
  await vi.waitFor(() => expect(asked).toEqual(['r-1', 'r-2']));
});
