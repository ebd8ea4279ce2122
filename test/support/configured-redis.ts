import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChildProcess, startChild } from '../../src/sandbox/child-process.ts';
import { freePort } from '../../src/sandbox/free-port.ts';
import { ensureRedisBinary } from '../../src/sandbox/redis-binary.ts';

const timeouts = { readyTimeoutMs: 20_000, stopTimeoutMs: 5_000 };

export interface ConfiguredRedis {
  readonly port: number;
  readonly folder: string;
  readonly child: ChildProcess;
  /** SIGKILL, and its end. */
  kill(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

export interface ConfiguredRedisOptions {
  /** Lines of its configuration, besides address and folder. May name `files`: they stand in its folder. */
  readonly config: readonly string[];
  /** Name → content. */
  readonly files?: Readonly<Record<string, string>>;
  readonly port?: number;
  readonly sentinel?: boolean;
  /** Speaks nothing but TLS; the configuration says with what certificates. */
  readonly tls?: boolean;
}

/** A real Redis, or a Redis Sentinel, with a configuration of one's own, on a free loopback port. */
export async function startConfiguredRedis(options: ConfiguredRedisOptions): Promise<ConfiguredRedis> {
  const binary = await ensureRedisBinary({
    env: process.env,
    tell: (line) => void process.stderr.write(`${line}\n`),
  });
  const folder = await mkdtemp(join(tmpdir(), 'fleetbot-redis-'));
  const port = options.port ?? (await freePort());
  const file = join(folder, 'redis.conf');
  const lines = [
    'bind 127.0.0.1',
    `${options.tls ? 'port 0\ntls-port' : 'port'} ${port}`,
    `dir ${folder}`,
    'daemonize no',
    ...options.config,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  for (const [name, content] of Object.entries(options.files ?? {}))
    await writeFile(join(folder, name), content);
  const child = await startChild({
    name: options.sentinel ? 'Redis Sentinel' : 'Redis',
    argv: [binary.file, file, ...(options.sentinel ? ['--sentinel'] : [])],
    argv0: binary.argv0,
    cwd: folder,
    logFile: join(folder, 'redis.log'),
    ...timeouts,
    ready: () => answers(port, options.tls ? '' : 'PING\r\n'),
  });
  return {
    ...{ port, folder, child },
    async kill() {
      process.kill(child.pid, 'SIGKILL');
      await child.ended;
    },
    async stop() {
      await child.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Whether something listens on the port and, where it is told something, answers, if only with a refusal. */
function answers(port: number, words: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (ready: boolean): void => {
      socket.destroy();
      resolve(ready);
    };
    socket.once('connect', () => (words === '' ? end(true) : socket.write(words)));
    socket.once('data', (data) => end(/^[+-]/.test(data.toString('latin1'))));
    socket.once('error', () => end(false));
  });
}
