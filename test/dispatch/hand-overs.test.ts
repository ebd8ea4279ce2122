import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { handOverDuty } from '../../src/dispatch/hand-overs.ts';
import { approvalRulesSchema } from '../../src/fleet/fleet.ts';
import type { HandOver } from '../../src/fleet/hand-over.ts';
import { takeHandOver } from '../../src/fleet/hand-over-moves.ts';
import type { Silence } from '../../src/fleet/silence.ts';
import { createPagers } from '../../src/on-call/create-pagers.ts';
import { machine } from '../bot/bot-under-test.ts';
import { FakeHandOvers } from '../support/fake-hand-overs.ts';
import { PagerServer, silence } from '../support/pager-server.ts';
import { sampleHandOver } from '../support/sample-hand-over.ts';
import { askedAt } from '../support/sample-question.ts';
import { sampleSilence } from '../support/sample-silence.ts';

const minute = 60_000;
const link = 'https://acme.slack.com/archives/C0OPS/p1700000000000001';
const bea = { kind: 'person', userId: 'U0BEA', teamId: 'T0TEAM' } as const;

let server: PagerServer;
let store: FakeHandOvers;
let now: number;
/** Channels in which nothing can be said. */
let closed: string[];
let holding: Silence[];
/** What was noted with silences. */
let held: unknown[];

beforeAll(async () => {
  server = await PagerServer.start();
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  server.paged.length = 0;
  server.answers.length = 0;
  store = new FakeHandOvers();
  now = askedAt;
  closed = [];
  holding = [];
  held = [];
});

const duty = (requestTimeoutMs = 10_000) =>
  handOverDuty({
    store,
    pagers: createPagers({
      entries: new Map([['primary', { kind: 'pagerduty', routingKey: 'R0123', url: server.url }]]),
      settings: { tries: 1, requestTimeoutMs },
      log: pino({ level: 'silent' }),
    }),
    slack: {
      isOutside: async (channel) => closed.includes(channel),
      link: async ({ under }) => (under === undefined ? undefined : link),
    },
    silences: { holding: async () => holding, holdBack: async (...noted) => void held.push(noted) },
    fleet: () => ({
      approvals: approvalRulesSchema.parse({ handOverMinutes: 10 }),
      machines: new Map([['web-01', machine('web-01')]]),
    }),
    clock: () => now,
  });

const look = (signal = new AbortController().signal) => duty().run(signal);

function handOver(targets: string[], because: HandOver['because'] = 'approved'): string {
  const opened = sampleHandOver({ targets, because });
  store.add(opened);
  return opened.id;
}

function stored(id: string): HandOver {
  const found = store.stored.get(id);
  if (found === undefined) throw new Error(`${id} is not stored`);
  return found;
}
const kinds = () => store.entries.map(({ kind }) => kind);

describe('people on call', () => {
  it('in Slack have their time, one after the other; after the last one it is nobody’s', async () => {
    const id = handOver(['U0EVA', 'C0CALL', 'S0LEADS']);
    for (const called of [1, 2, 3]) {
      await look();
      await look();
      expect(stored(id)).toMatchObject({ state: 'calling', calls: { length: called } });
      now += 10 * minute;
    }
    await look();
    await look();
    expect(stored(id)).toMatchObject({ state: 'nobody', calls: [{}, {}, {}] });
    expect(kinds()).toEqual([
      ...['hand-over.called', 'hand-over.called', 'hand-over.called', 'hand-over.ended'],
    ]);
  });

  it('are not called any more once somebody has it', async () => {
    const id = handOver(['U0EVA', 'pager:primary']);
    await look();
    await store.change(id, (current) => takeHandOver(current, bea, now));
    now += 60 * minute;
    await look();
    expect(stored(id)).toMatchObject({ state: 'taken', calls: { length: 1 } });
    expect(server.paged).toEqual([]);
  });

  it.each([
    ['in a channel', 'C0CALL', 'C0CALL'],
    ['in the thread of the run', 'C0OPS', 'U0EVA'],
  ])('who cannot be called %s are passed over at once', async (_where, channel, target) => {
    closed = [channel];
    const id = handOver([target, 'pager:primary']);
    await look();
    await look();
    const problem = `Nothing can be said in channel ${channel}: fleetbot is not in it, or it is archived.`;
    expect(stored(id).calls).toMatchObject([{ problem }, { target: 1, delivered: true }]);
    expect(kinds()).toEqual(['hand-over.missed', 'hand-over.called', 'hand-over.ended']);
  });
});

describe('where the machine is silenced', () => {
  const silenced = () => sampleSilence({ until: now + 60 * minute });

  it('nobody is called about what nobody decided; that is noted with the silence', async () => {
    const id = handOver(['U0EVA', 'S0LEADS'], 'expired');
    holding = [silenced()];
    await look();
    expect(stored(id)).toMatchObject({ state: 'silenced', calls: [], silenced: { by: holding[0]?.by } });
    expect(stored(id).silenced?.reason).toMatch(/^silenced until .*: new kernel$/);
    expect(held).toEqual([[holding[0], [{ kind: 'escalation', machine: 'web-01', what: 'disk' }], id]]);
    expect(store.entries).toMatchObject([{ kind: 'hand-over.ended', outcome: 'silenced' }]);
  });

  it('nobody else is called, nor is everybody told that nobody has it', async () => {
    const id = handOver(['U0EVA'], 'expired');
    await look();
    now += 10 * minute;
    holding = [silenced()];
    await look();
    expect(stored(id)).toMatchObject({ state: 'silenced', calls: { length: 1 } });
  });

  it('what people agreed to escalate goes on', async () => {
    const id = handOver(['U0EVA']);
    holding = [silenced()];
    await look();
    expect(stored(id)).toMatchObject({ state: 'calling', calls: { length: 1 } });
    expect(held).toEqual([]);
  });
});

