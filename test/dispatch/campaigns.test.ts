import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CampaignsDutyTools, campaignsDuty } from '../../src/dispatch/campaigns.ts';
import type { Campaign } from '../../src/fleet/campaign.ts';
import { waitingOf } from '../../src/fleet/campaign-step.ts';
import type { Verdict } from '../../src/fleet/finding.ts';
import type { Fleet } from '../../src/fleet/fleet.ts';
import { planRequests, requestsOf } from '../../src/fleet/plan-requests.ts';
import { parseWaves } from '../../src/fleet/waves.ts';
import type { Queue } from '../../src/queue/create-queue.ts';
import { fleetOf, machine } from '../bot/bot-under-test.ts';
import { move, openQueue } from '../queue/support.ts';
import { noBudgets, noLimits } from '../support/no-limits.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis;
let queue: Queue;
let fleet: Fleet;
let rounds = 0;
/** Machines that a silence holds back. */
let silenced: readonly string[];
/** What was counted for whoever watches. */
const counted: string[] = [];
/** What the duty works with, as the test breaks it. */
let broken: Partial<CampaignsDutyTools>;

beforeAll(async () => {
  redis = await startTestRedis();
  queue = await openQueue(redis.url);
});
afterAll(async () => {
  await queue?.close();
  await redis?.stop();
});
beforeEach(() => {
  rounds += 1;
  silenced = [];
  broken = {};
  counted.length = 0;
  fleet = fleetOf(
    Array.from({ length: 6 }, (_, index) => machine(nameOf(index))),
    [],
  );
});

const nameOf = (index: number): string => `w${rounds}-${index}`;
const by = { kind: 'person', userId: 'U1', teamId: 'T1' } as const;

/** Accepts a campaign over all machines. */
async function begin(waves: string | undefined, atOnce?: number): Promise<string> {
  const { requests, campaign } = planRequests(
    {
      ...{ task: { kind: 'check', check: 'disk' }, machines: [...fleet.machines.values()], selector: 'all' },
      ...{ requester: by, origin: { channel: 'C1' }, eventId: `begin:${rounds}`, atOnce },
      waves: waves === undefined ? undefined : parseWaves(waves),
    },
    () => `c-${rounds}`,
    Date.now(),
  );
  await queue.requests.accept(requests, noLimits, campaign);
  return campaign?.id ?? '';
}

/** One look of the duty at what is due. */
async function look(): Promise<void> {
  const tools: CampaignsDutyTools = {
    fleet: () => fleet,
    requests: queue.requests,
    campaigns: queue.requests.campaigns,
    accepted: (task, runs) => counted.push(`${task} ${runs}`),
    halts: queue.halts,
    budgets: noBudgets,
    holdBack: async (machines) =>
      machines
        .filter(({ name }) => silenced.includes(name))
        .map(({ name }) => ({ machine: name, why: 'silenced' })),
    seal: (request) => `sealed ${request.machine}`,
    clock: Date.now,
    ...broken,
  };
  await campaignsDuty(tools).run(new AbortController().signal);
}

/** Drives the machine's run to its end. */
async function finish(index: number, verdict: Verdict = 'ok'): Promise<void> {
  const claim = await queue.runs.claim(nameOf(index));
  if (claim === undefined) throw new Error(`${nameOf(index)} has nothing to do`);
  const gathering = await move(queue.runs, claim.fence, claim.run, 'gathering');
  await move(queue.runs, claim.fence, gathering, 'done', { verdict });
}

async function read(id: string): Promise<{ campaign: Campaign; taken: readonly number[] }> {
  const found = await queue.requests.campaign(id);
  if (found === undefined) throw new Error('no campaign');
  const taken = found.members.map(({ machine: name }) => Number(name.split('-')[1]));
  return { campaign: found.campaign, taken };
}

/** How many requests ever got into the machine's inbox. */
async function runsOf(index: number): Promise<number> {
  return (await queue.requests.runs({ machine: nameOf(index), limit: 10 })).length;
}

