import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { strangerListens } from '../../edge/plugin/port-owner.ts';

/** 4318, as the kernel writes it. */
const port = '10DE';
const any = '00000000:0000';
const socket = (local: string, state: string, uid: number) =>
  `   0: ${local} ${any} ${state} 00000000:00000000 00:00000000 00000000 ${uid}        0 4711 1\n`;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'port-owner-'));
});

afterEach(() => rm(folder, { recursive: true }));

async function tables(tcp: string[], tcp6: string[] = []): Promise<boolean> {
  const header =
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
  await writeFile(join(folder, 'tcp'), header + tcp.join(''));
  await writeFile(join(folder, 'tcp6'), header + tcp6.join(''));
  return strangerListens(4318, folder);
}

test("who listens is a stranger when the container does not know the user's number", async () => {
  expect(await tables([socket(`0100007F:${port}`, '0A', 10_001)])).toBe(false);
  expect(await tables([socket(`0100007F:${port}`, '0A', 65_534)])).toBe(true);
  expect(await tables([], [socket(`${'0'.repeat(32)}:${port}`, '0A', 65_534)])).toBe(true);
});

test('a stranger who listens elsewhere, or is only connected, does not matter', async () => {
  const elsewhere = socket('0100007F:1F90', '0A', 65_534);
  expect(await tables([elsewhere, socket(`0100007F:${port}`, '01', 65_534)])).toBe(false);
});

test('nobody is a stranger where there is no table', async () => {
  expect(await strangerListens(4318, join(folder, 'absent'))).toBe(false);
});
