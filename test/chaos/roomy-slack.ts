import type { ChaosSystem } from './chaos-system.ts';
import { channelIds } from './plan-traffic.ts';

const intervalMs = 50;
const buckets = [
  ...['chat.postMessage', 'chat.update', 'conversations.history', 'conversations.replies'],
  ...['auth.test', 'files.uploadV2'],
  ...channelIds.map((channel) => `chat.postMessage:${channel}`),
];

/**
 * Slack's limits would make hours of minutes: while this lasts, the workspace allows more. It refills the buckets
 * that the bots share in Redis; a pause after a 429 stays what it is.
 */
export function keepSlackRoomy({ records, keys }: ChaosSystem): Disposable {
  const names = buckets.map((bucket) => `${keys.prefix}budget:${bucket}`);
  const timer = setInterval(() => {
    // While Redis is away nothing is to be refilled, and nothing is to pile up.
    if (records.status === 'ready') void records.del(...names).catch(() => {});
  }, intervalMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