async function entries(): Promise<readonly string[]> {
  const kept = await queue.ledger.read('', 100_000);
  return kept.map(({ entry }) => entry).filter((entry) => entry.includes(`"campaign":"c-${rounds}"`));
}

it('wave after wave is handed in, sealed, once the one before is done', async () => {
  const id = await begin('1,2,rest');
  await look();
  expect((await read(id)).taken).toEqual([0]);
  await finish(0);
  await look();
  await look();
  expect((await read(id)).taken).toEqual([0, 1, 2]);
  const run = (await queue.requests.runs({ machine: nameOf(1), limit: 1 }))[0];
  expect(run?.request).toMatchObject({ campaign: id, requester: by, seal: `sealed ${nameOf(1)}` });
  for (const index of [1, 2]) await finish(index);
  await look();
  expect((await read(id)).taken).toEqual([0, 1, 2, 3, 4, 5]);
  expect(await queue.requests.campaigns.open()).not.toContain(id);
  expect((await entries()).filter((entry) => entry.includes('request.accepted'))).toHaveLength(3);
  expect(counted).toEqual(['check 2', 'check 3']);
});

it('a wave that is not all ok stops it, with the reason, until somebody continues', async () => {
  const id = await begin('2,rest');
  await finish(0, 'critical');
  await look();
  expect((await read(id)).campaign.stopped).toBeUndefined();
  await finish(1);
  for (const view of await queue.views.take(1_000)) await queue.views.release(view);
  await look();
  expect((await queue.views.take(1_000)).map((view) => view.id)).toEqual([id]);
  const { campaign, taken } = await read(id);
  expect(campaign.stopped).toMatchObject({ wave: 0, why: `${nameOf(0)}: critical` });
  expect(taken).toEqual([0, 1]);
  expect(await queue.requests.campaigns.open()).not.toContain(id);
  await look();
  expect((await read(id)).taken).toEqual([0, 1]);

  await queue.requests.changeCampaign(id, ({ stopped, ...rest }) => ({
    campaign: { ...rest, continued: [{ wave: stopped?.wave ?? -1, by, at: 1 }] },
    entry: { kind: 'campaign.continued', at: 1, by, campaign: id, wave: 0 },
  }));
  await look();
  expect((await read(id)).taken).toEqual([0, 1, 2, 3, 4, 5]);
  expect((await entries()).map((entry) => JSON.parse(entry).kind)).toEqual([
    ...['request.accepted', 'campaign.stopped', 'campaign.continued', 'request.accepted'],
  ]);
});

it('one that a person ended hands nothing in any more', async () => {
  const id = await begin('1,rest');
  await finish(0);
  await queue.requests.changeCampaign(id, (now) => ({
    campaign: { ...now, ended: { by, at: 1 } },
    entry: { kind: 'campaign.ended', at: 1, by, campaign: id },
  }));
  await look();
  expect((await read(id)).taken).toEqual([0]);
  expect(await queue.requests.campaigns.open()).not.toContain(id);
});

it('no more are at work than may be at once', async () => {
  const id = await begin(undefined, 2);
  await look();
  expect((await read(id)).taken).toEqual([0, 1]);
  await finish(1, 'failed');
  await look();
  expect((await read(id)).taken).toEqual([0, 1, 2]);
});

it('machines of a later wave that cannot be asked are left out with the reason', async () => {
  const id = await begin('1,rest');
  await finish(0);
  const machines = [...fleet.machines.values()];
  const [first, , third, fourth] = machines;
  if (!first || !third || !fourth) throw new Error('six machines');
  const halt = { id: `h-${rounds}`, selector: nameOf(3), reason: 'deploy', by, at: 1_800_000_000_000 };
  await queue.halts.begin(
    { ...halt, eventId: `halt:${rounds}`, origin: { channel: 'C1' }, releases: [] },
    [],
  );
  silenced = [nameOf(4)];
  fleet = fleetOf(
    [first, { ...third, checks: ['memory'] }, fourth, machine(nameOf(4)), machine(nameOf(5))],
    [],
  );
  await look();
  const { campaign, taken } = await read(id);
  expect(taken).toEqual([0, 5]);
  expect(new Map(campaign.leftOut?.map(({ machine: name, why }) => [name, why]))).toEqual(
    new Map([
      [nameOf(1), 'no longer in the fleet file'],
      [nameOf(2), 'the fleet file does not list the check disk for it'],
      [nameOf(3), `halted since 2027-01-15 08:00:00 UTC: deploy (h-${rounds})`],
      [nameOf(4), 'silenced'],
    ]),
  );
  expect(waitingOf(campaign)).toEqual([]);
});

