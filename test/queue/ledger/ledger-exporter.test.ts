import {
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SettingsError } from '../../../src/fleet/errors.ts';
import { newSigningKeyPair } from '../../../src/fleet/signing-key.ts';
import type { LedgerExporter } from '../../../src/queue/ledger/ledger-exporter.ts';
import { lockFileOf } from '../../../src/queue/ledger/ledger-lock.ts';
import { counts, LedgerOnDisk, nothing, soon } from './ledger-on-disk.ts';

const ofType = (records: Record<string, unknown>[], type: string) =>
  records.filter((record) => record.type === type);

describe('the export of the ledger', () => {
  it('copies every entry in order, and tells the source only of what is on disk', async () => {
    const ledger = new LedgerOnDisk();
    ledger.source.add(7);
    const exporter = ledger.exporter({ batchEntries: 3 });
    await exporter.start();
    await ledger.caughtUp();
    ledger.source.add(2);
    await ledger.caughtUp();
    expect(ofType(ledger.records(), 'entry')).toMatchObject(
      ledger.source.entries.map(({ seq, position, entry }) => ({ seq, position, entry: JSON.parse(entry) })),
    );
    expect(exporter.status()).toMatchObject({ seq: 9, failure: undefined });
    await exporter.stop();
    const verification = await ledger.verify();
    expect(verification.sound).toBe(true);
    expect(verification.check).toMatchObject({ entries: 9, uncovered: 0, proved: { seq: 9 } });
  });

  it('signs the first entries at once, then after a time or a number of entries, and when it stops', async () => {
    const ledger = new LedgerOnDisk();
    const exporter = ledger.exporter({ checkpointIntervalMs: 600_000, checkpointEntries: 10 });
    await exporter.start();
    for (const count of [1, 4, 6, 1]) {
      ledger.source.add(count);
      await ledger.caughtUp();
    }
    const signed = () => ofType(ledger.records(), 'checkpoint').map(({ seq }) => seq);
    expect(signed()).toEqual([1, 11]);
    await exporter.stop();
    expect(signed()).toEqual([1, 11, 12]);
    const again = ledger.exporter({ checkpointIntervalMs: 20 });
    await again.start();
    ledger.source.add(1);
    await soon(() => expect(signed()).toEqual([1, 11, 12, 13]));
    await again.stop();
    expect(signed()).toHaveLength(4);
    expect(ledger.logged.filter(({ msg }) => msg === 'ledger checkpoint').map(({ seq }) => seq)).toEqual(
      signed(),
    );
  });

  it('signs in time also when the clock was set back', async () => {
    const ledger = new LedgerOnDisk();
    const clock = vi.spyOn(Date, 'now');
    onTestFinished(() => clock.mockRestore());
    const exporter = ledger.exporter({ checkpointIntervalMs: 20 });
    ledger.source.add(1);
    await exporter.start();
    await soon(() => expect(exporter.status().checkpoint?.seq).toBe(1));
    clock.mockReturnValue(1_000_000);
    ledger.source.add(1);
    await soon(() => expect(exporter.status().checkpoint?.seq).toBe(2));
    await exporter.stop();
  });

  it('goes on where it was after a restart, under the name that it had', async () => {
    const ledger = new LedgerOnDisk();
    ledger.source.add(3);
    await ledger.export();
    ledger.source.entries.splice(0, 3);
    ledger.source.add(2);
    await ledger.export();
    expect(ofType(ledger.records(), 'entry').map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(ofType(ledger.records(), 'header')).toHaveLength(1);
    expect(counts(await ledger.verify())).toEqual(nothing);
  });

  it('begins with the oldest entry that is kept, and says so', async () => {
    const ledger = new LedgerOnDisk();
    ledger.source.add(9);
    ledger.source.entries.splice(0, 6);
    await ledger.export();
    const { sound, check } = await ledger.verify();
    expect({ sound, first: check.firstSeq, entries: check.entries }).toEqual({
      sound: true,
      first: 7,
      entries: 3,
    });
  });

  it('keeps what somebody wrote into the ledger that is no entry', async () => {
    const ledger = new LedgerOnDisk();
    ledger.source.entries.push({ position: '1-0', seq: 1, entry: 'no\nJSON' });
    await ledger.export();
    expect(ofType(ledger.records(), 'entry')).toMatchObject([{ seq: 1, entry: 'no\nJSON' }]);
    expect((await ledger.verify()).sound).toBe(true);
  });

  it('outlives a Redis that is away', async () => {
    const ledger = new LedgerOnDisk();
    const exporter = ledger.exporter();
    ledger.source.broken = new Error('away');
    await exporter.start();
    await soon(() => expect(exporter.status().failure?.message).toContain('away'));
    ledger.source.broken = undefined;
    ledger.source.add(1);
    await ledger.caughtUp();
    await soon(() => expect(exporter.status().failure).toBeUndefined());
    await exporter.stop();
    expect(ledger.logged.map(({ msg }) => msg)).toEqual([
      'the ledger cannot be exported; trying again',
      'ledger checkpoint',
      'the ledger is exported again',
    ]);
  });
});

describe('a Redis that lost its last entries', () => {
  it.each([
    ['fewer than came anew', 2, 5],
    ['as many as came anew', 3, 3],
    ['more than came anew', 5, 2],
    ['all', 10, 1],
  ])('is noticed where it lost %s', async (_case, lost, added) => {
    const ledger = new LedgerOnDisk();
    ledger.source.add(10);
    await ledger.export();
    ledger.source.lose(lost);
    ledger.source.add(added);
    ledger.source.told.clear();
    await ledger.export();
    expect(ofType(ledger.records(), 'rewound')).toMatchObject([{ from: 10, to: 10 - lost }]);
    expect(ledger.logged).toContainEqual(
      expect.objectContaining({ level: 40, from: 10, to: 10 - lost, msg: expect.stringContaining('lost') }),
    );
    const verification = await ledger.verify();
    expect(verification.sound).toBe(true);
    expect(counts(verification)).toEqual({ ...nothing, rewind: 1 });
    expect(verification.check.entries).toBe(10 + added);
  });

  it('loses none of the new entries, also where the new server gives them earlier positions', async () => {
    const ledger = new LedgerOnDisk();
    ledger.source.add(10);
    await ledger.export();
    ledger.source.lose(4, 25);
    ledger.source.add(12);
    await ledger.export();
    const entries = ofType(ledger.records(), 'entry').slice(10);
    expect(entries.map(({ seq }) => seq)).toEqual([7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]);
    expect(counts(await ledger.verify())).toEqual({ ...nothing, rewind: 1 });
  });

  it('is noticed also where later numbers go on from what it lost, as if nothing had happened', async () => {
    const ledger = new LedgerOnDisk();
    ledger.source.add(10);
    await ledger.export();
    const places = [9, 10, 11].map((seq) => ({ position: `${1_000 + seq * 10 - 5}-0`, seq }));
    ledger.source.entries.splice(8, 2, ...places.map((place) => ({ ...place, entry: '{}' })));
    await ledger.export();
    const entries = ofType(ledger.records(), 'entry').slice(10);
    expect(entries.map(({ seq }) => seq)).toEqual([9, 10, 11]);
    expect(counts(await ledger.verify())).toEqual({ ...nothing, rewind: 1 });
  });

  it('is looked through once, and gone on from where it ends now', async () => {
    const ledger = new LedgerOnDisk();
    ledger.source.add(10);
    await ledger.export();
    ledger.source.lose(3);
    const read = vi.spyOn(ledger.source, 'read');
    const exporter = ledger.exporter({ batchEntries: 4 });
    await exporter.start();
    await soon(() => expect(read.mock.lastCall?.[0]).toBe(ledger.source.entries.at(-1)?.position));
    const pages = read.mock.calls.length;
    await soon(() => expect(read.mock.calls.length).toBeGreaterThan(pages + 2));
    expect(new Set(read.mock.calls.slice(pages).map(([from]) => from)).size).toBe(1);
    ledger.source.add(1);
    await ledger.caughtUp();
    await exporter.stop();
    expect(counts(await ledger.verify())).toEqual({ ...nothing, rewind: 1 });
  });

  it('does not hold up what comes anew until its clock has caught up', async () => {
    const ledger = new LedgerOnDisk();
    ledger.source.add(10);
    await ledger.export();
    ledger.source.lose(5, 45);
    ledger.source.add(3);
    ledger.source.told.clear();
    await ledger.export();
    expect(ofType(ledger.records(), 'rewound')).toMatchObject([{ from: 10, to: 5 }]);
  });
});

describe('entries that are gone before they are exported', () => {
  it('are a gap, which is told and found', async () => {
    const ledger = new LedgerOnDisk();
    ledger.source.add(3);
    await ledger.export();
    ledger.source.add(5);
    ledger.source.entries.splice(3, 2);
    ledger.source.entries.splice(4, 1);
    await ledger.export();
    expect(ofType(ledger.records(), 'gap')).toMatchObject([
      { from: 4, to: 5 },
      { from: 7, to: 7 },
    ]);
    expect(ledger.logged.filter(({ level }) => level === 40)).toHaveLength(2);
    const verification = await ledger.verify();
    expect(verification.sound).toBe(false);
    expect(counts(verification)).toEqual({ ...nothing, gap: 2 });
  });
});

describe('a full file', () => {
  const small = { maxBytes: 4_096, batchEntries: 5 };

  it('is put aside, and the chain goes on in the next one', async () => {
    const ledger = new LedgerOnDisk();
    ledger.source.add(150);
    await ledger.export(small);
    expect(ledger.files().length).toBeGreaterThan(5);
    for (const file of ledger.files().slice(0, -1)) {
      expect(readFileSync(file).length).toBeLessThan(4_096 * 2);
      expect(ledger.records(file).at(-1)).toMatchObject({ type: 'checkpoint' });
    }
    const backwards = await ledger.verify({ files: ledger.files().toReversed() });
    expect(backwards.sound).toBe(true);
    expect(backwards.check).toMatchObject({ entries: 150, firstSeq: 1, uncovered: 0 });
  });

  it('is gone on from, also where the next one was not begun', async () => {
    const ledger = new LedgerOnDisk();
    ledger.source.add(62);
    await ledger.export(small);
    const parts = ledger.files().length;
    renameSync(ledger.file, `${ledger.file}.${parts}`);
    ledger.source.add(10);
    await ledger.export(small);
    expect(ledger.files()).toHaveLength(parts + 1);
    const { sound, check } = await ledger.verify();
    expect({ sound, entries: check.entries }).toEqual({ sound: true, entries: 72 });
  });

  it('is gone on from, also where a crash left only the first line of the next one', async () => {
    const ledger = new LedgerOnDisk();
    ledger.source.add(62);
    await ledger.export(small);
    renameSync(ledger.file, `${ledger.file}.${ledger.files().length}`);
    ledger.source.add(1);
    await ledger.export(small);
    truncateSync(ledger.file, Buffer.byteLength(`${ledger.lines()[0]}\n`) + 10);
    ledger.source.told.clear();
    await ledger.export(small);
    const verification = await ledger.verify();
    expect(counts(verification)).toEqual({ ...nothing, torn: 1 });
    expect(verification.check.entries).toBe(63);
  });

  it('is missed where it is not given to the check', async () => {
    const ledger = new LedgerOnDisk();
    ledger.source.add(150);
    await ledger.export(small);
    const files = ledger.files();
    expect((await ledger.verify({ files: files.slice(1) })).sound).toBe(false);
    expect((await ledger.verify({ files: files.slice(1), partial: true })).sound).toBe(true);
    expect((await ledger.verify({ files: files.toSpliced(2, 1) })).sound).toBe(false);
    expect((await ledger.verify({ files: files.toSpliced(2, 1), partial: true })).sound).toBe(false);
  });
});

/** Asserts that the exporter starts all the same and tells why it exports nothing. */
async function refused(exporter: LedgerExporter, why: string | RegExp): Promise<void> {
  await exporter.start();
  expect(exporter.status().failure?.message).toMatch(why);
  await exporter.stop();
}

describe('a file that cannot be gone on with', () => {
  it('is refused where another process writes it', async () => {
    const ledger = new LedgerOnDisk();
    const first = ledger.exporter();
    await first.start();
    await refused(
      ledger.exporter(),
      new RegExp(`${ledger.file} is written by process ${process.pid} on .* FLEETBOT_LEDGER_FILE of its own`),
    );
    await first.stop();
    const second = ledger.exporter();
    await second.start();
    await second.stop();
  });

  it.each([
    ['a process of this host that is gone', { started: '1' }, 0, true],
    ['this host before its last start', { boot: 'earlier' }, 0, true],
    ['another host that still renews it', { host: 'elsewhere' }, 0, false],
    ['another host that no longer renews it', { host: 'elsewhere' }, 61_000, true],
  ])('is free or not where the lock is of %s', async (_case, changes, ageMs, isFree) => {
    const ledger = new LedgerOnDisk();
    const lock = lockFileOf(ledger.file);
    const first = ledger.exporter();
    await first.start();
    const holder = JSON.parse(readFileSync(lock, 'utf8'));
    await first.stop();
    expect(existsSync(lock)).toBe(false);
    writeFileSync(lock, JSON.stringify({ ...holder, ...changes }));
    const at = new Date(Date.now() - ageMs);
    utimesSync(lock, at, at);
    const second = ledger.exporter();
    if (isFree) await second.start();
    else return refused(second, 'on elsewhere');
    await second.stop();
  });

  it('is not written to by a process that lost the lock while it stood still', async () => {
    const ledger = new LedgerOnDisk();
    const first = ledger.exporter();
    await first.start();
    rmSync(lockFileOf(ledger.file));
    const second = ledger.exporter();
    await second.start();
    ledger.source.add(3);
    await ledger.caughtUp();
    await soon(() => expect(first.status().failure?.message).toContain('is written by process'));
    await first.stop();
    await second.stop();
    const { sound, check } = await ledger.verify();
    expect({ sound, entries: check.entries }).toEqual({ sound: true, entries: 3 });
  });

  it.each([
    ['removed', (file: string) => rmSync(file)],
    ['moved', (file: string) => renameSync(file, `${file}.old`)],
  ])('is begun anew with all that is kept where it was %s', async (_case, doTo) => {
    const ledger = new LedgerOnDisk();
    const exporter = ledger.exporter();
    ledger.source.add(3);
    await exporter.start();
    await ledger.caughtUp();
    doTo(ledger.file);
    ledger.source.add(2);
    await ledger.caughtUp();
    await exporter.stop();
    expect(ofType(ledger.records(), 'entry').map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(ledger.logged).toContainEqual(
      expect.objectContaining({
        err: expect.objectContaining({ message: expect.stringContaining('removed it') }),
      }),
    );
    expect((await ledger.verify()).sound).toBe(true);
  });

  it('is not put in the place of another one', async () => {
    const ledger = new LedgerOnDisk();
    writeFileSync(`${ledger.file}.1`, 'precious');
    await refused(ledger.exporter({ maxBytes: 1_000 }), `${ledger.file}.1 is not as fleetbot left it`);
    rmSync(`${ledger.file}.1`);
    const exporter = ledger.exporter({ maxBytes: 1_000 });
    await exporter.start();
    writeFileSync(`${ledger.file}.1`, 'precious');
    ledger.source.add(10);
    await ledger.caughtUp();
    ledger.source.add(1);
    await soon(() =>
      expect(exporter.status()).toMatchObject({
        failure: { message: expect.stringContaining('is in its way') },
      }),
    );
    await exporter.stop();
    expect(readFileSync(`${ledger.file}.1`, 'utf8')).toBe('precious');
  });

  it('is refused where it was tampered with, and where it is no ledger', async () => {
    const ledger = new LedgerOnDisk();
    ledger.source.add(3);
    await ledger.export();
    const text = readFileSync(ledger.file, 'utf8');
    for (const changed of [text.replace('r-2', 'r-9'), `${text}?`, 'some text', 'some text\n']) {
      writeFileSync(ledger.file, changed);
      await refused(ledger.exporter(), 'is not as fleetbot left it');
      expect(readFileSync(ledger.file, 'utf8')).toBe(changed);
    }
  });

  it('is refused with another key, and with what is no Ed25519 key', async () => {
    const ledger = new LedgerOnDisk();
    ledger.source.add(3);
    await ledger.export();
    const other = newSigningKeyPair();
    await refused(ledger.exporter({}, other.privateKey), 'put the old key back');
    expect(() => ledger.exporter({}, 'PRIVATE KEY')).toThrow(SettingsError);
  });

  it('is refused where it cannot be made', async () => {
    const ledger = new LedgerOnDisk();
    rmSync(ledger.folder, { recursive: true });
    await refused(ledger.exporter(), /cannot be opened \(ENOENT.*FLEETBOT_LEDGER_FILE/);
  });
});

describe('a line that was not written to its end', () => {
  it('is removed, told, and its entry exported again', async () => {
    const ledger = new LedgerOnDisk();
    ledger.source.add(5);
    await ledger.export();
    const [last = ''] = ledger.lines().slice(-2);
    truncateSync(
      ledger.file,
      readFileSync(ledger.file).length - Buffer.byteLength(`${ledger.lines().at(-1)}`) - 11,
    );
    ledger.source.add(1);
    await ledger.export();
    expect(ofType(ledger.records(), 'torn')).toMatchObject([{ bytes: Buffer.byteLength(last) - 9 }]);
    expect(ofType(ledger.records(), 'entry').map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    const verification = await ledger.verify();
    expect(verification.sound).toBe(true);
    expect(counts(verification)).toEqual({ ...nothing, torn: 1 });
  });

  it('may be the very first one', async () => {
    const ledger = new LedgerOnDisk();
    ledger.append('{"type":"header","for');
    ledger.source.add(2);
    await ledger.export();
    expect(ledger.records().map(({ type }) => type)).toEqual([
      'header',
      'torn',
      'entry',
      'entry',
      'checkpoint',
    ]);
    expect((await ledger.verify()).sound).toBe(true);
  });

  it('may be zeros, which a power failure leaves', async () => {
    const ledger = new LedgerOnDisk();
    ledger.source.add(2);
    await ledger.export();
    ledger.append('\0'.repeat(100));
    ledger.source.add(2);
    await ledger.export();
    expect(counts(await ledger.verify())).toEqual({ ...nothing, torn: 1 });
  });
});
