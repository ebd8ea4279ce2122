import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createPagers, type Pagers } from '../../src/on-call/create-pagers.ts';
import type { PagerSettings } from '../../src/on-call/settings.ts';
import { lostAnswer, PagerServer, silence } from '../support/pager-server.ts';
import { sampleHandOver } from '../support/sample-hand-over.ts';

const routingKey = 'R012345678901234567890123456789A';
const token = 'a-secret-token';
const thread = 'https://acme.slack.com/archives/C0OPS/p1700000000000001';
const page = { handOver: sampleHandOver(), thread };
const { id } = page.handOver;
const quick: Partial<PagerSettings> = {
  requestTimeoutMs: 10_000,
  tries: 3,
  firstPauseMs: 1,
  longestPauseMs: 1_000,
};

let server: PagerServer;
let logged: string;
const log = pino(
  { level: 'trace' },
  {
    write(line) {
      logged += line;
    },
  },
);

beforeAll(async () => {
  server = await PagerServer.start();
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  server.paged.length = 0;
  server.answers.length = 0;
  logged = '';
});

function pagers(settings: Partial<PagerSettings> = {}): Pagers {
  return createPagers({
    entries: new Map([
      ['primary', { kind: 'pagerduty', routingKey, url: `${server.url}/` }],
      ['hook', { kind: 'webhook', url: `${server.url}/in?key=of-the-address`, token }],
    ]),
    settings: { ...quick, ...settings },
    log,
  });
}

const call = (name: string, of = pagers()) => of.call(name, page, new AbortController().signal);

/** Of each test: no secret of ours stands in a sentence or in the log. */
function expectNoSecrets(problem: string | undefined): void {
  for (const secret of [routingKey, token, 'of-the-address'])
    expect(`${problem}${logged}`).not.toContain(secret);
}

describe('PagerDuty', () => {
  it('gets an event of the Events API v2, with the thread’s link, under the hand-over’s id', async () => {
    expect(await call('primary')).toBeUndefined();
    expect(server.paged).toHaveLength(1);
    expect(server.paged[0]).toMatchObject({ path: '/v2/enqueue' });
    expect(server.paged[0]?.headers['content-type']).toBe('application/json');
    expect(server.paged[0]?.body).toEqual({
      routing_key: routingKey,
      event_action: 'trigger',
      dedup_key: id,
      client: 'fleetbot',
      client_url: thread,
      links: [{ href: thread, text: 'Thread in Slack' }],
      payload: {
        summary: 'fleetbot: web-01: /var is 93% full',
        source: 'web-01',
        severity: 'critical',
        component: 'check disk',
        timestamp: '2026-11-22T10:00:10.000Z',
        custom_details: { why: '/var is 93% full', because: 'approved', run: 'r-00000000aaaa' },
      },
    });
    expectNoSecrets(undefined);
  });

  it('is told without a link where the thread is not known', async () => {
    expect(await pagers().call('primary', { ...page, thread: undefined }, AbortSignal.timeout(5_000))).toBe(
      undefined,
    );
    expect(server.paged[0]?.body).not.toHaveProperty('links');
  });

  it('gets a summary within its limit, whatever the machine said', async () => {
    for (const machine of ['a', 'ab']) {
      const handOver = { ...page.handOver, machine, why: '🔥'.repeat(1_000) };
      expect(await pagers().call('primary', { handOver, thread }, AbortSignal.timeout(10_000))).toBe(
        undefined,
      );
    }
    for (const { body } of server.paged) {
      const { summary } = z.object({ summary: z.string() }).parse(body.payload);
      expect(summary).toHaveLength(1_024);
      expect(summary.isWellFormed()).toBe(true);
    }
  });

  it('that refuses an event is not asked again, and its reason is told without what is secret', async () => {
    server.answers.push({
      status: 400,
      body: { status: 'invalid event', message: 'Event object is invalid', errors: [`no key ${routingKey}`] },
    });
    const problem = await call('primary');
    expect(problem).toBe('Pager primary answered 400 (Event object is invalid: no key …).');
    expect(server.paged).toHaveLength(1);
    expectNoSecrets(problem);
  });

  it('is not listened to for long', async () => {
    server.answers.push({ status: 202, body: { status: 'success', message: 'x'.repeat(100_000) } });
    expect(await call('primary', pagers({ answerMaxBytes: 1_000 }))).toContain('does not answer as');
  });

  it('whose answer is not PagerDuty’s has not taken it', async () => {
    server.answers.push({ status: 202, body: { hello: 'world' } });
    expect(await call('primary')).toBe(
      'Pager primary does not answer as the Events API v2 does: see its url.',
    );
  });
});

