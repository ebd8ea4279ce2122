import type { Redis } from 'ioredis';
import { type RedisPlace, rows } from './redis-trouble-table.ts';

/** What is wrong with a Redis or the way to it. */
export interface RedisTrouble {
  /** Stable, for logs and tests. */
  readonly kind: string;
  /** What happened and what to do, with the original words in brackets. */
  readonly message: string;
  /** No patience cures it: something is set wrongly. */
  readonly final: boolean;
}

const cure = 'Check REDIS_URL and that Redis runs.';
const login = 'user and password in REDIS_URL, or REDIS_USERNAME and REDIS_PASSWORD';
const somewhere: RedisPlace = { server: 'Redis', cure, login, tls: false };

/** What an error of ioredis or an answer of Redis means to an operator; undefined for what no operator cures. */
export function redisTrouble(error: unknown, place: RedisPlace = somewhere): RedisTrouble | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error ? String(error.code) : '';
  for (const { kind, says, tell, final = false } of rows) {
    const match = says.exec(`${code} ${error.message}`);
    if (match) return { kind, message: `${sentence(tell(place, match))} (${oneLine(error.message)})`, final };
  }
  return undefined;
}

/** Where a connection leads. */
export function placeOf(redis: Redis, answered = false): RedisPlace {
  const { host, port, tls, sentinels, name } = redis.options;
  return {
    server: sentinels ? `the Redis primary "${name}"` : `Redis at ${host}:${port}`,
    cure: sentinels ? 'Check that it runs, and what address the sentinels announce.' : cure,
    login,
    tls: tls !== undefined,
    ...(sentinels && {
      sentinels: {
        hosts: sentinels.map((each) => `${each.host}:${each.port}`).join(', '),
        master: name ?? '',
      },
    }),
    answered,
  };
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** OpenSSL ends its sentences with a line break, and begins them with a thread's number. */
function oneLine(message: string): string {
  return message.replace(/^[0-9A-F]{8,}:/, '').trim();
}
