import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { lockFileOf } from '../../../src/queue/ledger/ledger-lock.ts';
import { counts, LedgerOnDisk, nothing } from './ledger-on-disk.ts';

const program = join(import.meta.dirname, 'exporter-process.ts');
const seqs = (ledger: LedgerOnDisk) =>
  ledger
    .files()
    .flatMap((file) => ledger.records(file).flatMap(({ type, seq }) => (type === 'entry' ? [seq] : [])));
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

it('an exporter that is killed again and again writes every entry once', async () => {
  const ledger = new LedgerOnDisk();
  const keyFile = join(ledger.folder, 'key.pem');
  writeFileSync(keyFile, ledger.key.privateKey);
  const entries = 2_000;
  const start = () => {
    const child = spawn(process.execPath, [program, ledger.file, keyFile, String(entries)], {
      stdio: 'ignore',
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    return child;
  };
  /** A file that is being put aside may be missing for a moment. */
  const bytes = () =>
    ledger.files().reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
  for (const killAtBytes of [1, 30_000, 60_000, 120_000, 200_000]) {
    const child = start();
    while (bytes() < killAtBytes) await sleep(1);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');
  }
  expect((await once(start(), 'exit'))[0]).toBe(0);
  expect(seqs(ledger)).toEqual(upTo(entries));
  const verification = await ledger.verify();
  expect(verification.sound).toBe(true);
  expect(verification.check).toMatchObject({ entries, uncovered: 0 });
}, 60_000);

it('a write that ended at any byte is gone on from', async () => {
  const ledger = new LedgerOnDisk();
  ledger.source.add(3);
  await ledger.export();
  const before = readFileSync(ledger.file).length;
  ledger.source.add(2);
  await ledger.export();
  const whole = readFileSync(ledger.file);
  for (let bytes = before; bytes <= whole.length; bytes += 13) {
    writeFileSync(ledger.file, whole.subarray(0, bytes));
    ledger.source.told.clear();
    await ledger.export({ pollIntervalMs: 1 });
    const verification = await ledger.verify();
    expect({ bytes, sound: verification.sound }).toEqual({ bytes, sound: true });
    expect(counts(verification)).toEqual({ ...nothing, torn: verification.check.count('torn') });
    expect(seqs(ledger)).toEqual(upTo(5));
  }
}, 60_000);

it('a full disk leaves no lock behind', async () => {
  const ledger = new LedgerOnDisk();
  const keyFile = join(ledger.folder, 'key.pem');
  writeFileSync(keyFile, ledger.key.privateKey);
  // Files can be made, and nothing can be written to them.
  const full = ['-c', 'ulimit -f 0; exec "$@"', 'full', process.execPath, program, ledger.file, keyFile, '1'];
  const child = spawn('bash', full, { stdio: ['ignore', 'ignore', 'pipe'] });
  let told = '';
  child.stderr.on('data', (text: Buffer) => {
    told += text.toString();
  });
  expect((await once(child, 'close'))[0]).toBe(1);
  expect(told).toContain('EFBIG');
  expect(existsSync(lockFileOf(ledger.file))).toBe(false);
});
