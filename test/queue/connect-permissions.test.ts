import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { SettingsError } from '../../src/fleet/errors.ts';
import { createQueue } from '../../src/queue/create-queue.ts';
import { neededCommands } from '../../src/queue/redis-permissions.ts';
import { type ConfiguredRedis, startConfiguredRedis } from '../support/configured-redis.ts';
import { noLimits } from '../support/no-limits.ts';
import { sampleRun } from '../support/sample-run.ts';
import { aCampaign, accept, aRequest, ask, finish, settled, silent } from './support.ts';

const root = join(import.meta.dirname, '../..');
const text = (path: string) => readFileSync(join(root, path), 'utf8');
const users = text('deploy/redis/users.acl');

/** What is in users.acl before it is replaced. */
function login(name: string): { username: string; password: string } {
  const password = new RegExp(`^user ${name} on >(\\S+)`, 'm').exec(users)?.[1];
  if (password === undefined) throw new Error(`users.acl has no password of ${name}`);
  return { username: name, password };
}

/** Every user may these, or need not. */
const beside = ['hello', 'auth', 'select', 'quit', 'client|setname', 'client|setinfo', 'config|get'];
/** What this test itself does as "admin". */
const ofAdmin = ['acl|load', 'acl|setuser', 'config|resetstat'];

const needed = new Set(neededCommands.map((line) => line.split(' ')[0]));

/** What the sources of the queue call, in lower case. */
function namesIn(ending: string, pattern: RegExp): Set<string> {
  const folder = join(root, 'src/queue');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith(ending),
  );
  const source = files.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
  return new Set([...source.matchAll(pattern)].map(([, name = '']) => name.toLowerCase()));
}

