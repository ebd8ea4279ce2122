import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LedgerExporter } from '../../../src/queue/ledger/ledger-exporter.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import { openQueue } from '../support.ts';
import { counts, LedgerOnDisk, nothing, soon } from './ledger-on-disk.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis?.stop());

it('a Redis that comes back without its last seconds is outlived, and nothing that it had told is missing', async () => {
  const disk = new LedgerOnDisk();
  await using queue = await openQueue(redis.url);
  const append = async (count: number) => {
    for (let at = 0; at < count; at += 1)
      await queue.ledger.append({ kind: 'run.cancelled', at, by: 'U1', run: 'r' });
  };
  const exporter = new LedgerExporter({
    ...{ source: queue.ledger, file: disk.file, privateKey: disk.key.privateKey, exporterName: 'test' },
    ...{ log: disk.log, clock: Date.now, settings: { pollIntervalMs: 10, retryIntervalMs: 10 } },
  });
  await exporter.start();
  const exported = (entries: number) =>
    soon(async () => {
      expect(disk.records().filter(({ type }) => type === 'entry')).toHaveLength(entries);
      expect(await queue.ledger.state()).toMatchObject({ unexported: 0 });
    });
  await append(5);
  await exported(5);

  const folder = await redisFolder();
  cpSync(join(folder, 'appendonlydir'), join(folder, 'before'), { recursive: true });
  await append(3);
  await exported(8);
  await redis.kill();
  rmSync(join(folder, 'appendonlydir'), { recursive: true });
  cpSync(join(folder, 'before'), join(folder, 'appendonlydir'), { recursive: true });
  await redis.restart();
  await soon(() => append(1));
  await exported(9);
  await exporter.stop();

  const verification = await disk.verify();
  expect(verification.sound).toBe(true);
  expect(counts(verification)).toEqual({ ...nothing, rewind: 1 });
  expect(disk.records().find(({ type }) => type === 'rewound')).toMatchObject({ from: 8, to: 5 });
});

/** Where the server keeps its data. */
async function redisFolder(): Promise<string> {
  const client = new Redis(redis.url);
  const reply = await client.config('GET', 'dir');
  client.disconnect();
  return String(Array.isArray(reply) ? reply[1] : '');
}
