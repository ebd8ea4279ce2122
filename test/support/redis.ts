import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '../../src/sandbox/redis-server.ts';

/** A real Redis server for one test file: own data folder, free loopback port. */
export interface TestRedis {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** SIGKILL: what was not written to disk is lost. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data folder. */
  restart(): Promise<void>;
  /** Ends it and removes its data folder. */
  stop(): Promise<void>;
}

/** Starts one. Installs the distribution's Redis where there is none; fails with the package's name. */
export async function startTestRedis(
  options: { readonly appendfsync?: 'always' | 'everysec' } = {},
): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetbot-redis-'));
  const all = { folder, tell: (line: string) => void process.stderr.write(`${line}\n`), ...options };
  let server: RedisServer = await startRedis(all);
  return {
    url: server.url,
    port: server.port,
    get pid() {
      return server.pid;
    },
    async kill() {
      process.kill(server.pid, 'SIGKILL');
      await server.stop();
    },
    async restart() {
      server = await startRedis({ ...all, port: server.port });
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
