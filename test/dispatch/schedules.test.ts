import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type HandInWish, handIn } from '../../src/dispatch/hand-in.ts';
import type { MayAsk } from '../../src/dispatch/ports.ts';
import { rightsAskedAtMost, schedulesDuty } from '../../src/dispatch/schedules.ts';
import { allSchedules } from '../../src/fleet/all-schedules.ts';
import type { Campaign } from '../../src/fleet/campaign.ts';
import { nextTime } from '../../src/fleet/cron.ts';
import { beginsAt } from '../../src/fleet/due-occurrence.ts';
import type { Fleet } from '../../src/fleet/fleet.ts';
import { loadFleet } from '../../src/fleet/load-fleet.ts';
import type { Schedule } from '../../src/fleet/schedule.ts';
import type { Queue } from '../../src/queue/create-queue.ts';
import { hostKey } from '../fleet/fixtures.ts';
import { openQueue, silent } from '../queue/support.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

let redis: TestRedis;
let reader: Redis;
let queues: readonly Queue[];
let now = 0;
let fleet: Fleet;

beforeAll(async () => {
  redis = await startTestRedis();
  reader = new Redis(redis.url);
  queues = [await openQueue(redis.url, {}, () => now), await openQueue(redis.url, {}, () => now)];
});
afterAll(async () => {
  reader.disconnect();
  await Promise.all(queues.map((queue) => queue.close()));
  await redis.stop();
});
beforeEach(async () => {
  await reader.flushall();
  campaigns = 0;
});

const at = (text: string): number => Date.parse(text);
const machines = ['web-01', 'web-02', 'db-01'];

function fleetWith(schedules: string): Fleet {
  const rows = machines.map(
    (name, index) => `  - { name: ${name}, address: ${name}.test, hostKey: ${hostKey(index)} }\n`,
  );
  const limits = 'defaults: { limits: { maxWaiting: 1000, requestsPerMinute: 10000 } }';
  return loadFleet(
    `version: 1\n${limits}\nmachines:\n${rows.join('')}schedules:\n${schedules}`,
    'fleet.yaml',
  );
}

function queueOf(index: 0 | 1): Queue {
  const queue = queues[index];
  if (queue === undefined) throw new Error('not connected');
  return queue;
}

let campaigns = 0;
const mayAll: MayAsk = async (_person, _verb, all) => ({ allowed: all, why: '', isCertain: true });

/** A dispatcher's duty, as it is after a start. */
function dispatcher(
  queue: Queue,
  options: { mayAsk?: MayAsk; afterHandIn?: (wish: HandInWish) => void } = {},
) {
  const tools = {
    ...{ fleet: () => fleet, requests: queue.requests, halts: queue.halts, clock: () => now },
    ...{ holdBack: async () => [], seal: undefined },
    newCampaignId() {
      campaigns += 1;
      return `c-${String(campaigns).padStart(12, '0')}`;
    },
  };
  const duty = schedulesDuty({
    ...{ fleet: () => fleet, schedules: queue.schedules, clock: () => now, log: silent },
    mayAsk: options.mayAsk ?? mayAll,
    async handIn(wish) {
      // A month goes by in seconds: the limit is for a month that takes a month.
      const handedIn = await handIn({ ...wish, requestsPerMinute: 1_000_000 }, tools);
      options.afterHandIn?.(wish);
      return handedIn;
    },
  });
  return { look: () => duty.run(new AbortController().signal) };
}

const acceptedSchema = z.object({
  kind: z.literal('request.accepted'),
  eventId: z.string(),
  campaign: z.string(),
});

/** What was accepted, in order, as the ledger tells it. */
async function accepted(): Promise<readonly z.infer<typeof acceptedSchema>[]> {
  const rows = await reader.xrange('{fleetbot}:ledger', '-', '+');
  return rows.flatMap(([, fields]) => {
    const entry = JSON.parse(fields[fields.indexOf('entry') + 1] ?? '');
    return acceptedSchema.safeParse(entry).data ?? [];
  });
}

