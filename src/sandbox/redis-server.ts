import { execFile, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, open, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { FleetbotError } from '../fleet/errors.ts';
import { freePort } from './free-port.ts';

const run = promisify(execFile);

const installTimeoutMs = 300_000;
const startTimeoutMs = 20_000;
const stopTimeoutMs = 5_000;
const pollMs = 20;
const pingTimeoutMs = 1_000;
const startAttempts = 3;

/** How to run a server: the file, and the name it must be called by. */
export interface RedisBinary {
  readonly file: string;
  readonly argv0: string;
}

/** A server of our own: a child process on loopback with its own data folder. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Ends it: SIGTERM, and SIGKILL when it has not ended after 5 s. Its data folder stays. */
  stop(): Promise<void>;
}

/**
 * Server and check tool are one program that looks at the name it is called by (Redis `server.c`, `main`).
 * Debian's `redis-tools` holds it as `redis-check-rdb`, without the service that `redis-server` adds.
 */
const candidates: readonly RedisBinary[] = [
  { file: 'valkey-server', argv0: 'valkey-server' },
  { file: 'redis-server', argv0: 'redis-server' },
  { file: 'valkey-check-rdb', argv0: 'valkey-server' },
  { file: 'redis-check-rdb', argv0: 'redis-server' },
];

/**
 * Ways to install a server that leave no service running: `redis-tools` has none, dnf starts none, brew
 * starts none unless told. Each step is tried only when the one before it failed.
 */
const installers = [
  {
    tool: 'apt-get',
    packageName: 'redis-tools',
    needsRoot: true,
    attempts: [
      [['install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120', 'redis-tools']],
      [
        ['update', '-o', 'DPkg::Lock::Timeout=120'],
        ['install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120', 'redis-tools'],
      ],
    ],
  },
  {
    tool: 'dnf',
    packageName: 'valkey or redis',
    needsRoot: true,
    attempts: [[['install', '-y', 'valkey']], [['install', '-y', 'redis']]],
  },
  { tool: 'brew', packageName: 'valkey', needsRoot: false, attempts: [[['install', 'valkey']]] },
];

const cure =
  'Install the package redis-server (Debian, Ubuntu), valkey or redis (Fedora, RHEL) or valkey (brew), or set REDIS_URL to a running server.';

/**
 * Finds a Redis or Valkey server on PATH, or else installs the distribution's package. The person is told on
 * one line before anything is installed.
 * @throws FleetbotError `redis-missing`, which names the package to install
 */
export async function ensureRedisBinary(options: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly tell: (line: string) => void;
}): Promise<RedisBinary> {
  const path = options.env.PATH ?? '';
  const present = await findServer(path);
  if (present !== undefined) return present;

  for (const installer of installers) {
    const tool = await findFile(path, installer.tool);
    if (tool === undefined) continue;
    const root = installer.needsRoot ? await rootPrefix() : [];
    if (root === undefined) break;
    options.tell(
      `Redis is missing: installing ${installer.packageName} with ${installer.tool} (no service).`,
    );
    const failure = await install(installer.attempts.map((steps) => steps.map((s) => [...root, tool, ...s])));
    const installed = await findServer(path);
    if (installed !== undefined) return installed;
    throw new FleetbotError(
      'redis-missing',
      `${installer.tool} could not install ${installer.packageName}. ${cure}`,
      { cause: failure },
    );
  }
  throw new FleetbotError('redis-missing', `There is no Redis server on PATH. ${cure}`);
}

/**
 * Finds or installs a server and starts it on 127.0.0.1 with its own data folder, everything on disk before it is confirmed
 * (`appendfsync always`) and nothing evicted. No configuration file is read or written. It runs in its own
 * process group, so that Ctrl-C in a terminal leaves its end to `stop`. Resolves when it answers.
 * @throws FleetbotError `redis-missing`, or `redis-failed` with the end of its log
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
  const logFile = join(folder, 'redis.log');
  const log = await open(logFile, 'w');
  const child = spawn(
    binary.file,
    [
      ...['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--daemonize', 'no'],
      ...['--appendonly', 'yes', '--appendfsync', appendfsync, '--save', ''],
      ...['--maxmemory-policy', 'noeviction'],
    ],
    { argv0: binary.argv0, stdio: ['ignore', log.fd, log.fd], detached: true },
  );
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  let ended = false;
  const end = new Promise<void>((resolve) => {
    const onEnd = (): void => {
      ended = true;
      process.off('exit', killWithUs);
      resolve();
    };
    child.once('exit', onEnd).once('error', onEnd);
  });
  await log.close();

  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const killer = setTimeout(killWithUs, stopTimeoutMs);
    await end;
    clearTimeout(killer);
  };

  const deadline = Date.now() + startTimeoutMs;
  while (!ended && Date.now() < deadline) {
    // The process id proves that it is our server that answers, not another one on that port.
    if (child.pid !== undefined && (await serverProcess(port)) === child.pid) {
      return { url: `redis://127.0.0.1:${port}`, port, pid: child.pid, stop };
    }
    await sleep(pollMs);
  }
  await stop();
  const lastLines = (await readFile(logFile, 'utf8')).trim().split('\n').slice(-3).join(' ');
  throw new FleetbotError(
    'redis-failed',
    `${binary.file} did not start on 127.0.0.1:${port}. The end of ${logFile}: ${lastLines}`,
  );
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

async function findServer(path: string): Promise<RedisBinary | undefined> {
  for (const { file, argv0 } of candidates) {
    const found = await findFile(path, file);
    if (found !== undefined) return { file: found, argv0 };
  }
  return undefined;
}

async function findFile(path: string, name: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    if (folder === '') continue;
    const file = join(folder, name);
    const usable = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return file;
  }
  return undefined;
}

/** What to put before a command to run it as root; undefined when that needs a password. */
async function rootPrefix(): Promise<string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  return run('sudo', ['-n', 'true']).then(
    () => ['sudo', '-n'],
    () => undefined,
  );
}

/** Tries the attempts until one succeeds. Returns the last error when none did. */
async function install(attempts: readonly (readonly (readonly string[])[])[]): Promise<unknown> {
  let failure: unknown;
  for (const steps of attempts) {
    try {
      for (const [command = '', ...args] of steps) {
        await run(command, args, {
          timeout: installTimeoutMs,
          env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
        });
      }
      return undefined;
    } catch (error) {
      failure = error;
    }
  }
  return failure;
}
