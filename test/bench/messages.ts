import { z } from 'zod';

/** What the benchmark tells one of its worker processes. */
export const orderSchema = z.discriminatedUnion('order', [
  /** Works on what is queued under this prefix, and on what comes, until told to end. */
  z.object({
    order: z.literal('work'),
    kind: z.enum(['product', 'bare']),
    redisUrl: z.string(),
    prefix: z.string(),
    concurrency: z.int(),
    machines: z.int(),
    /** How many of them, the last ones, have a full disk. */
    anomalies: z.int(),
    collectorUrl: z.string(),
  }),
  z.object({ order: z.literal('end') }),
]);

/** What a worker tells. */
export const newsSchema = z.discriminatedUnion('news', [
  z.object({ news: z.literal('progress'), done: z.int() }),
  z.object({
    news: z.literal('ended'),
    /** When its first and its last run was done, milliseconds since the epoch; 0 when it did none. */
    firstDoneAt: z.number(),
    lastDoneAt: z.number(),
    /** From the order to work until everything was closed and exported. */
    cpuMs: z.number(),
    rssBytes: z.number(),
    exportedSpans: z.int(),
    lostSpans: z.int(),
    /** From the moment it was handed in to the beginning of its run or job, milliseconds. */
    waitsMs: z.array(z.number()),
  }),
]);

export type Order = z.infer<typeof orderSchema>;
export type WorkOrder = Extract<Order, { order: 'work' }>;
export type News = z.infer<typeof newsSchema>;
export type Ended = Extract<News, { news: 'ended' }>;
