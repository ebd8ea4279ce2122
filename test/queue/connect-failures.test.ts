import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { SettingsError, StoreUnavailableError } from '../../src/fleet/errors.ts';
import { ask, connectForRequests, connectForWorkers, whenConnected } from '../../src/queue/connect.ts';
import { createQueue } from '../../src/queue/create-queue.ts';
import type { RedisAccess } from '../../src/queue/redis-access.ts';
import { redisTrouble } from '../../src/queue/redis-trouble.ts';
import { rows } from '../../src/queue/redis-trouble-table.ts';
import { redact } from '../../src/telemetry/redact.ts';
import { newAuthority } from '../support/certificates.ts';
import {
  type ConfiguredRedis,
  type ConfiguredRedisOptions,
  startConfiguredRedis,
} from '../support/configured-redis.ts';
import { silent } from './support.ts';

const connectTimeoutMs = 500;
/** Longer than one attempt to connect. */
const patientMs = 4_000;

const parts = new AsyncDisposableStack();
afterAll(() => parts.disposeAsync());

async function start(options: ConfiguredRedisOptions): Promise<ConfiguredRedis> {
  const server = await startConfiguredRedis(options);
  parts.defer(() => server.stop());
  return server;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  parts.defer(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return address.port;
}

/** What somebody reads who starts fleetbot with it; undefined when it connects. */
async function failureOfStart(
  url: string,
  access?: RedisAccess,
  timeoutMs = connectTimeoutMs,
): Promise<unknown> {
  const redis = connectForRequests(url, silent, 2_000, access);
  try {
    return await whenConnected(redis, timeoutMs, silent).catch((error: unknown) => error);
  } finally {
    redis.disconnect();
  }
}

describe('a start over TLS', () => {
  const authority = newAuthority('test authority');
  const { cert: ca } = authority;
  const client = authority.issue(['fleetbot']);
  const foreign = newAuthority('another authority').issue(['fleetbot']);
  const tlsConfig = ['tls-cert-file server.crt', 'tls-key-file server.key', 'tls-ca-cert-file ca.crt'];
  const startTls = (names: readonly string[], clients: 'yes' | 'no', expiresAt?: number) => {
    const { cert, key } = authority.issue(names, expiresAt);
    const files = { 'server.crt': cert, 'server.key': key, 'ca.crt': ca };
    return start({ tls: true, config: [...tlsConfig, `tls-auth-clients ${clients}`], files });
  };
  let plain: ConfiguredRedis;
  let mutual: ConfiguredRedis;
  let expired: ConfiguredRedis;
  let misnamed: ConfiguredRedis;
  beforeAll(async () => {
    plain = await start({ config: [] });
    mutual = await startTls(['localhost', '127.0.0.1'], 'yes');
    expired = await startTls(['localhost', '127.0.0.1'], 'no', Date.now() - 1_000);
    misnamed = await startTls(['redis.example'], 'no');
  });

  it.each(['127.0.0.1', 'localhost'])(
    'succeeds with an authority of its own and a client certificate, by %s',
    async (host) => {
      expect(
        await failureOfStart(`rediss://${host}:${mutual.port}`, { tls: { ca, ...client } }),
      ).toBeUndefined();
    },
  );

  it.each([
    [
      'an authority that is not known',
      () => failureOfStart(`rediss://127.0.0.1:${mutual.port}`, { tls: client }),
      /signed by an authority that is not trusted here\. Set FLEETBOT_REDIS_CA_FILE/,
    ],
    [
      'another authority',
      () => failureOfStart(`rediss://127.0.0.1:${mutual.port}`, { tls: { ca: foreign.cert, ...client } }),
      /FLEETBOT_REDIS_CA_FILE/,
    ],
    [
      'an expired certificate',
      () => failureOfStart(`rediss://127.0.0.1:${expired.port}`, { tls: { ca } }),
      /is not valid now\. Renew it/,
    ],
    [
      'a certificate for another name',
      () => failureOfStart(`rediss://localhost:${misnamed.port}`, { tls: { ca } }),
      /is for another name.*localhost/,
    ],
  ])('tells of %s at once', async (_what, attempt, says) => {
    const error = await attempt();
    expect(error).toBeInstanceOf(SettingsError);
    expect(String(error)).toMatch(says);
  });

  // Told at once or, where the server's words were lost when it hung up, after one more look.
  it.each([
    [
      'no client certificate where one is wanted',
      () => failureOfStart(`rediss://127.0.0.1:${mutual.port}`, { tls: { ca } }),
      /wants a client certificate\. Set FLEETBOT_REDIS_CERT_FILE and FLEETBOT_REDIS_KEY_FILE/,
    ],
    [
      'a client certificate that is not trusted',
      () => failureOfStart(`rediss://127.0.0.1:${mutual.port}`, { tls: { ca, ...foreign } }),
      /refused the client certificate\. FLEETBOT_REDIS_CERT_FILE must hold one/,
    ],
  ])('tells of %s', async (_what, attempt, says) => {
    const error = await attempt();
    expect(error).toBeInstanceOf(SettingsError);
    expect(String(error)).toMatch(says);
  });

  it('tells of a port without TLS', async () => {
    const error = await failureOfStart(`rediss://127.0.0.1:${plain.port}`, { tls: { ca } }, patientMs);
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(String(error)).toMatch(/gave no answer\..*or the port is one without TLS/);
  });

  it('tells of a port with TLS that is spoken to without', async () => {
    expect(String(await failureOfStart(`redis://127.0.0.1:${mutual.port}`))).toMatch(
      /closes the connection at once\. It may want TLS on this port \(rediss:/,
    );
  });

  it('tells of a certificate and a key that do not belong together, before anything is opened', () => {
    const tls = { ca, cert: client.cert, key: foreign.key };
    expect(() => connectForWorkers('rediss://127.0.0.1:1', silent, { tls })).toThrow(/FLEETBOT_REDIS_KEY/);
  });
});

describe('a start', () => {
  let server: ConfiguredRedis;
  beforeAll(async () => {
    server = await start({ config: ['requirepass right'] });
  });
  const at = (login: string) => `redis://${login}127.0.0.1:${server.port}`;

  it('takes the login from the settings where the URL has none', async () => {
    expect(await failureOfStart(at(''), { username: 'default', password: 'right' })).toBeUndefined();
    expect(await failureOfStart(at(''), { password: 'right' })).toBeUndefined();
  });

  it.each([
    ['a wrong password', ':wrong@', '', /refused the login: check user and password/],
    ['an unknown user', 'nobody:right@', '', /refused the login/],
    ['no password', '', '', /refused the login.*NOAUTH/],
    ['a database that is not there', ':right@', '/99', /does not have the database/],
  ])('tells of %s at once', async (_what, login, path, says) => {
    const error = await failureOfStart(at(login) + path);
    expect(error).toBeInstanceOf(SettingsError);
    expect(String(error)).toMatch(says);
  });

  it.each([
    [
      'nothing that listens',
      'redis://127.0.0.1:1',
      /127\.0\.0\.1:1 refused the connection: nothing listens there\. Check REDIS_URL/,
    ],
    [
      'a host that has no address',
      'redis://no-such-host.invalid',
      /no-such-host\.invalid:6379 could not be looked up/,
    ],
  ])('tells of %s', async (_what, url, says) => {
    const error = await failureOfStart(url);
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(String(error)).toMatch(says);
  });

  it('tells of a server that is not Redis', async () => {
    const port = await listen(createHttpServer((_request, response) => response.end('hello')));
    expect(String(await failureOfStart(`redis://127.0.0.1:${port}`))).toMatch(
      /is not Redis\. Check REDIS_URL/,
    );
    expect(String(await failureOfStart(`rediss://127.0.0.1:${port}`))).toMatch(
      /does not speak TLS on this port/,
    );
  });

  it('tells of a server that says nothing', async () => {
    const port = await listen(createServer((socket) => void socket.on('error', () => {})));
    expect(String(await failureOfStart(`redis://127.0.0.1:${port}`))).toMatch(
      /gave no answer\. Check REDIS_URL/,
    );
  });

  it('tells of too many clients', async () => {
    const { port } = await start({ config: ['maxclients 1'] });
    const admin = new Redis(port, '127.0.0.1');
    onTestFinished(() => admin.disconnect());
    await admin.ping();
    expect(String(await failureOfStart(`redis://127.0.0.1:${port}`))).toMatch(
      /has as many clients as it allows\. Raise maxclients/,
    );
  });

  it('waits for a server that loads its data, and says so', async () => {
    const { port, folder, child } = await start({ config: ['save ""'] });
    const admin = new Redis(port, '127.0.0.1');
    admin.on('error', () => {});
    await admin.mset(Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`key${n}`, n])));
    await admin.save();
    admin.disconnect();
    await child.stop();
    // Microseconds for each key, and answers in between: settings that Redis has for its own tests.
    const slow = ['key-load-delay 4000', 'loading-process-events-interval-bytes 1024', `dir ${folder}`];
    const again = await start({ config: ['save ""', ...slow] });
    const lines: string[] = [];
    const log = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line).msg) });
    const redis = connectForRequests(`redis://127.0.0.1:${again.port}`, log, 2_000);
    onTestFinished(() => redis.disconnect());
    await whenConnected(redis, 300, log);
    expect(await redis.dbsize()).toBe(1_000);
    expect(lines[0]).toMatch(/is loading its data \(\d+\.\d+ %, about \d+ s left\); waiting until it has/);
  });
});

