import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { startChild } from './child-process.ts';
import { freePort } from './free-port.ts';
import { ensureRedisBinary, type RedisBinary } from './redis-binary.ts';

const readyTimeoutMs = 20_000;
const stopTimeoutMs = 5_000;
const pingTimeoutMs = 1_000;
const startAttempts = 3;

/** A server of our own: a child process on loopback with its own data folder. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Ends it: SIGTERM, and SIGKILL when it has not ended after 5 s. Its data folder stays. */
  stop(): Promise<void>;
}

/**
 * Finds or installs a server and starts it on 127.0.0.1 with its own data folder, everything on disk before
 * it is confirmed (`appendfsync always`) and nothing evicted. No configuration file is read or written.
 * Resolves when it answers.
 * @throws FleetbotError `redis-missing`
 * @throws SandboxError with the end of its log
 */
export async function startRedis(options: {
  readonly folder: string;
  readonly tell: (line: string) => void;
  /** A free port when not given. */
  readonly port?: number;
  readonly appendfsync?: 'always' | 'everysec';
}): Promise<RedisServer> {
  const binary = await ensureRedisBinary({ env: process.env, tell: options.tell });
  await mkdir(options.folder, { recursive: true });
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    try {
      return await startOn(port, binary, options.folder, options.appendfsync ?? 'always');
    } catch (error) {
      // Somebody else may have taken the free port between our look and the server's bind.
      if (options.port !== undefined || attempt === startAttempts) throw error;
    }
  }
}

async function startOn(
  port: number,
  binary: RedisBinary,
  folder: string,
  appendfsync: string,
): Promise<RedisServer> {
  const child = await startChild({
    name: 'Redis',
    argv: [
      binary.file,
      ...['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--daemonize', 'no'],
      ...['--appendonly', 'yes', '--appendfsync', appendfsync, '--save', ''],
      ...['--maxmemory-policy', 'noeviction'],
    ],
    argv0: binary.argv0,
    cwd: folder,
    logFile: join(folder, 'redis.log'),
    readyTimeoutMs,
    stopTimeoutMs,
    // The process id proves that it is our server that answers, not another one on that port.
    ready: async ({ pid }) => (await serverProcess(port)) === pid,
  });
  return { url: `redis://127.0.0.1:${port}`, port, pid: child.pid, stop: child.stop };
}

/** The process id that the server on this port tells; undefined while it does not answer or still loads. */
async function serverProcess(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ host: '127.0.0.1', port });
    socket.setEncoding('utf8').setTimeout(pingTimeoutMs);
    const finish = (): void => {
      socket.destroy();
      const pid = /^process_id:(\d+)/m.exec(text)?.[1];
      resolve(text.includes('+PONG') && pid !== undefined ? Number(pid) : undefined);
    };
    socket.once('connect', () => socket.write('PING\r\nINFO server\r\nQUIT\r\n'));
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.once('close', finish).once('error', finish).once('timeout', finish);
  });
}
