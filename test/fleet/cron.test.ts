import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTimeZone, nextTime, previousTime, validateCron } from '../../src/fleet/cron.ts';

const ms = (text: string): number => Date.parse(text);
const text = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : new Date(at).toISOString();

/** The next times after a moment. */
function times(cron: string, timeZone: string, after: string, count: number): string[] {
  const found: string[] = [];
  let at: number | undefined = ms(after);
  while (at !== undefined && found.length < count) {
    at = nextTime(cron, timeZone, at);
    if (at !== undefined) found.push(new Date(at).toISOString().slice(5, 16));
  }
  return found;
}

describe('a time as crontab writes it', () => {
  it.each([
    '* * * * *',
    '0 3 * * *',
    '*/15 0-6,22-23 * * *',
    '30 2 1 JAN *',
    '0 9 * * mon-fri',
    '0 9 * * FRI-SUN',
    '0 0 29 2 *',
    '5-59/10 * 1-31/2 * 7',
    '  0   3 * * * ',
  ])('takes "%s"', (cron) => {
    expect(validateCron(cron)).toBeUndefined();
    expect(nextTime(cron, 'Europe/Berlin', ms('2026-11-23T00:00:00Z'))).toBeGreaterThan(0);
  });

  it.each([
    ['', 'has 1 of the five fields'],
    ['0 3 * *', 'has 4 of the five fields minute, hour, day of the month, month, day of the week'],
    ['0 0 3 * * *', 'has 6 of the five fields'],
    ['@daily', 'has 1 of the five fields'],
    ['60 3 * * *', 'has "60" as its minute, which is "*" or 0 to 59, a list (1,2) or a range (1-5)'],
    ['0 24 * * *', 'has "24" as its hour'],
    ['0 3 0 * *', 'has "0" as its day of the month'],
    ['0 3 * FEBR *', 'has "FEBR" as its month, which is "*" or 1 to 12 or JAN to DEC'],
    ['0 3 * * 8', 'has "8" as its day of the week'],
    ['0 3 L * *', 'has "L" as its day of the month'],
    ['0 3 15W * *', 'has "15W" as its day of the month'],
    ['0 3 ? * *', 'has "?" as its day of the month'],
    ['0 3 * * FRI#2', 'has "FRI#2" as its day of the week'],
    ['0 3 * * FRI-MON', 'a range begins with the lower end'],
    ['5/10 * * * *', 'a step goes through a range or "*"'],
    ['*/0 * * * *', 'a step is a number from 1 to 59'],
    ['*/60 * * * *', 'a step is a number from 1 to 59'],
    ['1,,2 * * * *', 'has "" as its minute'],
    ['1-2-3 * * * *', 'has "1-2-3" as its minute'],
    ['0 0 31 2 *', 'never comes'],
    ['0 0 */2 * MON', 'crons read in different ways'],
  ])('says what is wrong with "%s"', (cron, problem) => {
    expect(validateCron(cron)).toContain(problem);
  });

  it('has only times that its fields allow, each one after the last, and finds the same ones backwards', () => {
    const field = (from: number, to: number): fc.Arbitrary<string> =>
      fc.oneof(
        fc.constant('*'),
        fc.integer({ min: from, max: to }).map(String),
        fc
          .tuple(
            fc.integer({ min: from, max: to }),
            fc.integer({ min: from, max: to }),
            fc.integer({ min: 1, max: 6 }),
          )
          .map(([a, b, step]) => `${Math.min(a, b)}-${Math.max(a, b)}/${step}`),
        fc.integer({ min: 2, max: 6 }).map((step) => `*/${step}`),
      );
    const cron = fc
      .tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6))
      .map((fields) => fields.join(' '))
      .filter((each) => validateCron(each) === undefined);
    const zone = fc.constantFrom(
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Asia/Kolkata',
      'Australia/Lord_Howe',
    );
    const moment = fc.integer({ min: ms('2026-01-01T00:00:00Z'), max: ms('2027-12-31T00:00:00Z') });
    fc.assert(
      fc.property(cron, zone, moment, (each, timeZone, from) => {
        const next = nextTime(each, timeZone, from) ?? Number.NaN;
        const afterNext = nextTime(each, timeZone, next) ?? Number.NaN;
        expect(next).toBeGreaterThan(from);
        expect(next % 60_000).toBe(0);
        expect(afterNext).toBeGreaterThan(next);
        expect(previousTime(each, timeZone, next)).toBe(next);
        expect(previousTime(each, timeZone, afterNext - 1)).toBe(next);
        expect(previousTime(each, timeZone, next - 1) ?? 0).toBeLessThanOrEqual(from);
      }),
      { numRuns: 150 },
    );
  });
});

describe('a time on the day on which the clocks change', () => {
  it('comes once right after the gap where it is skipped', () => {
    expect(times('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2)).toEqual([
      '03-29T01:00',
      '03-30T00:30',
    ]);
    expect(times('0,30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2)).toEqual([
      '03-29T01:00',
      '03-30T00:00',
    ]);
    expect(text(previousTime('30 2 * * *', 'Europe/Berlin', ms('2026-03-29T12:00:00Z')))).toBe(
      '2026-03-29T01:00:00.000Z',
    );
  });

  it('comes once where it is there twice', () => {
    expect(times('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2)).toEqual([
      '10-25T00:30',
      '10-26T01:30',
    ]);
    expect(text(previousTime('30 2 * * *', 'Europe/Berlin', ms('2026-10-25T12:00:00Z')))).toBe(
      '2026-10-25T00:30:00.000Z',
    );
  });

  it('goes on at its pace where it comes every hour', () => {
    expect(times('0 * * * *', 'Europe/Berlin', '2026-03-28T23:30:00Z', 3)).toEqual([
      '03-29T00:00',
      '03-29T01:00',
      '03-29T02:00',
    ]);
    expect(times('0 * * * *', 'Europe/Berlin', '2026-10-24T23:30:00Z', 3)).toEqual([
      '10-25T00:00',
      '10-25T01:00',
      '10-25T02:00',
    ]);
  });
});

it('a time zone is one that this computer knows by its name', () => {
  for (const name of ['UTC', 'Europe/Berlin', 'Asia/Kolkata']) expect(isTimeZone(name)).toBe(true);
  for (const name of ['', 'Berlin', 'Europe/Berln', '+01:00', 'GMT+1 ']) expect(isTimeZone(name)).toBe(false);
});