describe('a Redis that can be reached and takes no writes', () => {
  let server: ConfiguredRedis;
  let admin: Redis;
  beforeAll(async () => {
    server = await start({ config: ['appendonly yes', 'appendfsync always', 'save 1000 1000'] });
    admin = new Redis(server.port, '127.0.0.1');
  });
  afterAll(() => admin?.disconnect());

  /** Ends a start, and tells whoever asks for something. */
  async function expectTold(says: RegExp): Promise<void> {
    const url = `redis://127.0.0.1:${server.port}`;
    const settings = { allowUnsafe: true };
    await expect(createQueue({ redisUrl: url, log: silent, settings })).rejects.toThrow(says);
    for (const write of [
      (redis: Redis) => redis.set('key', 'value'),
      (redis: Redis) => redis.eval("return redis.call('SET', KEYS[1], 'value')", 1, 'key'),
    ]) {
      const redis = connectForRequests(url, silent, 2_000);
      onTestFinished(() => redis.disconnect());
      await whenConnected(redis, connectTimeoutMs, silent);
      await expect(ask('store it', write(redis))).rejects.toThrow(says);
    }
  }

  it('because its memory is full', async () => {
    await admin.config('SET', 'maxmemory', '1');
    onTestFinished(async () => void (await admin.config('SET', 'maxmemory', '0')));
    await expectTold(/has reached its maxmemory and takes no writes\. Raise maxmemory/);
  });

  it('because it misses replicas', async () => {
    await admin.config('SET', 'min-replicas-to-write', '1');
    onTestFinished(async () => void (await admin.config('SET', 'min-replicas-to-write', '0')));
    await expectTold(/fewer replicas than min-replicas-to-write/);
  });

  it('because it is a replica', async () => {
    await admin.replicaof('127.0.0.1', 1);
    onTestFinished(async () => void (await admin.replicaof('NO', 'ONE')));
    await expectTold(/is a replica and takes no writes\. Let REDIS_URL name the primary/);
    const redisUrl = `redis://127.0.0.1:${server.port}`;
    await expect(createQueue({ redisUrl, log: silent })).rejects.toThrow(/not safe to use\. It is a replica/);
  });

  it('because it cannot save to its disk', async () => {
    await rm(server.folder, { recursive: true });
    await admin.bgsave().catch(() => undefined);
    await vi.waitFor(async () =>
      expect(await admin.info('persistence')).toContain('rdb_last_bgsave_status:err'),
    );
    await expectTold(/cannot write to its disk and takes no writes\. Free space/);
  });
});