async function campaignOf(id: string): Promise<Campaign> {
  const found = await queueOf(0).requests.campaign(id);
  if (found === undefined) throw new Error(`no campaign ${id}`);
  return found.campaign;
}

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
    const due = this.#times.findLast(({ begin }) => begin <= now);
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
    fleet = fleetWith(rows);
    now = begin;
    const by = { kind: 'person', userId: 'UANN', teamId: 'T1' } as const;
    const mine: Schedule = {
      ...{ name: 'mine', machines: 'web-02', task: { kind: 'check', check: 'disk' }, channel: 'C03', by },
      ...{ cron: '15 12 * * *', timeZone: 'Asia/Kolkata', jitterSeconds: 0, since: begin },
    };
    await queueOf(0).schedules.add(mine, by, 'add-mine');
    const calendars = allSchedules(fleet.schedules, [mine]).map((each) => new Calendar(each, begin, end));
    const happened = { crashes: 0, restarts: 0, setBack: 0, outages: 0 };

    let crashed = false;
    const start = () =>
      queues.map((queue) =>
        dispatcher(queue, {
          afterHandIn() {
            if (!chance(0.2)) return;
            crashed = true;
            throw new Error('killed before it could note what it had done');
          },
        }),
      );
    let dispatchers = start();
    while (now < end) {
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
        now -= Math.floor(random() * 5 * hourMs);
      } else if (chance(0.05)) {
        happened.outages += 1;
        now += Math.floor(random() * 30 * hourMs);
      } else now += minuteMs + Math.floor(random() * 8 * hourMs);
    }

    const entries = await accepted();
    const events = entries.map(({ eventId }) => eventId);
    expect(new Set(events).size).toBe(events.length);
    expect(events.toSorted()).toEqual(calendars.flatMap(({ expected }) => expected).toSorted());
    for (const [kind, times] of Object.entries(happened)) expect(times, kind).toBeGreaterThan(3);

    // Each is told against the one before it.
    const before = new Map<string, string>();
    for (const { eventId, campaign } of entries) {
      const name = eventId.split(':')[1] ?? '';
      expect((await campaignOf(campaign)).previous).toBe(before.get(name));
      before.set(name, campaign);
    }
    // Some hundred requests are put on disk.
  }, 60_000);
});

/** Looks at a moment; returns the times that were handed in for a schedule so far. */
async function timesAfter(
  each: ReturnType<typeof dispatcher>,
  moment: string,
  name = 's',
): Promise<string[]> {
  now = at(moment);
  await each.look();
  return (await accepted())
    .map(({ eventId }) => eventId.split(':'))
    .filter(([, of]) => of === name)
    .map(([, , time]) => new Date(Number(time)).toISOString().slice(5, 16));
}

const row = (more: string): string => `  - { name: s, machines: all, check: disk, channel: C01, ${more} }\n`;

