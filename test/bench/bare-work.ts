import { type Job, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { WorkOrder } from './messages.ts';
import type { Work } from './work.ts';

/** Takes bare BullMQ jobs and does nothing with them. */
export async function beginBareWork(order: WorkOrder, onDone: () => void): Promise<Work> {
  const connection = new Redis(order.redisUrl, { maxRetriesPerRequest: null });
  const waitsMs: number[] = [];
  const take = async (job: Job<{ acceptedAt: number }>): Promise<void> => {
    waitsMs.push(Date.now() - job.data.acceptedAt);
    onDone();
  };
  const { prefix, concurrency } = order;
  const worker = new Worker('jobs', take, { connection, prefix, concurrency });
  await worker.waitUntilReady();
  return {
    async end() {
      await worker.close();
      connection.disconnect();
      return { exportedSpans: 0, lostSpans: 0, waitsMs };
    },
  };
}