describe('while it runs', () => {
  async function loggedBy(server: ConfiguredRedis) {
    const lines: { level: number; msg: string; trouble?: string }[] = [];
    const log = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) });
    const redis = connectForWorkers(`redis://127.0.0.1:${server.port}`, log);
    onTestFinished(() => redis.disconnect());
    await whenConnected(redis, connectTimeoutMs, log);
    return { redis, lines };
  }

  it('a refusal is logged once, not each time', async () => {
    const server = await start({ config: [] });
    const { redis, lines } = await loggedBy(server);
    await redis.config('SET', 'maxmemory', '1');
    for (let n = 0; n < 5; n += 1) await expect(redis.set('key', n)).rejects.toThrow('OOM');
    const copy = redis.duplicate();
    onTestFinished(() => copy.disconnect());
    await expect(copy.set('key', 'value')).rejects.toThrow('OOM');
    expect(lines).toEqual([
      expect.objectContaining({ trouble: 'out-of-memory', msg: expect.stringMatching(/Raise maxmemory/) }),
    ]);
  });

  it('an outage that becomes one for an operator is logged once more', async () => {
    const server = await start({ config: [] });
    const { lines } = await loggedBy(server);
    await server.kill();
    await vi.waitFor(() => expect(lines).toHaveLength(1));
    await start({ config: ['requirepass changed'], port: server.port });
    await vi.waitFor(() => expect(lines).toHaveLength(2), 10_000);
    expect(lines[1]).toMatchObject({ trouble: 'login', msg: expect.stringMatching(/refused the login/) });
  });
});

