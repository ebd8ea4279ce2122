import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silencesDuty } from '../../src/dispatch/silences.ts';
import type { Machine } from '../../src/fleet/machine.ts';
import type { Silence } from '../../src/fleet/silence.ts';
import type { WindowEntry } from '../../src/fleet/time-rules.ts';
import { createQueue, type Queue } from '../../src/queue/create-queue.ts';
import { machineRecord } from '../support/machine-record.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { personsSilence, sampleSilence } from '../support/sample-silence.ts';
import { silent } from './support.ts';

let redis: TestRedis;
let queue: Queue;
let prefixes = 0;
let now = 0;
const web: Machine = machineRecord({ port: 22, hostKey: 'ssh-ed25519 AAAA' }, { name: 'web-01' });
const window: WindowEntry = {
  ...{ name: 'patch-night', machines: 'web-*', cron: '0 2 * * *', minutes: 60, reason: 'patches' },
  channel: 'C0OPS',
};
let maintenance: readonly WindowEntry[] = [];
const windowBegin = Date.UTC(2026, 6, 5, 2);
const hourMs = 3_600_000;

const open = (prefix: string): Promise<Queue> =>
  createQueue({
    ...{ redisUrl: redis.url, log: silent, settings: { prefix }, clock: () => now },
    fleet: () => ({ machines: new Map([['web-01', web]]), maintenance, budgets: [] }),
  });

beforeAll(async () => {
  redis = await startTestRedis();
});
beforeEach(async () => {
  await queue?.close();
  prefixes += 1;
  now = 2_000;
  maintenance = [];
  queue = await open(`{silences${prefixes}}`);
});
afterAll(async () => {
  await queue.close();
  await redis.stop();
});

const ben = { kind: 'person', userId: 'U0BEN', teamId: 'T1' } as const;
const held = (what = 'disk') => ({ kind: 'alert', machine: 'web-01', what }) as const;
const begin = (changes: Partial<Pick<Silence, 'id' | 'until'>> = {}, eventId = 'Ev1') =>
  queue.silences.begin(personsSilence(changes), eventId);

async function ledgerOf(of: Queue): Promise<readonly unknown[]> {
  const entries = await of.ledger.read('-', 100);
  return entries.map(({ entry }) => JSON.parse(entry));
}
/** The views that are dirty now; they are not any more then. */
async function dirtyViews(): Promise<readonly string[]> {
  const views = await queue.views.take(100);
  await Promise.all(views.map((view) => queue.views.release(view)));
  return views.map(({ kind, id }) => `${kind}:${id}`);
}
const duty = (of = queue) => silencesDuty({ silences: of.silences, log: silent });
const look = (of = queue) => duty(of).run(new AbortController().signal);