it('while all machines that wait are halted none is used up, and it goes on when they are resumed', async () => {
  const id = await begin('1,rest', 2);
  await finish(0);
  const halt = { id: `h-${rounds}`, selector: `w${rounds}-*`, reason: 'stop', by, at: 1_800_000_000_000 };
  await queue.halts.begin(
    { ...halt, eventId: `halt:${rounds}`, origin: { channel: 'C1' }, releases: [] },
    [],
  );
  await look();
  expect((await read(id)).campaign.leftOut).toBeUndefined();
  expect(await queue.requests.campaigns.open()).toContain(id);
  await queue.halts.release(halt.id, { selector: nameOf(2), by, at: 1 }, `go:${rounds}`);
  await look();
  const { campaign, taken } = await read(id);
  expect(taken).toEqual([0, 2]);
  expect(campaign.leftOut).toMatchObject([{ machine: nameOf(1) }]);
});

it('machines over their limit are left out, also where that is the whole wave, which then stops it', async () => {
  const id = await begin('1,1,rest');
  await finish(0);
  const tight = machine(nameOf(1));
  await queue.requests.accept(
    [
      {
        eventId: `other:${rounds}`,
        machine: tight.name,
        task: { kind: 'check', check: 'disk' },
        requester: by,
        origin: { channel: 'C1' },
        acceptedAt: 1,
      },
    ],
    noLimits,
  );
  fleet = {
    ...fleet,
    machines: new Map([
      ...fleet.machines,
      [tight.name, { ...tight, limits: { ...tight.limits, maxWaiting: 1 } }],
    ]),
  };
  await look();
  await look();
  const { campaign, taken } = await read(id);
  expect(taken).toEqual([0]);
  expect(campaign.leftOut).toMatchObject([{ machine: nameOf(1), why: expect.stringContaining('Too many') }]);
  expect(campaign.stopped).toMatchObject({ wave: 1, why: 'no machine of it could be looked at' });
});

it('a campaign that is not kept any more is forgotten, and one that fails keeps no other from going on', async () => {
  const id = await begin('1,rest');
  await finish(0);
  await queue.requests.campaigns.save('', { campaign: { ...(await read(id)).campaign, id: 'c-gone' } });
  broken = {
    campaigns: Object.assign(Object.create(queue.requests.campaigns), {
      open: async () => ['c-unreadable', 'c-gone', id],
      read: async (each: string) => {
        if (each === 'c-unreadable') throw new Error('cannot be read');
        return queue.requests.campaigns.read(each);
      },
    }),
  };
  await expect(look()).rejects.toThrow('cannot be read');
  expect((await read(id)).taken).toHaveLength(6);
});

