import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type HandInTools, type HandInWish, handIn } from '../../src/dispatch/hand-in.ts';
import { LimitError } from '../../src/fleet/errors.ts';
import type { Fleet } from '../../src/fleet/fleet.ts';
import type { Machine } from '../../src/fleet/machine.ts';
import type { Queue } from '../../src/queue/create-queue.ts';
import { fleetOf, machine } from '../bot/bot-under-test.ts';
import { openQueue } from '../queue/support.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis;
let queue: Queue;
let fleet: Fleet;
let round = 0;
let campaigns = 0;
/** Names that a silence holds back. */
let silenced: readonly string[];
/** Names for which a budget is used up. */
let spent: readonly string[];

beforeAll(async () => {
  redis = await startTestRedis();
  queue = await openQueue(redis.url);
});
afterAll(async () => {
  await queue?.close();
  await redis?.stop();
});
beforeEach(() => {
  round += 1;
  silenced = [];
  spent = [];
  fleet = fleetOf(
    ['a', 'b', 'c'].map((letter) => machine(`m${round}-${letter}`)),
    [],
  );
});

const all = (): readonly Machine[] => [...fleet.machines.values()];
const named = (...letters: string[]) => letters.map((letter) => `m${round}-${letter}`);

function hand(changes: Partial<HandInWish> = {}) {
  const tools: HandInTools = {
    fleet: () => fleet,
    requests: queue.requests,
    halts: queue.halts,
    budgets: {
      over: async (machines) => {
        const over = machines.filter(({ name }) => spent.includes(name));
        return over.length === 0 ? [] : [{ machines: over, why: 'The budget web is used up.' }];
      },
    },
    holdBack: async (machines) =>
      machines
        .filter(({ name }) => silenced.includes(name))
        .map(({ name }) => ({ machine: name, why: 'silenced' })),
    seal: (request) => `sealed ${request.machine}`,
    newCampaignId: () => {
      campaigns += 1;
      return `c-${campaigns}`;
    },
    clock: () => 1_800_000_000_000,
  };
  const wish: HandInWish = {
    task: { kind: 'check', check: 'disk' },
    machines: all(),
    selector: 'all',
    requester: { kind: 'alert', incident: `i-${round}` },
    origin: { channel: 'C1' },
    eventId: `incident:${round}:1`,
    requestsPerMinute: 100_000,
    ...changes,
  };
  return handIn(wish, tools);
}

it('several machines are a campaign with a sealed run each', async () => {
  const { campaign = '', runs, leftOut, duplicate } = await hand();
  expect([...runs.keys()]).toEqual(named('a', 'b', 'c'));
  expect({ leftOut, duplicate }).toEqual({ leftOut: [], duplicate: false });
  const run = await queue.requests.run(runs.get(`m${round}-a`) ?? '');
  expect(run?.request).toMatchObject({ machine: `m${round}-a`, campaign, seal: `sealed m${round}-a` });
  expect((await queue.requests.campaign(campaign))?.members).toHaveLength(3);
});

it('what a budget is in the way of is left out, with why, also in the record', async () => {
  spent = named('a', 'c');
  const { campaign, runs, leftOut } = await hand({ alwaysCampaign: true });
  const why = 'The budget web is used up.';
  expect([...runs.keys()]).toEqual(named('b'));
  expect(leftOut).toEqual(named('a', 'c').map((machine) => ({ machine, why })));
  expect((await queue.requests.campaign(campaign ?? ''))?.campaign.leftOut).toEqual(leftOut);
});

it('one machine is a campaign only where one is wanted', async () => {
  const machines = all().slice(0, 1);
  expect((await hand({ machines })).campaign).toBeUndefined();
  expect((await hand({ machines, alwaysCampaign: true, eventId: `again:${round}` })).campaign).toBeDefined();
});

