import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { WorkOrder } from './messages.ts';
import type { Work } from './work.ts';

/** Takes bare BullMQ jobs and does nothing with them. */
export async function beginBareWork(order: WorkOrder, onDone: () => void): Promise<Work> {
  const connection = new Redis(order.redisUrl, { maxRetriesPerRequest: null });
  const worker = new Worker('jobs', async () => onDone(), {
    connection,
    prefix: order.prefix,
    concurrency: order.concurrency,
  });
  await worker.waitUntilReady();
  return {
    async end() {
      await worker.close();
      connection.disconnect();
      return { exportedSpans: 0, lostSpans: 0, waitsMs: [] };
    },
  };
}
