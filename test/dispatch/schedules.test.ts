import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rightsAskedAtMost } from '../../src/dispatch/schedules.ts';
import type { Campaign } from '../../src/fleet/campaign.ts';
import type { Schedule } from '../../src/fleet/schedule.ts';
import { fleetWith, SchedulesUnderTest } from '../support/schedules-under-test.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

let test: SchedulesUnderTest;
beforeAll(async () => {
  test = await SchedulesUnderTest.start();
});
beforeEach(() => test.reset());
afterAll(() => test.stop());

const at = (text: string): number => Date.parse(text);

/** Looks at a moment; returns the times that were handed in for a schedule so far. */
async function timesAfter(
  each: ReturnType<SchedulesUnderTest['dispatcher']>,
  moment: string,
  name = 's',
): Promise<string[]> {
  test.now = at(moment);
  await each.look();
  return (await test.accepted())
    .map(({ eventId }) => eventId.split(':'))
    .filter(([, of]) => of === name)
    .map(([, , time]) => new Date(Number(time)).toISOString().slice(5, 16));
}

const row = (more: string): string => `  - { name: s, machines: all, check: disk, channel: C01, ${more} }\n`;

describe('a schedule', () => {
  it('comes once in the nights in which the clocks of its zone change', async () => {
    test.fleet = fleetWith(row('cron: 30 2 * * *, timeZone: Europe/Berlin'));
    const spring = test.dispatcher(test.queues[0]);
    await timesAfter(spring, '2026-03-28T00:00:00Z');
    for (const hour of ['28T06', '29T00', '29T01', '29T02', '29T12', '30T06']) {
      await timesAfter(spring, `2026-03-${hour}:00:00Z`);
    }
    expect(await timesAfter(spring, '2026-03-30T12:00:00Z')).toEqual([
      '03-28T01:30',
      '03-29T01:00',
      '03-30T00:30',
    ]);
    await test.reader.flushall();
    const autumn = test.dispatcher(test.queues[0]);
    await timesAfter(autumn, '2026-10-24T12:00:00Z');
    for (const time of ['00:29', '00:31', '01:29', '01:31']) {
      await timesAfter(autumn, `2026-10-25T${time}:00Z`);
    }
    expect(await timesAfter(autumn, '2026-10-26T12:00:00Z')).toEqual(['10-25T00:30', '10-26T01:30']);
  });

  it('comes again once a clock that was years ahead is right', async () => {
    test.fleet = fleetWith(row('cron: 0 3 * * *'));
    const duty = test.dispatcher(test.queues[0]);
    await timesAfter(duty, '2031-01-01T12:00:00Z');
    expect(await timesAfter(duty, '2026-11-02T12:00:00Z')).toEqual(['11-02T03:00']);
  });

  it('that got other times starts anew: nothing of them is caught up', async () => {
    test.fleet = fleetWith(row('cron: 0 3 * * *'));
    const duty = test.dispatcher(test.queues[0]);
    await timesAfter(duty, '2026-11-01T12:00:00Z');
    expect(await timesAfter(duty, '2026-11-02T12:00:00Z')).toEqual(['11-02T03:00']);
    test.fleet = fleetWith(row('cron: 0 11 * * *'));
    expect(await timesAfter(duty, '2026-11-02T12:01:00Z')).toEqual(['11-02T03:00']);
    expect(await timesAfter(duty, '2026-11-03T11:00:00Z')).toEqual(['11-02T03:00', '11-03T11:00']);
    test.fleet = fleetWith(row('cron: 0 11 * * *, timeZone: America/New_York'));
    expect(await timesAfter(duty, '2026-11-03T17:00:00Z')).toEqual(['11-02T03:00', '11-03T11:00']);
  });

  it('that was away and comes back does not catch up what was due meanwhile', async () => {
    test.fleet = fleetWith(row('cron: 0 3 * * *'));
    const duty = test.dispatcher(test.queues[0]);
    await timesAfter(duty, '2026-11-01T12:00:00Z');
    test.fleet = fleetWith(row('cron: 0 3 * * *').replace('name: s', 'name: other'));
    await timesAfter(duty, '2026-11-01T13:00:00Z');
    test.fleet = fleetWith(row('cron: 0 3 * * *'));
    expect(await timesAfter(duty, '2026-11-05T12:00:00Z')).toEqual([]);
    expect(await timesAfter(duty, '2026-11-06T12:00:00Z')).toEqual(['11-06T03:00']);
  });

  it('that cannot be handed in keeps no other one waiting, and is tried again', async () => {
    test.fleet = fleetWith(
      `${row('cron: 0 3 * * *')}${row('cron: 0 3 * * *').replace('name: s', 'name: other')}`,
    );
    const broken = test.dispatcher(test.queues[0], {
      afterHandIn({ eventId }) {
        if (eventId.startsWith('schedule:s:')) throw new Error('Redis is away');
      },
    });
    await timesAfter(broken, '2026-11-01T12:00:00Z');
    await expect(timesAfter(broken, '2026-11-02T12:00:00Z')).rejects.toThrow('Redis is away');
    await broken.look();
    test.now += 10_000;
    await expect(broken.look()).rejects.toThrow('Redis is away');
    expect(await timesAfter(test.dispatcher(test.queues[0]), '2026-11-02T12:00:10Z', 'other')).toEqual([
      '11-02T03:00',
    ]);
    expect((await test.queues[0].schedules.states()).get('s')?.handled).toBe(at('2026-11-02T03:00:00Z'));
  });
});

