import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allSchedules } from '../../../src/fleet/all-schedules.ts';
import { nextTime } from '../../../src/fleet/cron.ts';
import { beginsAt } from '../../../src/fleet/due-occurrence.ts';
import type { Schedule } from '../../../src/fleet/schedule.ts';
import { fleetWith, SchedulesUnderTest } from '../../support/schedules-under-test.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

let test: SchedulesUnderTest;
beforeAll(async () => {
  test = await SchedulesUnderTest.start();
});
afterAll(() => test.stop());

const at = (text: string): number => Date.parse(text);

/** The same numbers in every test run. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

/** Says what a schedule has to hand in when it is looked at: what a person would do with a calendar. */
class Calendar {
  readonly expected: string[] = [];
  readonly #times: readonly { readonly time: number; readonly begin: number }[];
  readonly #name: string;
  #last = Number.NEGATIVE_INFINITY;

  constructor(schedule: Schedule, from: number, to: number) {
    const times: { time: number; begin: number }[] = [];
    for (
      let time = nextTime(schedule.cron, schedule.timeZone, from - 1);
      time !== undefined && time <= to;
      time = nextTime(schedule.cron, schedule.timeZone, time)
    ) {
      times.push({ time, begin: beginsAt(schedule, time) });
    }
    this.#times = times;
    this.#name = schedule.name;
  }

  look(): void {
    const due = this.#times.findLast(({ begin }) => begin <= test.now);
    if (due === undefined || due.time <= this.#last) return;
    this.#last = due.time;
    this.expected.push(`schedule:${this.#name}:${due.time}`);
  }
}

describe('a month of schedules', () => {
  const rows = `
  - { name: nightly, machines: all, check: disk, cron: 30 2 * * *, timeZone: Europe/Berlin, channel: C01 }
  - { name: often, machines: web-01, check: load, cron: 0 */12 * * *, channel: C01 }
  - { name: weekly, machines: web-*, check: disk, cron: 0 9 * * MON, timeZone: America/New_York, channel: C02 }
  - { name: spread, machines: db-01, check: memory, cron: 0 6 * * *, jitterSeconds: 1800, channel: C01 }
`;
  const begin = at('2026-03-01T00:00:30Z');
  const end = at('2026-04-01T00:00:00Z');

  it('is handed in time by time, each once, whatever happens to dispatchers and clocks', async () => {
    const random = randomNumbers(1);
    const chance = (part: number): boolean => random() < part;
    test.fleet = fleetWith(rows);
    test.now = begin;
    const by = { kind: 'person', userId: 'UANN', teamId: 'T1' } as const;
    const mine: Schedule = {
      ...{ name: 'mine', machines: 'web-02', task: { kind: 'check', check: 'disk' }, channel: 'C03', by },
      ...{ cron: '15 12 * * *', timeZone: 'Asia/Kolkata', jitterSeconds: 0, since: begin },
    };
    await test.queues[0].schedules.add(mine, by, 'add-mine');
    const calendars = allSchedules(test.fleet.schedules, [mine]).map(
      (each) => new Calendar(each, begin, end),
    );
    const happened = { crashes: 0, restarts: 0, setBack: 0, outages: 0 };

    let crashed = false;
    const start = () =>
      test.queues.map((queue) =>
        test.dispatcher(queue, {
          afterHandIn() {
            if (!chance(0.2)) return;
            crashed = true;
            throw new Error('killed before it could note what it had done');
          },
        }),
      );
    let dispatchers = start();
    while (test.now < end) {
      do {
        crashed = false;
        await Promise.allSettled(dispatchers.map((each) => each.look()));
        if (crashed) {
          happened.crashes += 1;
          dispatchers = start();
        }
      } while (crashed);
      for (const calendar of calendars) calendar.look();
      if (chance(0.1)) {
        happened.restarts += 1;
        dispatchers = start();
      }
      if (chance(0.04)) {
        happened.setBack += 1;
        test.now -= Math.floor(random() * 5 * hourMs);
      } else if (chance(0.05)) {
        happened.outages += 1;
        test.now += Math.floor(random() * 30 * hourMs);
      } else test.now += minuteMs + Math.floor(random() * 8 * hourMs);
    }

    const entries = await test.accepted();
    const events = entries.map(({ eventId }) => eventId);
    expect(new Set(events).size).toBe(events.length);
    expect(events.toSorted()).toEqual(calendars.flatMap(({ expected }) => expected).toSorted());
    for (const [kind, times] of Object.entries(happened)) expect(times, kind).toBeGreaterThan(3);

    // Each is told against the one before it.
    const before = new Map<string, string>();
    for (const { eventId, campaign } of entries) {
      const name = eventId.split(':')[1] ?? '';
      expect((await test.campaign(campaign)).previous).toBe(before.get(name));
      before.set(name, campaign);
    }
    // Some hundred requests are put on disk.
  }, 60_000);
});