describe('a schedule', () => {
  it('comes once in the nights in which the clocks of its zone change', async () => {
    fleet = fleetWith(row('cron: 30 2 * * *, timeZone: Europe/Berlin'));
    const spring = dispatcher(queueOf(0));
    await timesAfter(spring, '2026-03-28T00:00:00Z');
    for (const hour of ['28T06', '29T00', '29T01', '29T02', '29T12', '30T06']) {
      await timesAfter(spring, `2026-03-${hour}:00:00Z`);
    }
    expect(await timesAfter(spring, '2026-03-30T12:00:00Z')).toEqual([
      '03-28T01:30',
      '03-29T01:00',
      '03-30T00:30',
    ]);
    await reader.flushall();
    const autumn = dispatcher(queueOf(0));
    await timesAfter(autumn, '2026-10-24T12:00:00Z');
    for (const time of ['00:29', '00:31', '01:29', '01:31']) {
      await timesAfter(autumn, `2026-10-25T${time}:00Z`);
    }
    expect(await timesAfter(autumn, '2026-10-26T12:00:00Z')).toEqual(['10-25T00:30', '10-26T01:30']);
  });

  it('comes again once a clock that was years ahead is right', async () => {
    fleet = fleetWith(row('cron: 0 3 * * *'));
    const duty = dispatcher(queueOf(0));
    await timesAfter(duty, '2031-01-01T12:00:00Z');
    expect(await timesAfter(duty, '2026-11-02T12:00:00Z')).toEqual(['11-02T03:00']);
  });

  it('that got other times starts anew: nothing of them is caught up', async () => {
    fleet = fleetWith(row('cron: 0 3 * * *'));
    const duty = dispatcher(queueOf(0));
    await timesAfter(duty, '2026-11-01T12:00:00Z');
    expect(await timesAfter(duty, '2026-11-02T12:00:00Z')).toEqual(['11-02T03:00']);
    fleet = fleetWith(row('cron: 0 11 * * *'));
    expect(await timesAfter(duty, '2026-11-02T12:01:00Z')).toEqual(['11-02T03:00']);
    expect(await timesAfter(duty, '2026-11-03T11:00:00Z')).toEqual(['11-02T03:00', '11-03T11:00']);
    fleet = fleetWith(row('cron: 0 11 * * *, timeZone: America/New_York'));
    expect(await timesAfter(duty, '2026-11-03T17:00:00Z')).toEqual(['11-02T03:00', '11-03T11:00']);
  });

  it('that was away and comes back does not catch up what was due meanwhile', async () => {
    fleet = fleetWith(row('cron: 0 3 * * *'));
    const duty = dispatcher(queueOf(0));
    await timesAfter(duty, '2026-11-01T12:00:00Z');
    fleet = fleetWith(row('cron: 0 3 * * *').replace('name: s', 'name: other'));
    await timesAfter(duty, '2026-11-01T13:00:00Z');
    fleet = fleetWith(row('cron: 0 3 * * *'));
    expect(await timesAfter(duty, '2026-11-05T12:00:00Z')).toEqual([]);
    expect(await timesAfter(duty, '2026-11-06T12:00:00Z')).toEqual(['11-06T03:00']);
  });

  it('that cannot be handed in keeps no other one waiting, and is tried again', async () => {
    fleet = fleetWith(`${row('cron: 0 3 * * *')}${row('cron: 0 3 * * *').replace('name: s', 'name: other')}`);
    const broken = dispatcher(queueOf(0), {
      afterHandIn({ eventId }) {
        if (eventId.startsWith('schedule:s:')) throw new Error('Redis is away');
      },
    });
    await timesAfter(broken, '2026-11-01T12:00:00Z');
    await expect(timesAfter(broken, '2026-11-02T12:00:00Z')).rejects.toThrow('Redis is away');
    await broken.look();
    now += 10_000;
    await expect(broken.look()).rejects.toThrow('Redis is away');
    expect(await timesAfter(dispatcher(queueOf(0)), '2026-11-02T12:00:10Z', 'other')).toEqual([
      '11-02T03:00',
    ]);
    expect((await queueOf(0).schedules.states()).get('s')?.handled).toBe(at('2026-11-02T03:00:00Z'));
  });
});