describe('a schedule that a person set up', () => {
  const by = { kind: 'person', userId: 'UANN', teamId: 'T1' } as const;
  const mine: Schedule = {
    ...{ name: 'mine', machines: 'web-*', task: { kind: 'check', check: 'disk' }, channel: 'C03', by },
    ...{ cron: '0 3 * * *', timeZone: 'UTC', jitterSeconds: 0, since: at('2026-11-01T12:00:00Z') },
  };
  beforeEach(async () => {
    test.fleet = fleetWith(row('cron: 0 0 1 1 *'));
    test.now = mine.since ?? 0;
    await test.queues[0].schedules.add(mine, by, 'add');
  });
  const only = async (): Promise<Campaign> => {
    const [entry, ...others] = await test.accepted();
    expect(others).toEqual([]);
    return test.campaign(entry?.campaign ?? '');
  };

  it('runs on the rights that they have at that time, and names what they may not touch any more', async () => {
    const asked: string[] = [];
    const duty = test.dispatcher(test.queues[0], {
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
    test.fleet = fleetWith(row('cron: 0 4 * * *').replace('name: s', 'name: mine'));
    const duty = test.dispatcher(test.queues[0]);
    await timesAfter(duty, '2026-11-01T12:00:00Z');
    expect(await timesAfter(duty, '2026-11-02T03:30:00Z', 'mine')).toEqual([]);
    expect(await timesAfter(duty, '2026-11-02T04:00:00Z', 'mine')).toEqual(['11-02T04:00']);
  });

  it('tells that nobody is left, and asks nobody', async () => {
    const duty = test.dispatcher(test.queues[0], {
      mayAsk: async () => ({ allowed: [], why: 'gone', isCertain: true }),
    });
    await timesAfter(duty, '2026-11-02T03:00:00Z');
    const campaign = await only();
    expect(campaign.machines).toEqual([]);
    expect(campaign.leftOut?.map(({ why }) => why)).toEqual(['gone', 'gone']);
    expect(await test.reader.exists('{fleetbot}:busy')).toBe(0);
  });

  it('waits while nobody can say what they may', async () => {
    const away = test.dispatcher(test.queues[0], {
      mayAsk: () => Promise.reject(new Error('Slack was not reached')),
    });
    await expect(timesAfter(away, '2026-11-02T03:00:00Z')).rejects.toThrow('Slack was not reached');
    await timesAfter(test.dispatcher(test.queues[0]), '2026-11-02T03:05:00Z');
    expect((await only()).machines).toEqual(['web-01', 'web-02']);
  });

  /** A dispatcher that looks every 10 s from 03:00 on. Slack does not answer for so long; counts how often it is asked. */
  async function inDoubt(forMs: number, lookForMs: number): Promise<number> {
    const from = at('2026-11-02T03:00:00Z');
    let asked = 0;
    const duty = test.dispatcher(test.queues[0], {
      async mayAsk(_person, _verb, all) {
        asked += 1;
        const isCertain = test.now >= from + forMs;
        return { allowed: isCertain ? all : [], why: 'not known', isCertain };
      },
    });
    for (test.now = from; test.now < from + lookForMs; test.now += 10_000) await duty.look();
    return asked;
  }

  it('waits while Slack does not say what they may, without asking it all the time', async () => {
    expect(await inDoubt(4 * minuteMs, 5 * minuteMs)).toBe(9);
    expect((await only()).machines).toEqual(['web-01', 'web-02']);
  });

  it('waits as long each time', async () => {
    const duty = test.dispatcher(test.queues[0], {
      async mayAsk(_person, _verb, all) {
        const isCertain = new Date(test.now).getUTCMinutes() >= 9;
        return { allowed: isCertain ? all : [], why: 'not known', isCertain };
      },
    });
    for (const night of ['2026-11-02', '2026-11-03']) {
      const from = at(`${night}T03:00:00Z`);
      for (test.now = from; test.now < from + 10 * minuteMs; test.now += 10_000) await duty.look();
    }
    const entries = await test.accepted();
    expect(entries).toHaveLength(2);
    for (const { campaign } of entries) expect((await test.campaign(campaign)).leftOut).toBeUndefined();
  });

  it('is told after ten minutes of doubt, with its machines left out', async () => {
    await inDoubt(hourMs, 9 * minuteMs);
    expect(await test.accepted()).toEqual([]);
    expect(await inDoubt(hourMs, 10 * minuteMs)).toBe(rightsAskedAtMost);
    expect(await only()).toMatchObject({
      machines: [],
      leftOut: [{ why: 'not known' }, { why: 'not known' }],
    });
  });
});