describe('a pager', () => {
  it('is called with the thread’s link, once, and ends it', async () => {
    const id = handOver(['pager:primary', 'U0EVA']);
    await look();
    now += 60 * minute;
    await look();
    expect(stored(id)).toMatchObject({ state: 'delivered', calls: [{ delivered: true }] });
    expect(server.paged.map(({ body }) => body)).toMatchObject([{ dedup_key: id, client_url: link }]);
    expect(kinds()).toEqual(['hand-over.called', 'hand-over.ended']);
  });

  it('that does not take it is followed by the next at once', async () => {
    server.answers.push({ status: 400 });
    const id = handOver(['pager:primary', 'U0EVA']);
    await look();
    await look();
    expect(stored(id).calls).toMatchObject([{ problem: 'Pager primary answered 400.' }, { target: 1 }]);
    expect(kinds()).toEqual(['hand-over.called', 'hand-over.missed', 'hand-over.called']);
  });

  it('that is slow holds up no other call', async () => {
    server.answers.push(silence);
    const slow = handOver(['pager:primary']);
    const leading = new AbortController();
    const looking = look(leading.signal);
    await expect.poll(() => server.paged.length).toBe(1);
    const other = sampleHandOver({ targets: ['U0EVA'] }, 'r-00000000bbbb');
    store.add(other);
    await expect.poll(() => stored(other.id).calls.length, { timeout: 5_000 }).toBe(1);
    expect(stored(slow)).toMatchObject({ state: 'calling' });
    leading.abort(new Error('the test is over'));
    await expect(looking).rejects.toThrow('the test is over');
    expect(server.paged).toHaveLength(1);
  });

  it('that the settings do not name is followed by the next, and the record says why', async () => {
    const id = handOver(['pager:night', 'U0EVA']);
    await look();
    expect(stored(id).calls).toMatchObject([{ problem: expect.stringContaining('FLEETBOT_PAGERS') }]);
    expect(stored(id).state).toBe('calling');
  });

  it('is told again under the same key where the answer was never stored', async () => {
    const id = handOver(['pager:primary']);
    store.beforeChange = () => {
      // The call itself is stored; what came of it is not.
      if (stored(id).calls.length > 0) throw new Error('killed');
    };
    await expect(look()).rejects.toThrow('killed');
    expect(stored(id)).toMatchObject({ state: 'calling', calls: [{ target: 0 }] });
    store.beforeChange = () => {};
    await look();
    expect(stored(id)).toMatchObject({ state: 'delivered', calls: { length: 1 } });
    expect(server.paged).toHaveLength(2);
    expect(server.incidents).toEqual([id]);
    expect(kinds()).toEqual(['hand-over.called', 'hand-over.ended']);
  });

  it('is not told before the call is written down', async () => {
    handOver(['pager:primary']);
    store.beforeChange = () => {
      throw new Error('killed');
    };
    await expect(look()).rejects.toThrow('killed');
    expect(server.paged).toEqual([]);
  });

  it('that somebody takes over meanwhile stays theirs', async () => {
    const id = handOver(['pager:primary', 'U0EVA']);
    server.answers.push(silence);
    const looking = duty(200).run(new AbortController().signal);
    await expect.poll(() => server.paged.length).toBe(1);
    await store.change(id, (current) => takeHandOver(current, bea, now));
    await looking;
    await look();
    expect(stored(id)).toMatchObject({ state: 'taken', calls: { length: 1 } });
  });

  it('is not told again where somebody takes it at that moment', async () => {
    const id = handOver(['pager:primary']);
    store.add({ ...stored(id), calls: [{ target: 0, at: now }] });
    const { handOver: read } = store;
    store.handOver = async (each) => {
      const found = await read.call(store, each);
      await store.change(each, (current) => takeHandOver(current, bea, now));
      return found;
    };
    await look();
    expect(server.paged).toEqual([]);
    expect(stored(id).state).toBe('taken');
  });

  it('is let go of when another process leads, and called again by that one', async () => {
    const id = handOver(['pager:primary']);
    server.answers.push(silence);
    const leading = new AbortController();
    const looking = look(leading.signal);
    await expect.poll(() => server.paged.length).toBe(1);
    leading.abort(new Error('another process leads'));
    await expect(looking).rejects.toThrow('another process leads');
    await look();
    expect(stored(id).state).toBe('delivered');
    expect(server.incidents).toEqual([id]);
  });
});

it('one that cannot go on holds up no other', async () => {
  store.add(sampleHandOver({ id: 'o-unreadable', targets: ['U0EVA'] }));
  const id = handOver(['U0EVA']);
  const { change } = store;
  store.change = (each, ...rest) =>
    each === id ? change.call(store, each, ...rest) : Promise.reject(new Error('unreadable'));
  await expect(look()).rejects.toThrow('unreadable');
  expect(stored(id).calls).toHaveLength(1);
});