describe("a person's silence", () => {
  it('holds for every process until its end, and then for none', async () => {
    await begin();
    await using other = Object.assign(await open(`{silences${prefixes}}`), {
      async [Symbol.asyncDispose]() {
        await other.close();
      },
    });
    expect((await other.silences.holding()).map(({ id }) => id)).toEqual(['s-0000000000aa']);
    now = 4_000;
    expect(await other.silences.holding()).toEqual([]);
  });

  it('is begun once for each event', async () => {
    expect(await begin()).toEqual({ duplicate: false, id: 's-0000000000aa' });
    expect(await begin({ id: 's-0000000000bb' })).toEqual({ duplicate: true, id: 's-0000000000aa' });
    expect(await queue.silences.active()).toHaveLength(1);
    expect(await dirtyViews()).toEqual(['silence:s-0000000000aa']);
    expect(await ledgerOf(queue)).toEqual([
      {
        ...{ kind: 'silence.began', at: 1_000, by: sampleSilence().by, silence: 's-0000000000aa' },
        ...{ selector: 'all', until: 4_000, reason: 'new kernel' },
      },
    ]);
  });

  it('is ended before its time once, by whoever was first', async () => {
    await begin();
    const ends = await Promise.all(
      ['U0BEN', 'U0CAT', 'U0DAN'].map((userId) =>
        queue.silences.end('s-0000000000aa', { by: { ...ben, userId }, at: now }),
      ),
    );
    const enders = new Set(ends.map((silence) => silence?.ended?.by.userId));
    expect(enders.size).toBe(1);
    expect(await queue.silences.holding()).toEqual([]);
    expect((await ledgerOf(queue)).slice(1)).toEqual([
      { kind: 'silence.ended', at: now, silence: 's-0000000000aa', by: { ...ben, userId: [...enders][0] } },
    ]);
    now = 5_000;
    expect(await queue.silences.due()).toEqual([]);
    expect(await queue.silences.silence('s-0000000000aa')).toMatchObject({ over: true });
  });

  it('of an unknown id cannot be ended', async () => {
    expect(await queue.silences.end('s-0000000000zz', { by: ben, at: now })).toBeUndefined();
  });

  it('tells how often it held what back, once for each event, also after its end', async () => {
    await begin();
    const silence = sampleSilence();
    await queue.silences.holdBack(silence, [held(), held('memory')], 'Ev-a');
    await queue.silences.holdBack(silence, [held(), held('memory')], 'Ev-a');
    await queue.silences.holdBack(silence, [held()], 'Ev-b');
    now = 4_000;
    await look();
    await dirtyViews();
    await queue.silences.holdBack(silence, [held()], 'Ev-c');
    const found = await queue.silences.silence(silence.id);
    expect(found?.over).toBe(true);
    expect(found?.heldBack).toEqual(
      expect.arrayContaining([
        { ...held(), times: 3 },
        { ...held('memory'), times: 1 },
      ]),
    );
    expect(await queue.silences.due()).toEqual([]);
    expect(await dirtyViews()).toEqual([`silence:${silence.id}`]);
  });

  it('counts the same event apart from another silence, and from what else the event led to', async () => {
    await begin();
    await begin({ id: 's-0000000000bb' }, 'Ev2');
    for (const id of ['s-0000000000aa', 's-0000000000bb']) {
      await queue.silences.holdBack(sampleSilence({ id }), [held()], 'Ev1');
      expect((await queue.silences.silence(id))?.heldBack).toEqual([{ ...held(), times: 1 }]);
    }
  });

  it('is not kept for ever after its end', async () => {
    await begin();
    await queue.silences.end('s-0000000000aa', { by: ben, at: now });
    const reader = new Redis(redis.url);
    expect(await reader.pttl(`{silences${prefixes}}:silence:s-0000000000aa`)).toBeGreaterThan(0);
    reader.disconnect();
  });

  it('is over once, however many look, and whenever one of them is killed', async () => {
    await begin();
    await begin({ id: 's-0000000000bb', until: 3_000 }, 'Ev2');
    await begin({ id: 's-0000000000cc', until: 9_000 }, 'Ev3');
    await dirtyViews();
    now = 4_000;
    // Killed after it looked: what it saw is still due for the next one.
    expect((await queue.silences.due()).map(({ id }) => id)).toEqual(['s-0000000000bb', 's-0000000000aa']);
    await Promise.all([look(), look(), look()]);
    await look();
    expect((await dirtyViews()).toSorted()).toEqual(['silence:s-0000000000aa', 'silence:s-0000000000bb']);
    const ends = (await ledgerOf(queue)).filter((entry) => JSON.stringify(entry).includes('silence.ended'));
    expect(ends).toHaveLength(2);
    expect((await queue.silences.active()).map(({ id }) => id)).toEqual(['s-0000000000cc']);
  });

  it('that was ended as its time was over is told once', async () => {
    await begin();
    now = 4_000;
    const [due] = await queue.silences.due();
    await queue.silences.end('s-0000000000aa', { by: ben, at: now });
    expect(due && (await queue.silences.close(due))).toBe(false);
  });

  it('goes on after Redis was restarted', async () => {
    await begin();
    await queue.silences.holdBack(sampleSilence(), [held()], 'Ev-a');
    await redis.kill();
    await redis.restart();
    await expect
      .poll(async () => (await queue.silences.silence('s-0000000000aa'))?.heldBack, { timeout: 10_000 })
      .toEqual([{ ...held(), times: 1 }]);
    expect(await queue.silences.holding()).toHaveLength(1);
  });
});

describe("the fleet file's window", () => {
  beforeEach(() => {
    maintenance = [window];
    now = windowBegin + 1;
  });
  const openWindow = async (): Promise<Silence> => {
    const [found] = await queue.silences.holding(web);
    if (found === undefined) throw new Error('no window is open');
    return found;
  };

  it('holds while it is open, and has no record and no end to tell where it held nothing back', async () => {
    expect(await openWindow()).toMatchObject({ by: { kind: 'window', window: 'patch-night' } });
    now += hourMs;
    expect(await queue.silences.holding(web)).toEqual([]);
    await look();
    expect(await dirtyViews()).toEqual([]);
    expect(await ledgerOf(queue)).toEqual([]);
  });

  it('that held something back is over once, with that', async () => {
    const found = await openWindow();
    await queue.silences.holdBack(found, [held()], 'Ev-a');
    await look();
    expect(await queue.silences.silence(found.id)).toMatchObject({ over: false });
    now += hourMs;
    await Promise.all([look(), look()]);
    expect(await queue.silences.silence(found.id)).toEqual({
      ...{ silence: found, heldBack: [{ ...held(), times: 1 }], over: true },
    });
    expect(await ledgerOf(queue)).toEqual([{ kind: 'silence.ended', at: now, silence: found.id }]);
    expect(await dirtyViews()).toEqual([`silence:${found.id}`]);
  });

  it('that was made longer while it was open is over at its new end', async () => {
    await queue.silences.holdBack(await openWindow(), [held()], 'Ev-a');
    maintenance = [{ ...window, minutes: 120 }];
    await queue.silences.holdBack(await openWindow(), [held()], 'Ev-b');
    now += hourMs;
    expect(await queue.silences.due()).toEqual([]);
    now += hourMs;
    expect(await queue.silences.due()).toHaveLength(1);
  });

  it('that was made longer as it was to be closed is not over yet', async () => {
    await queue.silences.holdBack(await openWindow(), [held()], 'Ev-a');
    maintenance = [{ ...window, minutes: 120 }];
    const longer = await openWindow();
    now += hourMs;
    const [due] = await queue.silences.due();
    await queue.silences.holdBack(longer, [held()], 'Ev-b');
    expect(due && (await queue.silences.close(due))).toBe(false);
    expect(await queue.silences.silence(longer.id)).toMatchObject({ silence: longer, over: false });
  });

  it('counts among what is open', async () => {
    await begin({ until: now + 1 });
    expect((await queue.gauges()).silencesOpen).toBe(2);
  });
});
