/** Where an error came from, in words for messages. */
export interface RedisPlace {
  /** `Redis at HOST:PORT`; with sentinels, by the primary's name. */
  readonly server: string;
  /** Completes what is said of an address that leads nowhere. */
  readonly cure: string;
  /** Where the login comes from. */
  readonly login: string;
  readonly tls: boolean;
  /** With sentinels: `HOST:PORT, …`, and what they call the primary. */
  readonly sentinels?: { readonly hosts: string; readonly master: string };
  /** This connection was in use before. */
  readonly answered?: boolean;
}

/** One kind of trouble. */
export interface Row {
  /** Stable, for logs and tests. */
  readonly kind: string;
  /** Matched against the error's code and message. */
  readonly says: RegExp;
  readonly tell: (place: RedisPlace, match: RegExpExecArray) => string;
  /** No patience cures it: something is set wrongly. */
  readonly final?: true;
}

/** Sentences of ioredis' SentinelConnector; they hold the last sentinel's words, so they come first. */
const sentinelRows: readonly Row[] = [
  {
    kind: 'sentinel-master-unknown',
    says: /All sentinels are unreachable.*No such master/s,
    tell: ({ sentinels }) =>
      `The sentinels ${sentinels?.hosts} know no primary named "${sentinels?.master}". Set FLEETBOT_REDIS_SENTINEL_MASTER to the name in their "sentinel monitor NAME …".`,
    final: true,
  },
  {
    kind: 'sentinel-login',
    says: /All sentinels are unreachable.*(?:WRONGPASS|NOAUTH|NOPERM)/s,
    tell: ({ sentinels }) =>
      `The sentinels ${sentinels?.hosts} refused the login. Set FLEETBOT_REDIS_SENTINEL_PASSWORD to their requirepass; it need not be that of Redis.`,
    final: true,
  },
  {
    kind: 'sentinels-unreachable',
    says: /All sentinels are unreachable/,
    tell: ({ sentinels, tls }) =>
      `None of the sentinels ${sentinels?.hosts} could be asked. Check FLEETBOT_REDIS_SENTINELS, that they run${tls ? ', and that they speak TLS as Redis does' : ', and whether they want TLS: REDIS_URL then begins with rediss://'}.`,
  },
];

const tlsRows: readonly Row[] = [
  {
    kind: 'tls-authority',
    says: /SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT|CERT_SIGNATURE_FAILURE/,
    tell: ({ server }) =>
      `The certificate of ${server} is signed by an authority that is not trusted here. Set FLEETBOT_REDIS_CA_FILE to that authority's certificate.`,
    final: true,
  },
  {
    kind: 'tls-expired',
    says: /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/,
    tell: ({ server }) =>
      `The certificate of ${server} is not valid now. Renew it, or correct the clock of this computer.`,
    final: true,
  },
  {
    kind: 'tls-name',
    says: /ERR_TLS_CERT_ALTNAME_INVALID/,
    tell: ({ server, sentinels }) =>
      `The certificate of ${server} is for another name. Have it issued for the name or address that is connected to, or ${sentinels ? 'let the sentinels announce names that it holds (resolve-hostnames and announce-hostnames)' : 'use a name in REDIS_URL that it holds'}.`,
    final: true,
  },
  {
    kind: 'tls-client-missing',
    says: /ALERT_CERTIFICATE_REQUIRED|ALERT_HANDSHAKE_FAILURE/,
    tell: ({ server }) =>
      `${server} wants a client certificate. Set FLEETBOT_REDIS_CERT_FILE and FLEETBOT_REDIS_KEY_FILE.`,
    final: true,
  },
  {
    kind: 'tls-client-refused',
    says: /ERR_SSL_\w*ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|DECRYPT_ERROR|ACCESS_DENIED)/,
    tell: ({ server }) =>
      `${server} refused the client certificate. FLEETBOT_REDIS_CERT_FILE must hold one that is valid now and signed by an authority that the server trusts (its tls-ca-cert-file); restart fleetbot when it is renewed.`,
    final: true,
  },
  {
    kind: 'tls-not-spoken',
    says: /ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG|ERR_SSL_UNEXPECTED_MESSAGE/,
    tell: ({ server }) =>
      `${server} does not speak TLS on this port. Use its TLS port, or redis:// in REDIS_URL.`,
    final: true,
  },
  {
    kind: 'tls',
    says: /ERR_SSL_|ERR_TLS_|ERR_OSSL_/,
    tell: ({ server }) => `TLS with ${server} failed. Compare the TLS settings of both sides.`,
  },
];

