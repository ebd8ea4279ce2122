import type { Redis } from 'ioredis';
import { inTime } from './in-time.ts';

const answerTimeoutMs = 1_000;

/** How far a server is that loads its data after a restart, in words; undefined when it does not load. */
export async function loadingProgress(redis: Redis): Promise<string | undefined> {
  // Connected, but held back by ioredis until the data is loaded. INFO is answered meanwhile.
  if (redis.status !== 'connect') return undefined;
  let info = '';
  const asked = redis.info('persistence').then((text) => {
    info = text;
  });
  await inTime(asked, answerTimeoutMs);
  if (!/^loading:1/m.test(info)) return undefined;
  const field = (name: string): string => new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? '?';
  return `${field('loading_loaded_perc')} %, about ${field('loading_eta_seconds')} s left`;
}