describe('a webhook', () => {
  it('gets the escalation as JSON, with its token, under the hand-over’s id', async () => {
    server.answers.push({ status: 204 });
    expect(await call('hook')).toBeUndefined();
    expect(server.paged[0]).toMatchObject({ path: '/in?key=of-the-address' });
    expect(server.paged[0]?.headers).toMatchObject({
      authorization: `Bearer ${token}`,
      'idempotency-key': id,
    });
    expect(server.paged[0]?.body).toEqual({
      id,
      event: 'escalation',
      because: 'approved',
      machine: 'web-01',
      task: 'check disk',
      why: '/var is 93% full',
      run: 'r-00000000aaaa',
      thread,
      at: '2026-11-22T10:00:10.000Z',
    });
    expectNoSecrets(undefined);
  });

  it('that sends us elsewhere is not followed: the token stays with it', async () => {
    await using elsewhere = await PagerServer.start();
    server.answers.push({ status: 307, headers: { location: elsewhere.url } });
    expect(await call('hook')).toBe('Pager hook answered 307, a redirect, which is not followed.');
    expect(elsewhere.paged).toEqual([]);
  });
});

describe('a pager in trouble', () => {
  it('is tried again under the same key until it takes the page', async () => {
    server.answers.push({ status: 503 }, lostAnswer);
    expect(await call('primary')).toBeUndefined();
    expect(server.paged).toHaveLength(3);
    expect(server.incidents).toEqual([id]);
  });

  it('is given up after so many tries, and the reason is a sentence', async () => {
    server.answers.push({ status: 500 }, { status: 502 }, { status: 503 });
    expect(await call('hook')).toBe('Pager hook answered 503.');
    expect(server.paged).toHaveLength(3);
  });

  it('that does not answer is not waited for', async () => {
    server.answers.push(silence);
    const problem = await call('hook', pagers({ tries: 1, requestTimeoutMs: 150 }));
    expect(problem).toBe('Pager hook did not answer within 150 ms.');
    expectNoSecrets(problem);
  });

  it('that cannot be reached is told with the reason, not with its address', async () => {
    const gone = await PagerServer.start();
    const url = `${gone.url}/in?key=of-the-address`;
    await gone[Symbol.asyncDispose]();
    const none = createPagers({
      entries: new Map([['hook', { kind: 'webhook', url }]]),
      settings: quick,
      log,
    });
    const problem = await call('hook', none);
    expect(problem).toBe('Pager hook cannot be reached (ECONNREFUSED).');
    expectNoSecrets(problem);
  });

  it('that asks for a pause gets it', async () => {
    server.answers.push({ status: 429, headers: { 'retry-after': '1' } });
    const before = performance.now();
    expect(await call('primary')).toBeUndefined();
    expect(performance.now() - before).toBeGreaterThan(990);
    expect(server.paged).toHaveLength(2);
  });

  it.each(['3600', 'Fri, 31 Dec 2100 23:59:59 GMT'])(
    'that asks for a pause until it is too late (%s) is left for the next',
    async (retryAfter) => {
      server.answers.push({ status: 429, headers: { 'retry-after': retryAfter } });
      expect(await call('primary')).toBe('Pager primary answered 429.');
      expect(server.paged).toHaveLength(1);
    },
  );

  it('is let go of when the process is to end', async () => {
    server.answers.push(silence);
    const stopping = new AbortController();
    const called = pagers({ requestTimeoutMs: 60_000 }).call('primary', page, stopping.signal);
    while (server.paged.length === 0) await sleep(1);
    stopping.abort(new Error('the process ends'));
    await expect(called).rejects.toThrow('the process ends');
  });

  it('is let go of also while it has its pause', async () => {
    server.answers.push({ status: 429, headers: { 'retry-after': '60' } });
    const stopping = new AbortController();
    const called = pagers({ longestPauseMs: 60_000 }).call('primary', page, stopping.signal);
    await expect.poll(() => logged).toContain('did not take');
    stopping.abort();
    await expect(called).rejects.toThrow();
  });
});

it('a pager of which nothing is known is told as such, and is called nowhere', async () => {
  expect(await call('night')).toBe('Pager night is not among FLEETBOT_PAGERS: add it there.');
  expect(pagers().unknown(['U0EVA', 'pager:night', 'pager:primary', 'C0CALL'])).toEqual(['night']);
});