describe('whatever is killed', () => {
  it('before it is stored: nothing is handed in, and the next look does it', async () => {
    const id = await begin('1,rest');
    await finish(0);
    const killed = async () => Promise.reject(new Error('killed'));
    broken = { requests: { acceptMore: killed } };
    await expect(look()).rejects.toThrow('killed');
    expect((await read(id)).taken).toEqual([0]);
    broken = {};
    await look();
    expect((await read(id)).taken).toHaveLength(6);
  });

  it('after it was stored: nothing is handed in twice', async () => {
    const id = await begin('1,rest');
    await finish(0);
    broken = {
      requests: {
        acceptMore: async (...args) => {
          await queue.requests.acceptMore(...args);
          throw new Error('killed');
        },
      },
    };
    await expect(look()).rejects.toThrow('killed');
    broken = {};
    await look();
    expect((await read(id)).taken).toHaveLength(6);
    for (const index of [1, 2, 3, 4, 5]) expect(await runsOf(index)).toBe(1);
  });

  it('two that look at the same time hand each machine in once', async () => {
    await begin('1,rest');
    await finish(0);
    await Promise.all([look(), look(), look()]);
    for (const index of [1, 2, 3, 4, 5]) expect(await runsOf(index)).toBe(1);
    expect(counted).toEqual(['check 5']);
  });

  it('what was read before somebody changed it is not stored', async () => {
    const id = await begin('1,rest');
    const { campaigns } = queue.requests;
    const before = await campaigns.read(id);
    if (before === undefined) throw new Error('no campaign');
    await campaigns.change(id, (now) => ({ campaign: { ...now, ended: { by, at: 1 } } }));
    const { campaign, version } = before;
    expect(await campaigns.save(version, { campaign })).toBe(false);
    const more = requestsOf(campaign, [nameOf(1)], `stale:${rounds}`, 1);
    expect(await queue.requests.acceptMore(more, noLimits, campaign, version)).toBe(false);
    expect((await read(id)).campaign.ended).toBeDefined();
    expect(await runsOf(1)).toBe(0);
  });

  it('one that is ended while it is handed in gets the wave or nothing of it', async () => {
    const id = await begin('1,rest');
    await finish(0);
    const end = queue.requests.changeCampaign(id, (now) => ({
      campaign: { ...now, ended: { by, at: 1 } },
      entry: { kind: 'campaign.ended', at: 1, by, campaign: id },
    }));
    await Promise.all([look(), end]);
    await look();
    const { campaign, taken } = await read(id);
    expect(campaign.ended).toBeDefined();
    expect(taken.length + waitingOf(campaign).length).toBe(6);
  });
});

it('each machine gets one run or one stated reason, whatever happens in which order', async () => {
  for (let seed = 1; seed <= 12; seed += 1) {
    rounds += 1;
    silenced = [];
    broken = {};
    fleet = fleetOf(
      Array.from({ length: 6 }, (_, index) => machine(nameOf(index))),
      [],
    );
    let state = seed;
    const random = (below: number): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state % below;
    };
    const id = await begin(['1,2,rest', '50%,rest', '2'][random(3)], [undefined, 2, 4][random(3)]);
    for (let moves = 0; moves < 40; moves += 1) {
      const { campaign } = await read(id);
      switch (random(6)) {
        case 0:
          silenced = [nameOf(random(6))];
          break;
        case 1:
          if (campaign.stopped !== undefined) {
            await queue.requests.changeCampaign(id, ({ stopped, ...rest }) => ({
              campaign: {
                ...rest,
                continued: [...(rest.continued ?? []), { wave: stopped?.wave ?? 0, by, at: 1 }],
              },
            }));
          }
          break;
        case 2: {
          const fails = random(2) === 0;
          broken = {
            requests: {
              acceptMore: async (...args) => {
                if (!fails) await queue.requests.acceptMore(...args);
                throw new Error('killed');
              },
            },
          };
          await look().catch(() => undefined);
          broken = {};
          break;
        }
        case 3:
          await Promise.all([look(), look()]);
          break;
        default: {
          const index = random(6);
          const claimable = (await queue.requests.machine(nameOf(index))).waiting > 0;
          if (claimable) await finish(index, random(4) === 0 ? 'warning' : 'ok');
        }
      }
    }
    await queue.requests.changeCampaign(id, (now) =>
      random(2) === 0 && waitingOf(now).length > 0
        ? { campaign: { ...now, ended: { by, at: 1 } } }
        : undefined,
    );
    const { campaign, taken } = await read(id);
    const leftOut = new Set(campaign.leftOut?.map(({ machine: name }) => name));
    const waiting = new Set(waitingOf(campaign));
    for (let index = 0; index < 6; index += 1) {
      const name = nameOf(index);
      const states = [taken.includes(index), leftOut.has(name), waiting.has(name)];
      expect(states.filter(Boolean), `${name} of seed ${seed}`).toHaveLength(1);
      expect(await runsOf(index)).toBe(taken.includes(index) ? 1 : 0);
    }
  }
});
