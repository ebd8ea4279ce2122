import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { Keys } from '../../src/queue/keys.ts';
import { queueDefaults } from '../../src/queue/queue-settings.ts';
import { startTestRedis } from '../support/redis.ts';
import { accept, openQueue } from './support.ts';

const program = join(import.meta.dirname, 'tracing-worker.ts');
const machines = ['m-0', 'm-1', 'm-2', 'm-3'];
const runsPerMachine = 15;
/** After how many ends of traces a worker is killed; the last one is not. */
const kills = [5, 15, 30];

it('workers that are killed again and again between a run’s end and its trace’s leave no trace without an end', async () => {
  const redis = await startTestRedis();
  onTestFinished(() => redis.stop());
  const folder = await mkdtemp(join(tmpdir(), 'fleetbot-traces-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'ended');
  writeFileSync(file, '');
  const ended = () => readFileSync(file, 'utf8').split('\n').slice(0, -1);
  const start = (): ChildProcess => {
    const child = spawn(process.execPath, [program, redis.url, file], { stdio: 'inherit' });
    onTestFinished(() => void child.kill('SIGKILL'));
    return child;
  };

  await using queue = await openQueue(redis.url);
  const ids: string[] = [];
  for (let nth = 0; nth < runsPerMachine; nth += 1) {
    for (const machine of machines) ids.push(await accept(queue, { machine }));
  }
  for (const count of kills) {
    const child = start();
    await expect.poll(() => ended().length, { timeout: 30_000 }).toBeGreaterThanOrEqual(count);
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  start();

  const endedBy = (who: string) =>
    ended().flatMap((line) => (line.startsWith(who) ? line.slice(who.length) : []));
  const admin = new Redis(redis.url);
  onTestFinished(() => admin.disconnect());
  const open = () => admin.zcard(new Keys(queueDefaults.prefix).openTraces());
  await expect
    .poll(() => new Set(endedBy('worker ').concat(endedBy('sweep '))), { timeout: 30_000 })
    .toEqual(new Set(ids));
  await expect.poll(open, { timeout: 10_000 }).toBe(0);
  // Those whose worker was killed before it came to them.
  expect(endedBy('sweep ')).not.toEqual([]);
}, 120_000);