describe('a Redis with the files of deploy/redis', () => {
  let server: ConfiguredRedis;
  let admin: Redis;
  let redisUrl: string;
  const fleetbot = login('fleetbot');

  beforeAll(async () => {
    server = await startConfiguredRedis({
      config: [...text('deploy/redis/redis.conf').split('\n'), 'aclfile users.acl'],
      files: { 'users.acl': users },
    });
    redisUrl = `redis://127.0.0.1:${server.port}`;
    admin = new Redis(redisUrl, login('admin'));
  });
  afterAll(async () => {
    admin?.disconnect();
    await server?.stop();
  });
  beforeEach(async () => {
    await admin.call('ACL', 'LOAD');
  });

  it('is safe to use', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'info' }, { write: (line) => void lines.push(line) });
    const queue = await createQueue({ redisUrl, redisAccess: login('admin'), log });
    await queue.close();
    expect(lines).toEqual([]);
  });

  it('lets in nobody without a login', async () => {
    await expect(createQueue({ redisUrl, log: silent })).rejects.toThrow(/refused the login/);
  });

  it('lets its user "fleetbot" do everything that is needed, and no command is needed that is not listed', async () => {
    await admin.config('RESETSTAT');
    const settings = { sweepIntervalMs: 200, stalledIntervalMs: 200, lockDurationMs: 500 };
    const queue = await createQueue({ redisUrl, redisAccess: fleetbot, log: silent, settings });
    const ended: string[] = [];
    const drive = async (claim: Parameters<typeof finish>[1]) => {
      if (claim.run.request.machine === 'waits')
        await new Promise<void>((resolve) => queue.runs.onCancelled(claim.run.id, () => resolve()));
      if (claim.run.request.machine === 'asks') return void (await ask(queue.runs, claim));
      ended.push((await finish(queue.runs, claim)).id);
    };
    await queue.work(drive, { concurrency: 4 });
    const waits = await accept(queue, { machine: 'waits' });
    const machines = Array.from({ length: 20 }, (_, n) => `m${n}`);
    const { runIds } = await queue.requests.accept(
      machines.map((machine) => aRequest({ machine, campaign: 'c-1' })),
      noLimits,
      aCampaign('c-1', machines),
    );
    await expect.poll(() => ended.length, { timeout: 10_000 }).toBe(machines.length);
    await queue.requests.cancel(waits, { userId: 'U2', at: 1 });
    await expect.poll(() => new Set(ended), { timeout: 10_000 }).toEqual(new Set([waits, ...runIds]));
    await accept(queue, { machine: 'asks' });
    await expect.poll(() => queue.runs.waiting('asks')).toHaveLength(1);
    for (const { id } of await queue.approvals.waiting(10)) {
      await queue.approvals.change(id, (run) => settled(run, 'denied'));
    }
    const { signal } = new AbortController();
    const wish = { run: sampleRun('r-1', 'approved'), fence: 1, traceparent: '' };
    const refusal = expect(queue.signer.capsule(wish, signal)).rejects.toThrow('no');
    const asked = await queue.signingAsks.next(signal);
    if (asked) await queue.signingAsks.answer(asked, { refused: 'no' });
    await refusal;
    expect(await queue.requests.runs({ limit: 10 })).toHaveLength(10);
    expect(await queue.requests.campaign('c-1')).toBeDefined();
    const [view, other] = await queue.views.take(2);
    if (view) await queue.views.release(view);
    if (other) await queue.views.postpone(other, 10);
    await queue.views.intend(waits, 'main', 1);
    await queue.views.record(waits, 'main', { channel: 'C', ts: '1', digest: 'd' });
    expect(await queue.views.parts(waits)).toMatchObject({ main: { intended: 1 } });
    await queue.gauges();
    await expect(queue.ready()).resolves.toBe(true);
    await queue.close();

    const stats = await admin.info('commandstats');
    const used = [...stats.matchAll(/^cmdstat_([^:]+):calls=[1-9]/gm)].map(([, name]) => name);
    expect(new Set(used).difference(new Set([...needed, ...beside, ...ofAdmin]))).toEqual(new Set());
    // The look at appendfsync.
    expect(await admin.info('errorstats')).toContain('errorstat_NOPERM:count=1\r\n');
  });

  it('knows of no command that is called from TypeScript and not listed', async () => {
    const commands = z.array(z.tuple([z.string()], z.unknown())).parse(await admin.call('COMMAND'));
    const known = new Set(commands.map(([name]) => name));
    const called = namesIn('.ts', /redis\.([a-z]+)\(/gi).intersection(known);
    expect(called.size).toBeGreaterThan(10);
    expect(called.difference(new Set([...needed, 'config']))).toEqual(new Set());
  });

  it.each([
    ['lpush', /may not run lpush on keys.*ACL SETUSER fleetbot ~\{fleetbot\}:\* &\{fleetbot\}:\* \+lpush /],
    ['eval', /may not run eval in Redis/],
    ['info', /may not run info on keys/],
    ['script|load', /\+script\|load /],
  ])('ends a start, and says how to go on, where "fleetbot" may not run %s', async (command, says) => {
    await admin.call('ACL', 'SETUSER', 'fleetbot', `-${command}`);
    const start = createQueue({ redisUrl, redisAccess: fleetbot, log: silent });
    await expect(start).rejects.toBeInstanceOf(SettingsError);
    await expect(start).rejects.toThrow(says);
  });

  it('ends a start where the user may not touch the keys of another prefix', async () => {
    const settings = { prefix: '{other}' };
    await expect(createQueue({ redisUrl, redisAccess: fleetbot, log: silent, settings })).rejects.toThrow(
      /may not run get, set, incr.* and \d+ more on keys and channels that begin with "\{other\}:".*~\{other\}:\*/,
    );
  });
});

describe('the list of needed commands', () => {
  it('holds every command of the Lua scripts', () => {
    const called = namesIn('.lua', /redis\.p?call\(\s*'(\w+)'/g);
    expect(called.size).toBeGreaterThan(20);
    expect(called.difference(needed)).toEqual(new Set());
  });
});
