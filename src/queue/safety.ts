import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { z } from 'zod';
import { StoreUnsafeError } from '../fleet/errors.ts';
import type { QueueSettings } from './queue-settings.ts';
import { checkPermissions } from './redis-permissions.ts';

/** What BullMQ and our scripts need (`ZADD … LT`). */
export const minimumRedisVersion = '6.2.0';

/**
 * What makes a confirmed write safe on disk: `waitaof`, a command after it; `always`, the server's own
 * fsync before each answer; `none`, nothing (only with `allowUnsafe`).
 */
export type Durability = 'waitaof' | 'always' | 'none';

/** What is wrong with a server, as sentences with their cure, and what could not be found out. */
export interface SafetyReport {
  readonly durability: Durability;
  readonly problems: readonly string[];
  readonly unchecked: readonly string[];
}

/** How long the key stays that is written to see whether writes are taken. */
const probeKeptMs = 1_000;

/** Looks at the server's version, role, eviction policy and persistence. */
export async function inspectSafety(redis: Redis): Promise<SafetyReport> {
  const info = parseInfo(await redis.info());
  const problems: string[] = [];
  const unchecked: string[] = [];

  const version = info.get('redis_version') ?? '0';
  if (isOlder(version, minimumRedisVersion)) {
    problems.push(`Redis is version ${version}. Install ${minimumRedisVersion} or newer, or Valkey.`);
  }
  if (info.get('role') === 'slave') {
    problems.push('It is a replica. Let REDIS_URL name the primary, or set FLEETBOT_REDIS_SENTINELS.');
  }
  const policy = info.get('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    problems.push(`maxmemory-policy is ${policy}: Redis may throw requests away. Set it to noeviction.`);
  }
  const onDisk = info.get('aof_enabled') === '1';
  if (!onDisk) problems.push('appendonly is off: a restart loses requests. Set appendonly yes.');

  const canWait = await knowsWaitaof(redis);
  const need = canWait ? 'everysec or always' : 'always (or use Redis 7.2 or newer, or Valkey)';
  const fsync = await readConfig(redis, 'appendfsync');
  if (fsync === undefined) {
    unchecked.push(`appendfsync could not be read, because this Redis forbids CONFIG. It must be ${need}`);
  } else if (canWait ? fsync === 'no' : fsync !== 'always') {
    problems.push(`appendfsync is ${fsync}: a power loss loses confirmed requests. Set it to ${need}.`);
  }

  const safe = onDisk && (fsync === undefined || fsync !== 'no');
  return { durability: safe ? (canWait ? 'waitaof' : 'always') : 'none', problems, unchecked };
}

/**
 * Lets nobody start on a server that would lose what was promised, or would not take it: whatever it refuses
 * of a write rejects as it is.
 * @throws StoreUnsafeError with every problem and its cure, unless `allowUnsafe`
 * @throws SettingsError when the user may not do what is needed
 */
export async function checkSafety(
  redis: Redis,
  { allowUnsafe, prefix }: Pick<QueueSettings, 'allowUnsafe' | 'prefix'>,
  log: Logger,
): Promise<Durability> {
  await checkPermissions(redis, prefix);
  const { durability, problems, unchecked } = await inspectSafety(redis);
  for (const text of unchecked) log.warn(text);
  if (problems.length > 0 && !allowUnsafe) {
    throw new StoreUnsafeError(`This Redis is not safe to use. ${problems.join(' ')}`);
  }
  for (const text of problems) log.warn(`Unsafe Redis, allowed by a setting: ${text}`);
  await redis.set(`${prefix}:probe`, '', 'PX', probeKeptMs);
  return durability;
}

function parseInfo(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

function isOlder(version: string, minimum: string): boolean {
  return version.localeCompare(minimum, 'en', { numeric: true }) < 0;
}

/** `COMMAND INFO` answers nil for a command that the server does not have. */
async function knowsWaitaof(redis: Redis): Promise<boolean> {
  const reply: unknown = await redis.call('COMMAND', 'INFO', 'WAITAOF');
  return Array.isArray(reply) && Array.isArray(reply[0]);
}

/** undefined where the server (a managed one) forbids CONFIG. */
async function readConfig(redis: Redis, name: string): Promise<string | undefined> {
  const reply: unknown = await redis.config('GET', name).catch(() => undefined);
  return z.tuple([z.string(), z.string()]).safeParse(reply).data?.[1];
}
