import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosSystem } from './chaos-system.ts';

/** Something did not come to pass in time, which is a violation by itself. */
export class Stuck extends Error {}

export const pollMs = 100;
export const tellMs = 10_000;
const quietMs = 120_000;
/** Looks in a row that find nothing to do. */
const looks = 2;

/** How many runs are done, over all machines. */
export async function runsDone({ records, keys, fleet }: ChaosSystem): Promise<number> {
  const names = [...fleet.machines.keys()];
  const lengths = await Promise.all(names.map((name) => records.llen(keys.finished(name))));
  return lengths.reduce((sum, length) => sum + length, 0);
}

/** Waits until no machine is busy and Slack shows everything. @throws Stuck */
export async function untilQuiet({ records, keys, tell }: ChaosSystem, when: string): Promise<void> {
  const begunAt = Date.now();
  let toldAt = begunAt;
  const views = ['views:dirty', 'views:held', 'views:again'].map((key) => keys.prefix + key);
  for (let found = 0; found < looks; ) {
    const [busy, ...dirty] = await Promise.all([
      records.smembers(keys.busy()),
      ...views.map((key) => records.zrange(key, '0', '-1')),
    ]);
    found = busy.length + dirty.flat().length === 0 ? found + 1 : 0;
    const list = (names: readonly string[]) => names.join(' ') || 'none';
    const left = `machines ${list(busy)}; views ${list(dirty.flat())}`;
    if (Date.now() - begunAt > quietMs) throw new Stuck(`not quiet ${when}: ${left}`);
    if (Date.now() - toldAt > tellMs) {
      toldAt = Date.now();
      tell(`still at work: ${left}`);
    }
    await sleep(pollMs);
  }
}
