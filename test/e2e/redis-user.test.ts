import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { startConfiguredRedis } from '../support/configured-redis.ts';

const root = join(import.meta.dirname, '../..');
const users = readFileSync(join(root, 'deploy/redis/users.acl'), 'utf8');
const passwordOf = (user: string) => new RegExp(`^user ${user} on >(\\S+)`, 'm').exec(users)?.[1] ?? '';

it('the user of deploy/redis/users.acl suffices for bot and worker, from a command to its answer', async () => {
  const server = await startConfiguredRedis({
    config: ['appendonly yes', 'appendfsync always', 'aclfile users.acl'],
    // The sandbox has a prefix of its own each time, and removes its keys at the end.
    files: {
      'users.acl': users
        .replaceAll('{fleetbot}', '{fleetbot-sandbox-*}')
        .replace(/^user fleetbot .*$/m, '$& +scan +unlink'),
    },
  });
  onTestFinished(() => server.stop());
  const { stdout } = await promisify(execFile)(process.execPath, ['src/sandbox/smoke.ts'], {
    cwd: root,
    env: {
      ...{ PATH: process.env.PATH, HOME: process.env.HOME },
      REDIS_URL: `redis://fleetbot:${passwordOf('fleetbot')}@127.0.0.1:${server.port}`,
    },
  });
  expect(stdout).toContain('smoke: ok');
  const admin = new Redis(server.port, '127.0.0.1', { username: 'admin', password: passwordOf('admin') });
  onTestFinished(() => admin.disconnect());
  const stats = await admin.info('commandstats');
  const refused = [...stats.matchAll(/^cmdstat_([^:]+):.*rejected_calls=[1-9]/gm)].map(([, name]) => name);
  // PING is what the start of the server waited for, without a login.
  expect(refused.filter((name) => name !== 'ping')).toEqual(['config|get']);
});
