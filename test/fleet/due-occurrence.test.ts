import { describe, expect, it } from 'vitest';
import { beginsAt, dueOccurrence } from '../../src/fleet/due-occurrence.ts';
import type { Schedule } from '../../src/fleet/schedule.ts';

const at = (text: string): number => Date.parse(`2026-${text}Z`);
const text = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString().slice(5, 16);

const nightly: Schedule = {
  ...{ name: 'nightly', machines: 'all', task: { kind: 'check', check: 'disk' }, channel: 'C01' },
  ...{ cron: '0 3 * * *', timeZone: 'UTC', jitterSeconds: 0, since: at('11-01T12:00:00') },
};

describe('a time of a schedule', () => {
  it('is due from its moment on, until it was handled', () => {
    const handled = at('11-09T03:00:00');
    expect(dueOccurrence(nightly, handled, at('11-10T02:59:59.999'))).toBeUndefined();
    expect(text(dueOccurrence(nightly, handled, at('11-10T03:00:00')))).toBe('11-10T03:00');
    expect(text(dueOccurrence(nightly, handled, at('11-10T20:00:00')))).toBe('11-10T03:00');
    expect(dueOccurrence(nightly, at('11-10T03:00:00'), at('11-10T20:00:00'))).toBeUndefined();
  });

  it('is caught up once: of many that were missed it is the newest', () => {
    expect(text(dueOccurrence(nightly, at('11-03T03:00:00'), at('11-10T20:00:00')))).toBe('11-10T03:00');
  });

  it('is not caught up where it was before the schedule', () => {
    expect(dueOccurrence(nightly, undefined, at('11-01T20:00:00'))).toBeUndefined();
    expect(text(dueOccurrence(nightly, undefined, at('11-02T03:00:00')))).toBe('11-02T03:00');
  });

  it('does not come again where the clock was set back over it', () => {
    const handled = at('11-10T03:00:00');
    expect(dueOccurrence(nightly, handled, at('11-10T02:30:00'))).toBeUndefined();
    expect(dueOccurrence(nightly, handled, at('11-09T12:00:00'))).toBeUndefined();
    expect(text(dueOccurrence(nightly, handled, at('11-11T03:00:00')))).toBe('11-11T03:00');
  });

  it('comes again after records that a wrong clock made for another year', () => {
    const wrong = Date.parse('2031-01-01T03:00:00Z');
    expect(text(dueOccurrence({ ...nightly, since: wrong }, wrong, at('11-10T03:00:00')))).toBe(
      '11-10T03:00',
    );
  });

  it('begins later by the same part of the jitter for everybody, and before the next one', () => {
    const often = { ...nightly, cron: '*/5 * * * *', jitterSeconds: 3_600 };
    const times = Array.from({ length: 100 }, (_, index) => at('11-10T03:00:00') + index * 300_000);
    const delays = times.map((time) => beginsAt(often, time) - time);
    expect(delays).toEqual(times.map((time) => beginsAt({ ...often }, time) - time));
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...delays)).toBeLessThan(300_000);
    expect(new Set(delays).size).toBeGreaterThan(90);
    expect(beginsAt({ ...often, name: 'other' }, times[0] ?? 0)).not.toBe(beginsAt(often, times[0] ?? 0));
  });

  it('is due when its delay is over, and the one before is so until then', () => {
    const late = { ...nightly, jitterSeconds: 3_600 };
    const begin = beginsAt(late, at('11-10T03:00:00'));
    expect(text(dueOccurrence(late, at('11-08T03:00:00'), begin - 1))).toBe('11-09T03:00');
    expect(dueOccurrence(late, at('11-09T03:00:00'), begin - 1)).toBeUndefined();
    expect(text(dueOccurrence(late, at('11-09T03:00:00'), begin))).toBe('11-10T03:00');
  });
});
