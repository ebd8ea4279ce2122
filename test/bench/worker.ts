/** A worker process of the benchmark: does what it is ordered over IPC, and tells what it cost. */
import { beginBareWork } from './bare-work.ts';
import { type News, orderSchema } from './messages.ts';
import { beginProductWork } from './product-work.ts';
import type { Work } from './work.ts';

const progressIntervalMs = 20;

const tell = (news: News): void => void process.send?.(news);

let work: Promise<Work> | undefined;
let done = 0;
let firstDoneAt = 0;
let lastDoneAt = 0;
let cpuBefore = process.cpuUsage();
let progress: NodeJS.Timeout | undefined;

const onDone = (): void => {
  done += 1;
  lastDoneAt = Date.now();
  firstDoneAt ||= lastDoneAt;
};

process.on('disconnect', () => process.exit(0));
process.on('message', async (message) => {
  const order = orderSchema.parse(message);
  if (order.order === 'work') {
    done = 0;
    firstDoneAt = 0;
    lastDoneAt = 0;
    cpuBefore = process.cpuUsage();
    progress = setInterval(() => tell({ news: 'progress', done }), progressIntervalMs);
    work = order.kind === 'product' ? beginProductWork(order, onDone) : beginBareWork(order, onDone);
    await work;
    return;
  }
  const rssBytes = process.memoryUsage.rss();
  const ended = await (await work)?.end();
  clearInterval(progress);
  if (!ended) return;
  const { user, system } = process.cpuUsage(cpuBefore);
  tell({ news: 'ended', firstDoneAt, lastDoneAt, cpuMs: (user + system) / 1_000, rssBytes, ...ended });
});
