import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { FleetbotError } from '../fleet/errors.ts';

const run = promisify(execFile);

const installTimeoutMs = 300_000;

/** How to run a server: the file, and the name it must be called by. */
export interface RedisBinary {
  readonly file: string;
  readonly argv0: string;
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

  let notTried = '';
  for (const { tool: toolName, packageName, needsRoot, attempts } of installers) {
    const tool = await findFile(path, toolName);
    if (tool === undefined) continue;
    const root = needsRoot ? await rootPrefix() : [];
    if (root === undefined) {
      notTried = ` Installing ${packageName} with ${toolName} was not tried: you are not root, and sudo is missing or asks for a password.`;
      continue;
    }
    options.tell(`Redis is missing: installing ${packageName} with ${toolName} (no service) …`);
    const failure = await install(attempts.map((steps) => steps.map((step) => [...root, tool, ...step])));
    const installed = await findServer(path);
    if (installed !== undefined) return installed;
    const names = candidates.map(({ file }) => file).join(', ');
    const problem =
      failure === undefined
        ? `${toolName} says that ${packageName} is installed, but none of ${names} is on PATH. Add their folder to PATH, or set REDIS_URL to a running server.`
        : `${toolName} could not install ${packageName}. ${cure}`;
    throw new FleetbotError('redis-missing', problem, { cause: failure });
  }
  throw new FleetbotError('redis-missing', `There is no Redis server on PATH.${notTried} ${cure}`);
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
