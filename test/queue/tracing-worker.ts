import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { createQueue } from '../../src/queue/create-queue.ts';
import { finish, move } from './support.ts';

/*
 * A worker as a process of its own, to be killed: REDIS-URL FILE. It ends every run it gets and, after a pause, its
 * trace; and the traces that others left. What it ended it writes into the file, a line each: who ended it, and the run.
 */

/** Long enough that a kill falls into it. */
const pauseMs = 50;

const [redisUrl = '', file = ''] = process.argv.slice(2);
const queue = await createQueue({
  ...{ redisUrl, log: pino({ level: 'silent' }) },
  settings: {
    ...{ lockDurationMs: 500, stalledIntervalMs: 200, sweepIntervalMs: 200 },
    ...{ traceGraceMs: 1_000, tracedDelayMs: 20 },
  },
});
const endTrace = (by: 'worker' | 'sweep', id: string): void => {
  appendFileSync(file, `${by} ${id}\n`);
  queue.runs.traced(id);
};
await queue.work(
  async (claim) => {
    const { fence, run } = claim;
    // One that a killed worker left may be further.
    const wasLeft = run.state === 'gathering';
    const { id } = await (wasLeft ? move(queue.runs, fence, run, 'done') : finish(queue.runs, claim));
    await sleep(pauseMs);
    endTrace('worker', id);
  },
  { concurrency: 4, onUntraced: ({ id }) => endTrace('sweep', id) },
);
