import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createQueue, type Queue } from '../../src/queue/create-queue.ts';
import type { RedisAccess } from '../../src/queue/redis-access.ts';
import { answersOk } from '../../src/sandbox/answers-ok.ts';
import { type ChildProcess, startChild } from '../../src/sandbox/child-process.ts';
import { freePort } from '../../src/sandbox/free-port.ts';
import { newKeyPair } from '../../src/sandbox/key-pair.ts';
import { accept } from '../queue/support.ts';
import { newAuthority } from '../support/certificates.ts';
import { masterName, startWatchedRedis, type WatchedRedis } from '../support/sentinels.ts';
import { eventually } from './parts/eventually.ts';

const root = join(import.meta.dirname, '../..');
const silent = pino({ level: 'silent' });
const pollMs = 50;
const connectTimeoutMs = 2_000;
const bound = { timeout: 60_000, interval: pollMs };

const users = readFileSync(join(root, 'deploy/redis/users.acl'), 'utf8');
const passwordOf = (user: string) => new RegExp(`^user ${user} on >(\\S+)`, 'm').exec(users)?.[1] ?? '';
const sentinelPassword = 'of-the-sentinels';

const authority = newAuthority('test authority');
const server = authority.issue(['127.0.0.1', 'localhost']);
const client = { ca: authority.cert, ...authority.issue(['fleetbot']) };

const tlsConfig = [
  ...['tls-cert-file server.crt', 'tls-key-file server.key', 'tls-ca-cert-file ca.crt'],
  ...['tls-auth-clients yes', 'tls-replication yes'],
];

/** Primary, replica and sentinels as they stand in production: deploy/redis, TLS both ways, users, passwords. */
function startProduction(): Promise<WatchedRedis> {
  const config = readFileSync(join(root, 'deploy/redis/redis.conf'), 'utf8').split('\n');
  return startWatchedRedis({
    tls: true,
    files: {
      ...{ 'server.crt': server.cert, 'server.key': server.key, 'ca.crt': authority.cert },
      'users.acl': users,
    },
    config: [
      ...config,
      ...tlsConfig,
      'aclfile users.acl',
      ...['masteruser replica', `masterauth ${passwordOf('replica')}`],
    ],
    sentinelConfig: [
      ...tlsConfig,
      `sentinel auth-user ${masterName} sentinel`,
      `sentinel auth-pass ${masterName} ${passwordOf('sentinel')}`,
      `requirepass ${sentinelPassword}`,
    ],
    admin: { username: 'admin', password: passwordOf('admin'), tls: client },
    asker: { password: sentinelPassword, tls: client },
  });
}

/** A worker as it is started in production. Its one machine cannot be reached, so that its runs are short. */
async function startWorker(watched: WatchedRedis, folder: string): Promise<ChildProcess> {
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
    return join(folder, name);
  };
  const key = newKeyPair();
  const fleet = {
    version: 1,
    defaults: { channel: 'C0OPS', checks: ['disk'], limits: { connectTimeoutMs: 1_000 } },
    machines: [{ name: 'web-01', address: '127.0.0.1', ssh: { port: 1 }, hostKey: key.publicKey }],
    access: [{ people: ['U0123ABCD'], machines: 'all', verbs: 'all' }],
  };
  const healthPort = await freePort();
  return startChild({
    name: 'fleetbot',
    argv: [process.execPath, join(root, 'src/main.ts'), 'start'],
    env: {
      PATH: process.env.PATH,
      FLEETBOT_ROLE: 'worker',
      FLEETBOT_FLEET_FILE: file('fleet.yaml', JSON.stringify(fleet)),
      FLEETBOT_SSH_KEY_FILE: file('id', key.privateKey),
      FLEETBOT_HEALTH_PORT: String(healthPort),
      REDIS_USERNAME: 'fleetbot',
      REDIS_PASSWORD_FILE: file('password', passwordOf('fleetbot')),
      FLEETBOT_REDIS_CA_FILE: file('ca.crt', client.ca),
      FLEETBOT_REDIS_CERT_FILE: file('tls.crt', client.cert),
      FLEETBOT_REDIS_KEY_FILE: file('tls.key', client.key),
      FLEETBOT_REDIS_SENTINELS: watched.hosts.map(({ host, port }) => `${host}:${port}`).join(', '),
      FLEETBOT_REDIS_SENTINEL_MASTER: masterName,
      FLEETBOT_REDIS_SENTINEL_PASSWORD: sentinelPassword,
    },
    cwd: folder,
    logFile: join(folder, 'fleetbot.log'),
    readyTimeoutMs: 30_000,
    ready: () => answersOk(`http://127.0.0.1:${healthPort}/readyz`),
  });
}

