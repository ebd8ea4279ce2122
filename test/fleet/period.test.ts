import { describe, expect, it } from 'vitest';
import { readPeriod } from '../../src/fleet/period.ts';

const now = Date.UTC(2026, 10, 23, 10, 30);
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

describe('a period that somebody typed', () => {
  it.each([
    ['24h', now - dayMs, now + 1, 'the last 24h'],
    ['1W2d', now - 9 * dayMs, now + 1, 'the last 1w2d'],
    ['today', Date.UTC(2026, 10, 23), Date.UTC(2026, 10, 24), 'today'],
    ['Yesterday', Date.UTC(2026, 10, 22), Date.UTC(2026, 10, 23), 'Yesterday'],
    ['2026-11-01', Date.UTC(2026, 10, 1), Date.UTC(2026, 10, 2), '2026-11-01'],
    ['2026-11', Date.UTC(2026, 10), Date.UTC(2026, 11), '2026-11'],
    ['2025-12', Date.UTC(2025, 11), Date.UTC(2026, 0), '2025-12'],
    ['2026-11-01..2026-11-20', Date.UTC(2026, 10, 1), Date.UTC(2026, 10, 21), '2026-11-01 to 2026-11-20'],
    ['2026-10..yesterday', Date.UTC(2026, 9), Date.UTC(2026, 10, 23), '2026-10 to yesterday'],
    ['2026-11-20..', Date.UTC(2026, 10, 20), now + 1, '2026-11-20 to now'],
    [
      '2026-11-20T10:00..2026-11-20T11:59Z',
      ...[Date.UTC(2026, 10, 20, 10), Date.UTC(2026, 10, 20, 12), '2026-11-20T10:00 to 2026-11-20T11:59Z'],
    ] as const,
  ])('%s is a stretch of time in UTC', (word, from, to, words) => {
    expect(readPeriod(word, now)).toEqual({ from, to, words });
  });

  it.each(['rhel-01', 'all', 'role=web', '24', 'h', 'tomorrow', '..', '<@U1234>', '2026-11-web'])(
    '%s is something else',
    (word) => {
      expect(readPeriod(word, now)).toBeUndefined();
    },
  );

  it.each([
    ['0h', 'no period'],
    ['2026-02-31', 'no period'],
    ['2026-13', 'no period'],
    ['2026-11-01..soon', 'no period'],
    ['2026-11-01..2026-11-02..2026-11-03', 'no period'],
    ['2026-11-20..2026-11-01', 'ends before it begins'],
    ['2026-12', 'has not begun yet; it is 2026-11-23 10:30 UTC'],
  ])('%s is refused, because it is meant as one', (word, problem) => {
    expect(() => readPeriod(word, now)).toThrow(problem);
  });
});
