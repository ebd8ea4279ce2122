import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { RedisOptions } from 'ioredis';
import { SettingsError } from '../fleet/errors.ts';

/** How Redis is reached, beyond what its URL says. */
export interface RedisAccess {
  /** With `password`; a URL with a login of its own wins. */
  readonly username?: string;
  readonly password?: string;
  /** For `rediss://`, PEM: authorities other than Node's, and what this side shows of itself. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Who is asked where the primary is; host and port of the URL are not used then. */
  readonly sentinels?: {
    readonly hosts: readonly SentinelHost[];
    /** What the sentinels call the primary: `sentinel monitor NAME …`. */
    readonly master: string;
    readonly password?: string;
  };
}

export interface SentinelHost {
  readonly host: string;
  readonly port: number;
}

/** ioredis overloads its constructor by this one option. */
export type ConnectionOptions = Omit<RedisOptions, 'replyMapping'>;

/** One attempt to connect, TLS included; and one answer of a sentinel. */
const attemptTimeoutMs = 3_000;
const sentinelRetryStepMs = 100;
const sentinelRetryMaxMs = 1_000;

/**
 * The options of a connection that follow from how Redis is reached.
 * @throws SettingsError for a certificate or key that cannot be used
 */
export function accessOptions(url: string, access: RedisAccess): ConnectionOptions {
  const { username, password, sentinels } = access;
  const tls = new URL(url).protocol === 'rediss:' ? { tls: tlsOptions(url, access) } : {};
  return {
    connectTimeout: attemptTimeoutMs,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...tls,
    ...(sentinels && {
      sentinels: [...sentinels.hosts],
      name: sentinels.master,
      ...(sentinels.password !== undefined && { sentinelPassword: sentinels.password }),
      sentinelCommandTimeout: attemptTimeoutMs,
      sentinelRetryStrategy: (attempt: number) => Math.min(attempt * sentinelRetryStepMs, sentinelRetryMaxMs),
      ...(tls.tls && { sentinelTLS: tls.tls, enableTLSForSentinelMode: true }),
    }),
  };
}

/** The server's certificate is verified in any case, against the name or address that is connected to. */
function tlsOptions(url: string, { tls = {}, sentinels }: RedisAccess): NonNullable<RedisOptions['tls']> {
  const { hostname } = new URL(url);
  // Sent to the server too, as routers before it want; TLS knows no addresses there (RFC 6066, section 3).
  const named = sentinels === undefined && isIP(hostname.replace(/^\[|\]$/g, '')) === 0;
  try {
    return { secureContext: createSecureContext(tls), ...(named && { servername: hostname }) };
  } catch (error) {
    throw new SettingsError(
      `The certificates for Redis cannot be used: FLEETBOT_REDIS_CA and FLEETBOT_REDIS_CERT must be certificates in PEM format, and FLEETBOT_REDIS_KEY the unencrypted private key that belongs to the second (${error instanceof Error ? error.message : error}).`,
      { cause: error },
    );
  }
}
