import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { StoreUnavailableError } from '../../src/fleet/errors.ts';
import { Cancellations } from '../../src/queue/cancellations.ts';
import { connectForWorkers, whenConnected } from '../../src/queue/connect.ts';
import { createQueue, type Queue } from '../../src/queue/create-queue.ts';
import { Keys } from '../../src/queue/keys.ts';
import { queueDefaults } from '../../src/queue/queue-settings.ts';
import { startLink } from '../support/link.ts';
import { noLimits } from '../support/no-limits.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { accept, aRequest, finish, openQueue, silent } from './support.ts';

let redis: TestRedis;

beforeEach(async () => {
  redis = await startTestRedis();
});
afterEach(async () => {
  await redis.stop();
});

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function isDone(queue: Queue, id: string): Promise<boolean> {
  return (await queue.requests.run(id).catch(() => undefined))?.state === 'done';
}

describe('when Redis is away', () => {
  it('a request is refused at once, and accepted again when Redis is back', async () => {
    await using queue = await openQueue(redis.url);
    await redis.kill();
    const request = aRequest();
    await expect
      .poll(async () => String(await failureOf(queue.requests.accept([request], noLimits))))
      .toMatch(/Nothing was changed/);
    await redis.restart();
    await expect
      .poll(() => queue.requests.accept([request], noLimits).catch(() => undefined), { timeout: 5_000 })
      .toMatchObject({ duplicate: false });
  });

  it('a request that Redis does not answer is not confirmed, within the limit', async () => {
    await using queue = await openQueue(redis.url, { requestTimeoutMs: 200 });
    process.kill(redis.pid, 'SIGSTOP');
    const error = await failureOf(queue.requests.accept([aRequest()], noLimits));
    process.kill(redis.pid, 'SIGCONT');
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(String(error)).toMatch(/may or may not/);
  });

  it('whoever leads or wants to lead lets go at once when told to', async () => {
    await using queue = await openQueue(redis.url, { leaseMs: 300, leaseRenewalMs: 50 });
    const [leads, lost] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const stopping = new AbortController();
    const leading = queue.reconciler.lead(async (signal) => {
      leads.resolve();
      await once(signal, 'abort');
      lost.resolve();
    }, stopping.signal);
    await leads.promise;
    await redis.kill();
    await lost.promise;
    const wishing = queue.reconciler.lead(async () => undefined, stopping.signal);
    stopping.abort();
    await Promise.all([leading, wishing]);
  });

  it('nobody starts', async () => {
    await redis.kill();
    await expect(
      createQueue({ redisUrl: redis.url, log: silent, settings: { connectTimeoutMs: 200 } }),
    ).rejects.toThrow(/Check REDIS_URL/);
  });

  it('a start that cannot find it says so once, in its error, and logs nothing beside', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'info' }, { write: (line) => void lines.push(line) });
    const settings = { connectTimeoutMs: 500 };
    await expect(
      createQueue({ redisUrl: 'redis://no-such-host.invalid:6379', log, settings }),
    ).rejects.toThrow(/no-such-host\.invalid.*Check REDIS_URL/);
    expect(lines).toEqual([]);
  });

  it('an outage is logged once for each connection when it begins and when it ends', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line).msg) });
    const connection = connectForWorkers(redis.url, log);
    await whenConnected(connection, 5_000, log);
    await redis.kill();
    await vi.waitFor(() =>
      expect(lines).toEqual([expect.stringMatching(/^Redis does not answer; trying again until it does\. /)]),
    );
    await redis.restart();
    await vi.waitFor(() => expect(lines.slice(1)).toEqual(['Redis answers again']), 10_000);
    connection.disconnect();
  });

  it('workers wait for it and finish what they drive', async () => {
    await using queue = await openQueue(redis.url, { lockDurationMs: 500, stalledIntervalMs: 200 });
    let fences: number[] = [];
    await queue.work(
      async (claim) => {
        fences = [...fences, claim.fence];
        if (fences.length === 1) {
          await redis.kill();
          await sleep(600);
          await redis.restart();
        }
        await finish(queue.runs, claim);
      },
      { concurrency: 1 },
    );
    const id = await accept(queue);
    await expect.poll(() => isDone(queue, id), { timeout: 15_000 }).toBe(true);
    const later = await accept(queue);
    await expect.poll(() => isDone(queue, later), { timeout: 15_000 }).toBe(true);
  });

  it.each(['SIGKILL', 'SIGSTOP'])('a worker can be shut down, and its runs are told (%s)', async (how) => {
    const settings = { disconnectTimeoutMs: 100, requestTimeoutMs: 1_000 };
    const queue = await createQueue({ redisUrl: redis.url, log: silent, settings });
    const begun = Promise.withResolvers<void>();
    let reason: unknown;
    await queue.work(
      async (_claim, signal) => {
        begun.resolve();
        await once(signal, 'abort');
        reason = signal.reason;
      },
      { concurrency: 1 },
    );
    await accept(queue);
    await begun.promise;
    process.kill(redis.pid, how);
    await queue.close();
    if (how === 'SIGSTOP') process.kill(redis.pid, 'SIGCONT');
    expect(reason).toBe('shutdown');
  });

  it('every acknowledged request survives kill -9 of the server', async () => {
    await using queue = await openQueue(redis.url);
    const acknowledged: string[] = [];
    let running = true;
    const writers = Array.from({ length: 5 }, async (_, n) => {
      while (running) {
        const answer = await queue.requests
          .accept([aRequest({ machine: `m${n}` })], noLimits)
          .catch(() => undefined);
        if (answer) acknowledged.push(...answer.runIds);
        else await sleep(5);
      }
    });
    await expect.poll(() => acknowledged.length).toBeGreaterThan(200);
    await redis.kill();
    running = false;
    await Promise.all(writers);
    await redis.restart();
    await expect
      .poll(() => queue.requests.machine('m0').catch(() => undefined), { timeout: 5_000 })
      .toBeDefined();
    const runs = await Promise.all(acknowledged.map((id) => queue.requests.run(id)));
    expect(runs.filter((run) => run === undefined)).toEqual([]);
    const waiting = await Promise.all([0, 1, 2, 3, 4].map((n) => queue.requests.machine(`m${n}`)));
    expect(waiting.reduce((sum, machine) => sum + machine.waiting, 0)).toBeGreaterThanOrEqual(
      acknowledged.length,
    );
  });
});

