import { pino } from 'pino';
import { lockFile } from '../../../src/queue/file-lock.ts';
import type { SpoolFolder } from '../../../src/telemetry/spool/spool.ts';

const options = {
  voidAfterMs: 60_000,
  amongContainers: true,
  clock: Date.now,
  log: pino({ level: 'silent' }),
};

/** The spool's settings, with the locks of the product. */
export function diskOf(folder: string, maxBytes = 64 * 1024 * 1024): SpoolFolder {
  return { folder, maxBytes, lockFile: async (path) => (await lockFile(path, options)).lock };
}