it('what is halted, silenced or lacks the check is left out, with why, also in the record', async () => {
  const [a, b, c] = all();
  if (a === undefined || b === undefined || c === undefined) throw new Error('three machines');
  fleet = fleetOf([{ ...a, checks: ['memory'] }, b, c, machine(`m${round}-d`), machine(`m${round}-e`)], []);
  silenced = named('b');
  const by = { kind: 'person', userId: 'U1', teamId: 'T1' } as const;
  const halt = { id: `h-${round}`, selector: c.name, reason: 'bad deploy', by, at: 1_800_000_000_000 };
  await queue.halts.begin({ ...halt, eventId: 'halt', origin: { channel: 'C1' }, releases: [] }, [c.name]);
  const { campaign = '', runs, leftOut } = await hand();
  expect([...runs.keys()]).toEqual(named('d', 'e'));
  expect(new Map(leftOut.map(({ machine, why }) => [machine, why]))).toEqual(
    new Map([
      [`m${round}-a`, 'the fleet file does not list the check disk for it'],
      [`m${round}-b`, 'silenced'],
      [`m${round}-c`, `halted since 2027-01-15 08:00:00 UTC: bad deploy (h-${round})`],
    ]),
  );
  expect((await queue.requests.campaign(campaign))?.campaign.leftOut).toEqual(leftOut);
});

it('machines over their limit are left out, also where that is all of them', async () => {
  const machines = all().map((each) => ({ ...each, limits: { ...each.limits, maxWaiting: 1 } }));
  fleet = fleetOf(machines, []);
  await hand({ machines: machines.slice(0, 1), eventId: `first:${round}` });
  const { runs, leftOut } = await hand();
  expect([...runs.keys()]).toEqual(named('b', 'c'));
  expect(leftOut).toMatchObject([{ machine: `m${round}-a`, why: expect.stringContaining('Too many') }]);
  const none = await hand({ eventId: `third:${round}` });
  expect(none.runs.size).toBe(0);
  expect(none.leftOut.map(({ machine }) => machine).toSorted()).toEqual(named('a', 'b', 'c'));
});

it('one who asks too often is refused, and nothing is stored', async () => {
  const often = { kind: 'schedule', schedule: `often-${round}` } as const;
  await hand({ requester: often, requestsPerMinute: 1, eventId: `one:${round}` });
  const second = hand({ requester: often, requestsPerMinute: 1, eventId: `two:${round}` });
  await expect(second).rejects.toBeInstanceOf(LimitError);
  expect(await queue.requests.acceptedBefore(`two:${round}`)).toBeUndefined();
});

it('handed in again it is the same, whatever holds machines back by then', async () => {
  silenced = named('c');
  const first = await hand();
  silenced = named('a', 'b', 'c');
  const again = await hand();
  expect(again).toEqual({ ...first, duplicate: true });
  expect((await queue.requests.machine(`m${round}-a`)).waiting).toBe(1);
});

it('handed in twice at the same moment it is the same, too', async () => {
  const [one, other] = await Promise.all([hand(), hand()]);
  expect({ ...other, duplicate: true }).toEqual({ ...one, duplicate: true });
  expect([one.duplicate, other.duplicate].toSorted()).toEqual([false, true]);
});

it('in waves the runs of the first one are handed in', async () => {
  const { campaign = '', runs } = await hand({ waves: [{ machines: 1 }, 'rest'] });
  expect([...runs.keys()]).toEqual(named('a'));
  expect((await queue.requests.campaign(campaign))?.campaign).toMatchObject({ waves: [1, 3], handedIn: 1 });
});

it('where every machine is left out nothing is stored, unless a campaign is wanted all the same', async () => {
  silenced = named('a', 'b', 'c');
  expect(await hand()).toMatchObject({ runs: new Map(), duplicate: false });
  expect(await queue.requests.acceptedBefore(`incident:${round}:1`)).toBeUndefined();

  const wish = { alwaysCampaign: true, leftOut: [{ machine: 'gone', why: 'not allowed' }] };
  const first = await hand(wish);
  const { campaign = '' } = first;
  const stored = await queue.requests.campaign(campaign);
  expect(stored?.members).toEqual([]);
  expect(stored?.campaign).toMatchObject({ machines: [], leftOut: first.leftOut });
  expect(first.leftOut.map(({ machine }) => machine)).toEqual(['gone', ...named('a', 'b', 'c')]);
  expect(await hand(wish)).toEqual({ ...first, duplicate: true });
  const dirty = await queue.views.take(100);
  expect(dirty.map(({ id }) => id)).toContain(campaign);
});