describe('the table of troubles', () => {
  const allSentinels = 'All sentinels are unreachable. Retrying from scratch after 100ms. Last error:';
  const samples: Readonly<Record<string, string>> = {
    'sentinel-master-unknown': `${allSentinels} ERR No such master with that name`,
    'sentinel-login': `${allSentinels} WRONGPASS invalid username-password pair`,
    'sentinels-unreachable': `${allSentinels} Connection is closed.`,
    'tls-authority': 'SELF_SIGNED_CERT_IN_CHAIN',
    'tls-expired': 'CERT_HAS_EXPIRED',
    'tls-name': 'ERR_TLS_CERT_ALTNAME_INVALID',
    'tls-client-missing': 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    'tls-client-refused': 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
    'tls-not-spoken': 'ERR_SSL_WRONG_VERSION_NUMBER',
    tls: 'ERR_SSL_NO_SHARED_CIPHER',
    login: 'NOAUTH Authentication required.',
    permission: "NOPERM User fleetbot has no permissions to run the 'lpush' command",
    database: 'ERR DB index is out of range',
    protected: '-DENIED Redis is running in protected mode because …',
    refused: 'connect ECONNREFUSED 10.0.0.1:6379',
    'host-unknown': 'getaddrinfo EAI_AGAIN redis',
    'no-answer': 'connect ETIMEDOUT',
    broken: 'read ECONNRESET',
    'not-redis': 'Unknown RESP type 72 "H". Please report this.',
    'too-many-clients': '-ERR max number of clients reached',
    loading: 'LOADING Redis is loading the dataset in memory',
    replica: "ERR Error running script: -READONLY You can't write against a read only replica.",
    'out-of-memory': "OOM command not allowed when used memory > 'maxmemory'.",
    'cannot-persist': 'MISCONF Errors writing to the AOF file: No space left on device',
    'too-few-replicas': 'NOREPLICAS Not enough good replicas to write.',
    cluster: 'MOVED 866 10.0.0.1:6379',
  };

  it('knows each kind by its words, and has a sample of each here', () => {
    const known = Object.values(samples).map((words) => redisTrouble(new Error(words))?.kind);
    expect(known).toEqual(Object.keys(samples));
    expect(known).toEqual(rows.map(({ kind }) => kind));
  });

  it('tells of each in words that the redactor leaves whole', () => {
    const sentinels = { hosts: 'redis-0.redis:26379, redis-1.redis:26379', master: 'mymaster' };
    for (const words of Object.values(samples)) {
      for (const place of [{}, { tls: true }, { sentinels }, { answered: true }]) {
        const at = {
          server: 'Redis at redis.example:6379',
          cure: 'Check REDIS_URL.',
          login: 'REDIS_PASSWORD',
          tls: false,
          ...place,
        };
        const message = redisTrouble(new Error(words), at)?.message ?? '';
        expect(message).toMatch(/^[A-Z].*\. \(.+\)$/s);
        expect(redact(message)).toBe(message);
      }
    }
  });

  it('leaves alone what is part of the normal course', () => {
    expect(redisTrouble(new Error('NOSCRIPT No matching script. Please use EVAL.'))).toBeUndefined();
  });
});