const loginRows: readonly Row[] = [
  {
    kind: 'login',
    says: /WRONGPASS|NOAUTH/,
    tell: ({ server, login }) => `${server} refused the login: check ${login}.`,
    final: true,
  },
  {
    kind: 'permission',
    says: /NOPERM.*?'([^']+)' command|NOPERM|The user executing the script can't run/s,
    tell: (_, [, command]) =>
      command === undefined
        ? 'The user may not do this in Redis. Give it the rules of deploy/redis/users.acl.'
        : `The user may not run ${command} in Redis. Allow it with "ACL SETUSER <user> +${command}", or give the user the rules of deploy/redis/users.acl.`,
    final: true,
  },
  {
    kind: 'database',
    says: /DB index is out of range|invalid DB index/,
    tell: () => 'Redis does not have the database that REDIS_URL names. Correct the number at its end.',
    final: true,
  },
  {
    kind: 'protected',
    says: /DENIED Redis is running in protected mode/,
    tell: ({ server }) =>
      `${server} is in protected mode and answers only its own computer. Give it a user with a password.`,
    final: true,
  },
];

const networkRows: readonly Row[] = [
  {
    kind: 'refused',
    says: /ECONNREFUSED/,
    tell: (place) => `${place.server} refused the connection: nothing listens there. ${place.cure}`,
  },
  {
    kind: 'host-unknown',
    says: /ENOTFOUND|EAI_AGAIN/,
    tell: (place) => `The host name of ${place.server} could not be looked up. ${place.cure}`,
  },
  {
    kind: 'no-answer',
    says: /ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|Socket timeout|Command timed out/,
    tell: (place) =>
      `${place.server} gave no answer. ${place.cure} A firewall may be between${place.tls ? ', or the port is one without TLS' : ''}.`,
  },
  {
    kind: 'broken',
    says: /ECONNRESET|EPIPE|before secure TLS connection was established/,
    tell: (place) =>
      place.answered
        ? `The connection to ${place.server} broke.`
        : `${place.server} closes the connection at once. ${place.tls ? 'It may want a client certificate (FLEETBOT_REDIS_CERT_FILE and FLEETBOT_REDIS_KEY_FILE), or no TLS on this port (redis:// in REDIS_URL)' : 'It may want TLS on this port (rediss:// in REDIS_URL)'}, or have as many clients as maxclients allows.`,
  },
  {
    kind: 'not-redis',
    says: /Unknown RESP type|Protocol error, got/,
    tell: (place) => `What answers as ${place.server} is not Redis. ${place.cure}`,
    final: true,
  },
];

/** What a server that can be reached says to a command, and to every other one until it is cured. */
const stateRows: readonly Row[] = [
  {
    kind: 'too-many-clients',
    says: /max number of clients reached/,
    tell: ({ server }) =>
      `${server} has as many clients as it allows. Raise maxclients there, or see with CLIENT LIST who holds so many.`,
  },
  {
    kind: 'loading',
    says: /\bLOADING\b/,
    tell: ({ server }) => `${server} is loading its data. Wait until it has.`,
  },
  {
    kind: 'replica',
    says: /\bREADONLY\b|\bMASTERDOWN\b/,
    tell: ({ sentinels, server }) =>
      `${server} is a replica and takes no writes. ${sentinels ? 'The next connection asks the sentinels again.' : 'Let REDIS_URL name the primary, or set FLEETBOT_REDIS_SENTINELS.'}`,
  },
  {
    kind: 'out-of-memory',
    says: /\bOOM\b/,
    tell: ({ server }) =>
      `${server} has reached its maxmemory and takes no writes. Raise maxmemory ("CONFIG SET maxmemory …" works at once); leave maxmemory-policy at noeviction.`,
  },
  {
    kind: 'cannot-persist',
    says: /\bMISCONF\b/,
    tell: ({ server }) =>
      `${server} cannot write to its disk and takes no writes. Free space on the disk of its dir; its own log says more.`,
  },
  {
    kind: 'too-few-replicas',
    says: /\bNOREPLICAS\b/,
    tell: ({ server }) =>
      `${server} has fewer replicas than min-replicas-to-write and takes no writes. Start them, or lower that setting.`,
  },
  {
    kind: 'cluster',
    says: /\bMOVED \d|\bCLUSTERDOWN\b/,
    tell: ({ server }) =>
      `${server} is a node of a Redis Cluster, which fleetbot does not use. Let REDIS_URL name a Redis of its own.`,
    final: true,
  },
];

/** The first that matches counts. */
export const rows: readonly Row[] = [...sentinelRows, ...tlsRows, ...loginRows, ...networkRows, ...stateRows];
