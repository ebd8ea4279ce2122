import type { Environment } from './environment.ts';

/** Where Redis is, and how it is used. */
export interface RedisSettings {
  readonly url: string;
  readonly prefix: string;
  readonly allowUnsafe: boolean;
  /** What the URL does not say. */
  readonly access: {
    readonly username?: string;
    readonly password?: string;
    /** PEM. */
    readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
    readonly sentinels?: {
      readonly hosts: readonly { readonly host: string; readonly port: number }[];
      readonly master: string;
      readonly password?: string;
    };
  };
}

type NeededName =
  | 'REDIS_URL'
  | 'REDIS_PASSWORD'
  | 'FLEETBOT_REDIS_CERT'
  | 'FLEETBOT_REDIS_KEY'
  | 'FLEETBOT_REDIS_SENTINEL_MASTER';

/** Stands in a URL whose host nobody connects to. */
const noHost = 'sentinels';

/** The settings of Redis; what contradicts itself is added to `problems`. `told`: what is known to be unusable. */
export function redisSettings(
  env: Environment,
  need: (name: NeededName) => string,
  problems: string[],
  told: ReadonlySet<string>,
): RedisSettings {
  const { REDIS_USERNAME: username, REDIS_PASSWORD: password } = env;
  // An unusable list is told already; that there is one still counts.
  const hosts = told.has('FLEETBOT_REDIS_SENTINELS') ? [] : env.FLEETBOT_REDIS_SENTINELS;
  const sentinels = sentinelsOf(env, hosts, need, problems);
  const tls = tlsOf(env, need);
  const own = sentinels && env.REDIS_URL === undefined;
  const url = own ? `${tls ? 'rediss' : 'redis'}://${noHost}` : need('REDIS_URL');
  const address = URL.parse(url);
  if (tls && address?.protocol === 'redis:') {
    problems.push(
      'FLEETBOT_REDIS_CA, FLEETBOT_REDIS_CERT or FLEETBOT_REDIS_KEY is set, but REDIS_URL begins with redis://, which is without TLS. Write rediss://, or remove them.',
    );
  }
  const hasLogin = address !== null && address.username + address.password !== '';
  if (hasLogin && (username !== undefined || password !== undefined)) {
    problems.push(
      'REDIS_URL holds a login, and REDIS_USERNAME or REDIS_PASSWORD is set. Remove one of the two.',
    );
  }
  return {
    url,
    prefix: env.FLEETBOT_REDIS_PREFIX,
    allowUnsafe: env.FLEETBOT_REDIS_ALLOW_UNSAFE,
    access: {
      ...(username !== undefined && { username, password: need('REDIS_PASSWORD') }),
      ...(password !== undefined && { password }),
      ...(tls && { tls }),
      ...(sentinels && { sentinels }),
    },
  };
}

type Access = RedisSettings['access'];

function tlsOf(env: Environment, need: (name: NeededName) => string): Access['tls'] {
  const { FLEETBOT_REDIS_CA: ca, FLEETBOT_REDIS_CERT: cert, FLEETBOT_REDIS_KEY: key } = env;
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  const hasOwn = cert !== undefined || key !== undefined;
  return {
    ...(ca !== undefined && { ca }),
    ...(hasOwn && { cert: need('FLEETBOT_REDIS_CERT'), key: need('FLEETBOT_REDIS_KEY') }),
  };
}

function sentinelsOf(
  env: Environment,
  hosts: Environment['FLEETBOT_REDIS_SENTINELS'],
  need: (name: NeededName) => string,
  problems: string[],
): Access['sentinels'] {
  const { FLEETBOT_REDIS_SENTINEL_PASSWORD: password } = env;
  if (hosts === undefined) {
    if (env.FLEETBOT_REDIS_SENTINEL_MASTER !== undefined || password !== undefined) {
      problems.push(
        'FLEETBOT_REDIS_SENTINEL_MASTER or FLEETBOT_REDIS_SENTINEL_PASSWORD is set, but no sentinel. Set FLEETBOT_REDIS_SENTINELS, or remove them.',
      );
    }
    return undefined;
  }
  const master = need('FLEETBOT_REDIS_SENTINEL_MASTER');
  return { hosts, master, ...(password !== undefined && { password }) };
}
