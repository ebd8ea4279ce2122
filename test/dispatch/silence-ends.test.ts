import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { handIn } from '../../src/dispatch/hand-in.ts';
import { createHoldBack } from '../../src/dispatch/hold-back.ts';
import { incidentsDuty } from '../../src/dispatch/incidents.ts';
import { silencesDuty } from '../../src/dispatch/silences.ts';
import type { Queue } from '../../src/queue/create-queue.ts';
import { openQueue, silent } from '../queue/support.ts';
import { alertGroup, foundAlert } from '../support/alert-groups.ts';
import { stormFleet } from '../support/alert-storm.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { personsSilence } from '../support/sample-silence.ts';

const [quiet, loud] = ['m-000', 'm-001'];
const fleet = stormFleet(3, { debounceSeconds: 0, groupMinutes: 60, coolDownMinutes: 600 });
const minuteMs = 60_000;
const begin = 1_790_000_000_000;
const by = { kind: 'person', userId: 'U1', teamId: 'T1' } as const;
const id = 's-0000000000aa';

let redis: TestRedis;
let queue: Queue;
let now = begin;
let tests = 0;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => {
  await redis.stop();
});
beforeEach(async () => {
  now = begin;
  tests += 1;
  queue = await openQueue(redis.url, { prefix: `{ends${tests}}` }, () => now);
  const span = { from: now, until: now + 120 * minuteMs };
  await queue.silences.begin(personsSilence({ id, machines: quiet, ...span }), 'silence');
  return () => queue.close();
});

/** What the dispatcher does, twice: what ends a silence may come before or after what looks at incidents. */
async function look(): Promise<void> {
  const holdBack = createHoldBack({ silences: queue.silences, clock: () => now });
  const tools = {
    ...{ fleet: () => fleet, requests: queue.requests, halts: queue.halts, holdBack },
    budgets: queue.budgets,
    ...{ seal: undefined, newCampaignId: () => 'c-1', clock: () => now },
  };
  const duties = [
    silencesDuty({ silences: queue.silences, log: silent }),
    incidentsDuty({
      ...{ ...tools, incidents: queue.incidents, handIn: (wish) => handIn(wish, tools), log: silent },
    }),
  ];
  for (const duty of [...duties, ...duties, ...duties]) await duty.run(AbortSignal.timeout(5_000));
}
const tell = (machine: string, status: 'firing' | 'resolved' = 'firing', name?: string) =>
  queue.incidents.take([alertGroup([foundAlert(machine, status, { ...(name && { name }) })])], {
    rules: fleet.alerts,
  });
const looks = async () => {
  const runs = await queue.requests.runs({ limit: 100 });
  return runs.map(({ request }) => request.machine).toSorted();
};

describe('an alert that still fires when the silence that held it back ends', () => {
  it('is looked at then, once, though it was told once, long ago', async () => {
    await tell(quiet);
    await tell(loud);
    await look();
    expect(await looks()).toEqual([loud]);
    now += 119 * minuteMs;
    await look();
    expect(await looks()).toEqual([loud]);
    now += minuteMs;
    await look();
    now += minuteMs;
    await look();
    expect(await looks()).toEqual([quiet, loud]);
    // It held back one thing, however often its incident was planned.
    expect((await queue.silences.silence(id))?.heldBack).toMatchObject([{ machine: quiet, times: 1 }]);
  });

  it('is looked at, too, when somebody ends the silence', async () => {
    await tell(quiet);
    await look();
    now += 1_000;
    await queue.silences.end(id, { by, at: now });
    await look();
    expect(await looks()).toEqual([quiet]);
  });

  it('is held back by the next silence', async () => {
    await tell(quiet);
    await look();
    const span = { from: now, until: now + 180 * minuteMs };
    await queue.silences.begin(personsSilence({ id: 's-0000000000bb', ...span }), 'next');
    now += 121 * minuteMs;
    await look();
    expect(await looks()).toEqual([]);
    expect((await queue.silences.silence('s-0000000000bb'))?.heldBack).toMatchObject([{ times: 1 }]);
    now += 60 * minuteMs;
    await look();
    expect(await looks()).toEqual([quiet]);
  });

  it('is looked at where its run was held back when it was about to begin', async () => {
    await queue.silences.end(id, { by, at: now });
    await tell(quiet);
    await look();
    const [silence] = [personsSilence({ id: 's-0000000000bb', from: now, until: now + minuteMs })];
    await queue.silences.begin(silence, 'next');
    await queue.silences.holdBack(silence, [{ kind: 'alert', machine: quiet, what: 'disk' }], 'r-1 run');
    now += minuteMs;
    await look();
    expect(await looks()).toEqual([quiet, quiet]);
  });

  it('is looked at in a storm, too, and where people were to be asked', async () => {
    await queue.silences.end(id, { by, at: now });
    const few = { ...fleet.alerts, incidentsPerMinute: 1 };
    for (const name of ['A', 'B']) {
      const alerts = [foundAlert(name === 'A' ? loud : quiet, 'firing', { name })];
      await queue.incidents.take([alertGroup(alerts)], { rules: few });
    }
    await look();
    const silence = personsSilence({ id: 's-0000000000bb', from: now, until: now + minuteMs });
    await queue.silences.begin(silence, 'next');
    await queue.silences.holdBack(silence, [{ kind: 'escalation', machine: quiet, what: 'disk' }], 'r-1 esc');
    await queue.silences.holdBack(silence, [{ kind: 'schedule', machine: loud, what: 'disk' }], 'nightly');
    now += minuteMs;
    await look();
    expect(await looks()).toEqual([quiet, quiet, loud]);
  });
});

it('an alert that was resolved before the silence ended is not looked at', async () => {
  await tell(quiet);
  await tell(loud);
  await look();
  await tell(quiet, 'resolved');
  now += 121 * minuteMs;
  await look();
  expect(await looks()).toEqual([loud]);
});

it('whoever plans an incident while a silence ends reads it again', async () => {
  await tell(quiet);
  await look();
  const [incident = ''] = await queue.incidents.due(Number.MAX_SAFE_INTEGER, 1);
  const reader = new Redis(redis.url);
  const version = () => reader.hget(`{ends${tests}}:incident:${incident}`, 'version');
  const before = await version();
  await queue.silences.end(id, { by, at: now });
  expect(await version()).not.toBe(before);
  reader.disconnect();
});
