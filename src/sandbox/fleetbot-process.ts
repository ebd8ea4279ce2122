import { join } from 'node:path';
import { type ChildProcess, startChild } from './child-process.ts';

const readyTimeoutMs = 30_000;

/**
 * Starts fleetbot itself as `npm start` does: the production path with settings for the sandbox. Ready when
 * its own health page says so: Slack connected, Redis answering, fleet file loaded.
 */
export function startFleetbot(
  settings: Readonly<Record<string, string>>,
  healthPort: number,
  folder: string,
): Promise<ChildProcess> {
  return startChild({
    name: 'fleetbot',
    argv: [process.execPath, join(import.meta.dirname, '../main.ts'), 'start'],
    env: { ...settings, FLEETBOT_HEALTH_PORT: String(healthPort) },
    cwd: folder,
    logFile: join(folder, 'fleetbot.log'),
    readyTimeoutMs,
    ready: async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok,
  });
}
