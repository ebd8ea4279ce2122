import { describe, expect, it } from 'vitest';
import { Visits } from '../../../src/supervisors/reconciler/visits.ts';

describe('visits', () => {
  it('to a machine are one at a time, and those that wait are one', async () => {
    const ends: (() => void)[] = [];
    let running = 0;
    let most = 0;
    const visits = new Visits(async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => ends.push(resolve));
      running -= 1;
      return ends.length;
    });
    const first = visits.visit('web-1');
    const again = first.then(() => visits.visit('web-1'));
    const [second, third] = [visits.visit('web-1'), visits.visit('web-1')];
    expect(ends).toHaveLength(1);
    ends[0]?.();
    expect(await first).toBe(1);
    await expect.poll(() => ends.length).toBe(2);
    ends[1]?.();
    expect(await Promise.all([second, third, again])).toEqual([2, 2, 2]);
    expect(most).toBe(1);
  });

  it('to different machines do not wait for one another', async () => {
    const visits = new Visits((machine) =>
      machine === 'web-1' ? new Promise<string>(() => {}) : Promise.resolve(machine),
    );
    void visits.visit('web-1');
    expect(await visits.visit('web-2')).toBe('web-2');
  });
});
