import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { RequestLimits } from '../../src/bot/ports.ts';
import { LimitError } from '../../src/fleet/errors.ts';
import type { Queue } from '../../src/queue/create-queue.ts';
import { queueDefaults } from '../../src/queue/queue-settings.ts';
import { noLimits } from '../support/no-limits.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { aRequest, finish, openQueue } from './support.ts';

let redis: TestRedis;
let queue: Queue & AsyncDisposable;

beforeAll(async () => {
  redis = await startTestRedis();
  queue = await openQueue(redis.url);
});
afterAll(async () => {
  await queue[Symbol.asyncDispose]();
  await redis.stop();
});

const limited = async (accepted: Promise<unknown>): Promise<LimitError> => {
  const error = await accepted.catch((thrown: unknown) => thrown);
  if (!(error instanceof LimitError)) throw new Error(`no LimitError but ${String(error)}`);
  return error;
};
const person = (userId: string) => ({ kind: 'person', userId, teamId: 'T1' }) as const;
const machines = (maxWaiting: number, requestsPerMinute: number): RequestLimits => ({
  ...noLimits,
  perMachine: () => ({ maxWaiting, requestsPerMinute }),
});

describe('a person', () => {
  const limits: RequestLimits = { ...noLimits, perPerson: { requestsPerMinute: 2 } };

  it('who asks too often is told when to try again, and others are served', async () => {
    const requester = person('UOFTEN');
    for (const n of [1, 2]) await queue.requests.accept([aRequest({ machine: `p${n}`, requester })], limits);
    const refused = aRequest({ machine: 'p3', requester });
    expect(await limited(queue.requests.accept([refused], limits))).toMatchObject({
      limit: 'person',
      message: expect.stringMatching(/Try again in (29|30) s/),
    });
    expect((await queue.requests.machine('p3')).waiting).toBe(0);
    await queue.requests.accept([aRequest({ machine: 'p3', requester: person('UOTHER') })], limits);
    expect((await queue.requests.machine('p3')).waiting).toBe(1);
  });

  it('does not wait longer where another Redis took over whose clock is behind', async () => {
    const client = new Redis(redis.url);
    onTestFinished(() => client.disconnect());
    const anHourAhead = Date.now() + 3_600_000;
    await client.set(`${queueDefaults.prefix}:budget:person:UAHEAD`, `0 ${anHourAhead}`);
    const request = aRequest({ machine: 'p4', requester: person('UAHEAD') });
    expect(await queue.requests.accept([request], limits)).toMatchObject({ duplicate: false });
  });

  it('spends one on a campaign, and nothing on what was accepted before', async () => {
    const requester = person('UCAMP');
    const names = ['c1', 'c2', 'c3'];
    const campaign = names.map((machine) => aRequest({ machine, requester, eventId: 'Camp' }));
    for (const _ of [1, 2, 3]) await queue.requests.accept(campaign, limits);
    await queue.requests.accept([aRequest({ machine: 'c4', requester })], limits);
    await limited(queue.requests.accept([aRequest({ machine: 'c5', requester })], limits));
  });
});

describe('a machine', () => {
  it('lets only so many wait, and takes more when one is done', async () => {
    const limits = machines(2, 1_000);
    for (const _ of [1, 2]) await queue.requests.accept([aRequest({ machine: 'full' })], limits);
    const both = ['full', 'free'].map((machine) => aRequest({ machine, eventId: 'Both' }));
    expect(await limited(queue.requests.accept(both, limits))).toMatchObject({
      limit: 'waiting',
      machines: ['full'],
    });
    expect((await queue.requests.machine('free')).waiting).toBe(0);

    const claim = await queue.runs.claim('full');
    if (claim) await finish(queue.runs, claim);
    await queue.requests.accept(both, limits);
    expect((await queue.requests.machine('full')).waiting).toBe(2);
  });

  it('gets only so many in a minute, whoever asks', async () => {
    const limits = machines(1_000, 2);
    for (const user of ['U1', 'U2']) {
      await queue.requests.accept([aRequest({ machine: 'fast', requester: person(user) })], limits);
    }
    const third = aRequest({ machine: 'fast', requester: person('U3') });
    expect(await limited(queue.requests.accept([third], limits))).toMatchObject({
      limit: 'rate',
      machines: ['fast'],
    });
  });
});
