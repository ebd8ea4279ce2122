import { afterAll, beforeAll, expect } from 'vitest';
import { noticeSchema } from '../../src/fleet/notice.ts';
import { reconcilerStoreSuite } from '../conformance/reconciler-store.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { accept, openQueue } from './support.ts';

/** Leases change hands soon; nobody drives runs here. */
const settings = { leaseMs: 500, leaseRenewalMs: 100, haltsPollIntervalMs: 100, sweepIntervalMs: 60_000 };

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());

reconcilerStoreSuite('in Redis', async () => {
  const listening = async () => {
    const queue = await openQueue(redis.url, settings);
    await queue.work(() => new Promise(() => {}), { concurrency: 1 });
    return queue;
  };
  const [first, second] = [await listening(), await listening()];
  return {
    store: first.reconciler,
    another: async () => second.reconciler,
    async giveRun(machine) {
      await accept(first, { machine });
      await expect.poll(async () => (await first.requests.machine(machine)).currentRunId).toBeDefined();
    },
    async begin(halt, machines) {
      await first.halts.begin(halt, machines);
    },
    release: (id, release) => first.halts.release(id, release, `release ${id} ${release.at}`),
    async notices() {
      const views = await first.views.take(1_000);
      const ids = views.filter(({ kind }) => kind === 'notice').map(({ id }) => id);
      const notices = await Promise.all(ids.map((id) => first.notice(id)));
      return notices.map((notice) => noticeSchema.parse(notice));
    },
    async close() {
      await first.close();
      await second.close();
    },
  };
});