describe('a schedule that a person set up', () => {
  const by = { kind: 'person', userId: 'UANN', teamId: 'T1' } as const;
  const mine: Schedule = {
    ...{ name: 'mine', machines: 'web-*', task: { kind: 'check', check: 'disk' }, channel: 'C03', by },
    ...{ cron: '0 3 * * *', timeZone: 'UTC', jitterSeconds: 0, since: at('2026-11-01T12:00:00Z') },
  };
  beforeEach(async () => {
    fleet = fleetWith(row('cron: 0 0 1 1 *'));
    now = mine.since ?? 0;
    await queueOf(0).schedules.add(mine, by, 'add');
  });
  const only = async (): Promise<Campaign> => {
    const [entry, ...others] = await accepted();
    expect(others).toEqual([]);
    return campaignOf(entry?.campaign ?? '');
  };

  it('runs on the rights that they have at that time, and names what they may not touch any more', async () => {
    const asked: string[] = [];
    const duty = dispatcher(queueOf(0), {
      async mayAsk(person, verb, all) {
        asked.push(`${person.userId} ${verb} ${all.map(({ name }) => name).join(' ')}`);
        const allowed = all.filter(({ name }) => name !== 'web-02');
        return { allowed, why: 'whoever set it up may not', isCertain: true };
      },
    });
    await timesAfter(duty, '2026-11-02T03:00:00Z');
    expect(asked).toEqual(['UANN check web-01 web-02']);
    expect(await only()).toMatchObject({
      machines: ['web-01'],
      leftOut: [{ machine: 'web-02', why: 'whoever set it up may not' }],
      requester: { kind: 'schedule', schedule: 'mine', by },
      origin: { channel: 'C03' },
    });
  });

  it('gives way to one of the same name in the fleet file', async () => {
    fleet = fleetWith(row('cron: 0 4 * * *').replace('name: s', 'name: mine'));
    const duty = dispatcher(queueOf(0));
    await timesAfter(duty, '2026-11-01T12:00:00Z');
    expect(await timesAfter(duty, '2026-11-02T03:30:00Z', 'mine')).toEqual([]);
    expect(await timesAfter(duty, '2026-11-02T04:00:00Z', 'mine')).toEqual(['11-02T04:00']);
  });

  it('tells that nobody is left, and asks nobody', async () => {
    const duty = dispatcher(queueOf(0), {
      mayAsk: async () => ({ allowed: [], why: 'gone', isCertain: true }),
    });
    await timesAfter(duty, '2026-11-02T03:00:00Z');
    const campaign = await only();
    expect(campaign.machines).toEqual([]);
    expect(campaign.leftOut?.map(({ why }) => why)).toEqual(['gone', 'gone']);
    expect(await reader.exists('{fleetbot}:busy')).toBe(0);
  });

  it('waits while nobody can say what they may', async () => {
    const away = dispatcher(queueOf(0), { mayAsk: () => Promise.reject(new Error('Slack was not reached')) });
    await expect(timesAfter(away, '2026-11-02T03:00:00Z')).rejects.toThrow('Slack was not reached');
    await timesAfter(dispatcher(queueOf(0)), '2026-11-02T03:05:00Z');
    expect((await only()).machines).toEqual(['web-01', 'web-02']);
  });

  /** A dispatcher that looks every 10 s from 03:00 on. Slack does not answer for so long; counts how often it is asked. */
  async function inDoubt(forMs: number, lookForMs: number): Promise<number> {
    const from = at('2026-11-02T03:00:00Z');
    let asked = 0;
    const duty = dispatcher(queueOf(0), {
      async mayAsk(_person, _verb, all) {
        asked += 1;
        const isCertain = now >= from + forMs;
        return { allowed: isCertain ? all : [], why: 'not known', isCertain };
      },
    });
    for (now = from; now < from + lookForMs; now += 10_000) await duty.look();
    return asked;
  }

  it('waits while Slack does not say what they may, without asking it all the time', async () => {
    expect(await inDoubt(4 * minuteMs, 5 * minuteMs)).toBe(9);
    expect((await only()).machines).toEqual(['web-01', 'web-02']);
  });

  it('waits as long each time', async () => {
    const duty = dispatcher(queueOf(0), {
      async mayAsk(_person, _verb, all) {
        const isCertain = new Date(now).getUTCMinutes() >= 9;
        return { allowed: isCertain ? all : [], why: 'not known', isCertain };
      },
    });
    for (const night of ['2026-11-02', '2026-11-03']) {
      const from = at(`${night}T03:00:00Z`);
      for (now = from; now < from + 10 * minuteMs; now += 10_000) await duty.look();
    }
    const entries = await accepted();
    expect(entries).toHaveLength(2);
    for (const { campaign } of entries) expect((await campaignOf(campaign)).leftOut).toBeUndefined();
  });

  it('is told after ten minutes of doubt, with its machines left out', async () => {
    await inDoubt(hourMs, 9 * minuteMs);
    expect(await accepted()).toEqual([]);
    expect(await inDoubt(hourMs, 10 * minuteMs)).toBe(rightsAskedAtMost);
    expect(await only()).toMatchObject({
      machines: [],
      leftOut: [{ why: 'not known' }, { why: 'not known' }],
    });
  });
});
