import { describe, expect, it } from 'vitest';
import { WorkInFlight } from '../../src/bot/work-in-flight.ts';

describe('work in flight', () => {
  it('is drained when everything has settled, also what failed and what began meanwhile', async () => {
    const work = new WorkInFlight();
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    work.track(first.promise).catch(() => {});
    const drained = work.drain(5_000);
    void work.track(second.promise);
    first.reject(new Error('failed'));
    second.resolve();
    expect(await drained).toBe(true);
  });

  it('is given up after the limit', async () => {
    const work = new WorkInFlight();
    void work.track(new Promise(() => {}));
    expect(await work.drain(10)).toBe(false);
  });

  it('is handed on unchanged', async () => {
    const work = new WorkInFlight();
    await expect(work.track(Promise.resolve('result'))).resolves.toBe('result');
    await expect(work.track(Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  });
});
