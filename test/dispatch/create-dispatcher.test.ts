import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createDispatcher, type Duty } from '../../src/dispatch/create-dispatcher.ts';

/** Leads at once, until it is stopped. */
function dispatcherOf(duties: readonly Duty[]) {
  const logged: string[] = [];
  const dispatcher = createDispatcher({
    duties,
    lead: (work, signal) => work(signal),
    intervalMs: 1,
    log: pino({}, { write: (line: string) => void logged.push(line) }),
  });
  dispatcher.start();
  return { dispatcher, logged };
}

it('a duty that fails or hangs keeps no other from its work, and is logged once in a row', async () => {
  let failures = 0;
  let looks = 0;
  const { dispatcher, logged } = dispatcherOf([
    { name: 'hangs', run: (signal) => sleep(60_000, undefined, { signal }).catch(() => undefined) },
    {
      name: 'fails',
      async run() {
        failures += 1;
        if (failures !== 3) throw new Error('Redis is away');
      },
    },
    {
      name: 'works',
      async run() {
        looks += 1;
      },
    },
  ]);
  await expect.poll(() => Math.min(failures, looks)).toBeGreaterThan(6);
  await dispatcher.stop();
  expect(logged).toHaveLength(2);
  expect(logged[0]).toContain('"duty":"fails"');
});

it('stops when what is under way has ended, which is told to end', async () => {
  let ended = false;
  let begun = false;
  const { dispatcher } = dispatcherOf([
    {
      name: 'slow',
      async run(signal) {
        begun = true;
        await sleep(60_000, undefined, { signal }).catch(() => sleep(20));
        ended = true;
      },
    },
  ]);
  await expect.poll(() => begun).toBe(true);
  await dispatcher.stop();
  expect(ended).toBe(true);
});