describe('a Redis that sentinels watch, over TLS, with users', () => {
  const parts = new AsyncDisposableStack();
  let watched: WatchedRedis;
  let access: Required<RedisAccess>;
  let folder: string;

  beforeAll(async () => {
    watched = parts.use(await startProduction());
    folder = mkdtempSync(join(tmpdir(), 'fleetbot-e2e-'));
    parts.defer(() => rmSync(folder, { recursive: true, force: true }));
    access = {
      ...{ username: 'fleetbot', password: passwordOf('fleetbot'), tls: client },
      sentinels: { hosts: watched.hosts, master: masterName, password: sentinelPassword },
    };
  });
  afterAll(() => parts.disposeAsync());

  const open = (changes: Partial<RedisAccess> = {}, url = 'rediss://any') =>
    createQueue({
      ...{ redisUrl: url, redisAccess: { ...access, ...changes }, log: silent },
      settings: { connectTimeoutMs },
    });
  const nowhere = { host: '127.0.0.1', port: 1 };

  it('is found also when a sentinel is away', async () => {
    const hosts = [nowhere, ...watched.hosts];
    const queue = await open({ sentinels: { ...access.sentinels, hosts } });
    await expect(queue.ready()).resolves.toBe(true);
    await queue.close();
  });

  it.each([
    [
      'a name that the sentinels do not know',
      () => open({ sentinels: { ...access.sentinels, master: 'mymaster' } }),
      /know no primary named "mymaster"\. Set FLEETBOT_REDIS_SENTINEL_MASTER/,
    ],
    [
      "a wrong password of the sentinels'",
      () => open({ sentinels: { ...access.sentinels, password: 'wrong' } }),
      /The sentinels 127.* refused the login\. Set FLEETBOT_REDIS_SENTINEL_PASSWORD/,
    ],
    [
      'no sentinel that can be reached',
      () => open({ sentinels: { ...access.sentinels, hosts: [nowhere] } }),
      /The sentinel 127\.0\.0\.1:1 refused the connection.*Check FLEETBOT_REDIS_SENTINELS/,
    ],
    [
      'sentinels that are spoken to without TLS',
      () => open({}, 'redis://any'),
      /The sentinel 127.* closes the connection at once\. It may want TLS on this port \(rediss:/,
    ],
    [
      'an authority that did not sign for the sentinels',
      () => open({ tls: { ...client, ca: newAuthority('another').cert } }),
      /The certificate of the sentinel 127.* is signed by an authority that is not trusted here/,
    ],
    [
      'a wrong password of Redis itself',
      () => open({ password: 'wrong' }),
      /primary "fleet-primary" refused the login: check user and password in REDIS_URL/,
    ],
  ])('ends a start, and says why, with %s', async (_what, start, says) => {
    await expect(start()).rejects.toThrow(says);
  });

  it('fails over: requests are taken again, and all runs end', async () => {
    const worker = await startWorker(watched, folder);
    parts.defer(() => worker.stop());
    const queue: Queue = await open();
    parts.defer(() => queue.close());
    const isDone = async (id: string) => (await queue.requests.run(id))?.state === 'done';

    const before = await accept(queue);
    await eventually(async () => expect(await isDone(before)).toBe(true));
    const waiting = await Promise.all(Array.from({ length: 20 }, () => accept(queue)));
    await watched.inStep();
    const killedAt = performance.now();
    const afterMs = () => Math.round(performance.now() - killedAt);
    await watched.primary.kill();

    let accepted = '';
    await expect.poll(async () => (accepted = await accept(queue).catch(() => '')), bound).not.toBe('');
    const acceptedMs = afterMs();
    for (const id of [accepted, ...waiting]) {
      await expect.poll(() => isDone(id).catch(() => false), bound).toBe(true);
    }
    process.stderr.write(
      `fail-over after kill -9 of the primary (down-after-milliseconds 1000): a request was accepted after ${acceptedMs} ms, all runs had ended after ${afterMs()} ms\n`,
    );
    // A line for each connection and for each user of one, not for each attempt.
    const complaints = readFileSync(join(folder, 'fleetbot.log'), 'utf8').match(/"level":"(?:warn|error)"/g);
    expect(complaints?.length).toBeLessThan(20);

    await watched.replica.kill();
    await expect(open()).rejects.toThrow(
      /The Redis primary "fleet-primary" refused the connection.*what address the sentinels announce/,
    );
  });
});