describe('a connection to Redis that has gone bad', () => {
  it('is replaced when it died without anybody being told', async () => {
    await using link = await startLink(redis.port);
    await using queue = await openQueue(`redis://127.0.0.1:${link.port}`, { requestTimeoutMs: 200 });
    link.strand();
    await expect
      .poll(() => queue.requests.machine('web-01').catch(() => undefined), { timeout: 5_000 })
      .toBeDefined();
  });

  it('is replaced when it leads to a former primary', async () => {
    const other = await startTestRedis();
    onTestFinished(() => other.stop());
    const former = new Redis(redis.url);
    const next = new Redis(other.url);
    await next.replicaof('127.0.0.1', redis.port);
    await expect.poll(() => next.info('replication'), { timeout: 10_000 }).toContain('master_link_status:up');
    await using link = await startLink(redis.port);
    await using queue = await openQueue(`redis://127.0.0.1:${link.port}`);
    await queue.work(async (claim) => void (await finish(queue.runs, claim)), { concurrency: 1 });

    link.leadTo(other.port);
    await next.replicaof('NO', 'ONE');
    await former.replicaof('127.0.0.1', other.port);
    former.disconnect();
    next.disconnect();
    let id = '';
    await expect
      .poll(async () => (id = await accept(queue).catch(() => '')), { timeout: 5_000 })
      .not.toBe('');
    await expect.poll(() => isDone(queue, id), { timeout: 5_000 }).toBe(true);
  });

  it('keeps no cancellation from a worker', async () => {
    await using link = await startLink(redis.port);
    await using queue = await openQueue(redis.url);
    const id = await accept(queue);
    await queue.runs.claim('web-01');
    const records = connectForWorkers(redis.url, silent);
    const messages = connectForWorkers(`redis://127.0.0.1:${link.port}`, silent);
    onTestFinished(() => [records, messages].forEach((connection) => void connection.disconnect()));
    const cancellations = new Cancellations(records, messages, new Keys(queueDefaults.prefix), silent);
    await cancellations.start();
    const told = vi.fn();
    onTestFinished(cancellations.listen(id, told));
    link.strand();
    await queue.requests.cancel(id, { userId: 'U2', at: 1 });
    await expect.poll(() => told.mock.calls, { timeout: 10_000 }).toEqual([[{ userId: 'U2', at: 1 }]]);
  });
});
