import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { lockFile } from '../../src/queue/file-lock.ts';

const options = { voidAfterMs: 60_000, clock: Date.now, log: pino({ level: 'silent' }) };
const rounds = 20;

function folderOf(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fleetbot-lock-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

it('one of many has a lock, also where all of them find one that is void', async () => {
  const folder = folderOf();
  for (let round = 0; round < rounds; round += 1) {
    const path = join(folder, `lock-${round}`);
    const gone = { host: hostname(), boot: 'another', pids: 'pid:[1]', pid: 1, started: '1', token: 'old' };
    if (round % 2 === 0) writeFileSync(path, JSON.stringify(gone));
    const answers = await Promise.all(Array.from({ length: 8 }, () => lockFile(path, options)));
    const locks = answers.flatMap(({ lock }) => lock ?? []);
    const held = await Promise.all(locks.map((lock) => lock.held()));
    expect(held).toEqual([true]);
    await locks[0]?.release();
  }
  expect(readdirSync(folder)).toEqual([]);
});

it('of a process that this one cannot see is void at once only where no container may share it', async () => {
  const folder = folderOf();
  const lockOfAnother = async (name: string) => {
    const path = join(folder, name);
    const { lock } = await lockFile(path, options);
    const held: object = JSON.parse(readFileSync(path, 'utf8'));
    await lock?.release();
    writeFileSync(path, JSON.stringify({ ...held, pids: 'pid:[1]', token: 'theirs' }));
    return path;
  };
  const shared = { ...options, amongContainers: true };
  const path = await lockOfAnother('shared');
  expect(await lockFile(path, shared)).toMatchObject({ holder: { token: 'theirs' } });
  const later = await lockFile(path, { ...shared, clock: () => Date.now() + shared.voidAfterMs + 1_000 });
  expect(later.lock).toBeDefined();
  await later.lock?.release();
  const alone = await lockFile(await lockOfAnother('alone'), options);
  expect(alone.lock).toBeDefined();
  await alone.lock?.release();
});

it('who has a lock is told to others, and it is free once it is released', async () => {
  const path = join(folderOf(), 'lock');
  const { lock } = await lockFile(path, options);
  expect(await lockFile(path, options)).toMatchObject({ holder: { host: hostname(), pid: process.pid } });
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid });
  await lock?.release();
  const next = await lockFile(path, options);
  expect(next.lock).toBeDefined();
  await next.lock?.release();
});
