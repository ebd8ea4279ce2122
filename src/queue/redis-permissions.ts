import type { Redis } from 'ioredis';
import { z } from 'zod';
import { SettingsError } from '../fleet/errors.ts';

/**
 * Every command that fleetbot and BullMQ use, as ACL rules name them; those that every user may (HELLO, AUTH)
 * and those that may fail (CONFIG, CLIENT) are not here. What is not followed by arguments takes keys or
 * channels.
 */
export const neededCommands: readonly string[] = [
  ...['get', 'set', 'incr', 'mget', 'del', 'exists', 'persist', 'pexpire', 'pttl', 'rename'],
  ...['hdel', 'hexists', 'hget', 'hgetall', 'hincrby', 'hlen', 'hmget', 'hmset', 'hset', 'hsetnx', 'hvals'],
  ...[
    'lindex',
    'linsert',
    'llen',
    'lpop',
    'lpos',
    'lpush',
    'lrange',
    'lrem',
    'ltrim',
    'rpop',
    'rpoplpush',
    'rpush',
  ],
  ...['sadd', 'scard', 'smembers', 'srem', 'xadd', 'xlen', 'xrange', 'xrevrange', 'xtrim'],
  ...['bzpopmin', 'zadd', 'zcard', 'zpopmin', 'zrange', 'zrangebyscore', 'zrem', 'zremrangebyrank'],
  ...['zremrangebyscore', 'zrevrange', 'zrevrangebyscore', 'zscore'],
  ...['publish', 'subscribe', 'unsubscribe'],
  ...['eval - 0', 'evalsha - 0', 'script|exists -', 'script|load -', 'multi -', 'exec -'],
  ...['ping -', 'time -', 'info -', 'command|info -', 'waitaof 1 0 0'],
];

/** How many commands a message names. */
const namedAtMost = 12;

/**
 * ARGV: a key, then commands. Returns those that this user may not run on that key. `redis.acl_check_cmd` is
 * there since Redis 7.0, and throws on a command that the server does not have.
 */
const script = `
if not redis.acl_check_cmd then return {} end
local missing = {}
for i = 2, #ARGV do
  local name, rest = string.match(ARGV[i], '^(%S+)(.*)$')
  local words = {}
  for word in string.gmatch(name, '[^|]+') do words[#words + 1] = word end
  for word in string.gmatch(rest == '' and string.rep(' ' .. ARGV[1], 3) or rest, '%S+') do words[#words + 1] = word end
  local known, allowed = pcall(redis.acl_check_cmd, unpack(words))
  if known and not allowed then missing[#missing + 1] = name end
end
return missing`;

const missingReply = z.array(z.string());

/**
 * Lets nobody start whom Redis would stop in the middle of a script. Before Redis 7.0 it cannot be asked.
 * @throws SettingsError that names the commands and the rule that allows them
 */
export async function checkPermissions(redis: Redis, prefix: string): Promise<void> {
  const missing = missingReply.parse(await redis.eval(script, 0, `${prefix}:any`, ...neededCommands));
  if (missing.length === 0) return;
  const user = redis.options.username || 'default';
  const named = missing.slice(0, namedAtMost).join(', ');
  const more = missing.length > namedAtMost ? ` and ${missing.length - namedAtMost} more` : '';
  const rules = [`~${prefix}:*`, `&${prefix}:*`, ...missing.map((name) => `+${name}`)].join(' ');
  throw new SettingsError(
    `The Redis user ${user} may not run ${named}${more} on keys and channels that begin with "${prefix}:". Allow it with: ACL SETUSER ${user} ${rules} (all that is needed: deploy/redis/users.acl).`,
  );
}
