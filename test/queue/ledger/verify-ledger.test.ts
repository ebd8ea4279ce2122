import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newSigningKeyPair } from '../../../src/fleet/signing-key.ts';
import { describeVerification } from '../../../src/queue/ledger/describe-verification.ts';
import { seal } from '../../../src/queue/ledger/ledger-line.ts';
import { counts, LedgerOnDisk, nothing } from './ledger-on-disk.ts';

/** A ledger of several files, with a rewind and a torn line in it, whose last line is a checkpoint. */
async function aLedger() {
  const ledger = new LedgerOnDisk();
  const small = { maxBytes: 2_000, batchEntries: 4, checkpointEntries: 8 };
  ledger.source.add(20);
  await ledger.export(small);
  ledger.source.lose(3);
  ledger.source.add(4);
  await ledger.export(small);
  const before = readFileSync(ledger.file);
  ledger.append('{"type":"en');
  ledger.source.add(3);
  await ledger.export({ ...small, maxBytes: 1_000_000 });
  return { ledger, before };
}

/** Checks with one file changed. */
async function changed(ledger: LedgerOnDisk, file: string, content: Buffer | string) {
  const before = readFileSync(file);
  writeFileSync(file, content);
  try {
    return await ledger.verify();
  } finally {
    writeFileSync(file, before);
  }
}

describe('a check of the ledger finds', () => {
  it('nothing in what fleetbot wrote, whatever crashed meanwhile', async () => {
    const { ledger } = await aLedger();
    expect(ledger.files().length).toBeGreaterThan(2);
    const verification = await ledger.verify();
    expect(counts(verification)).toEqual({ ...nothing, rewind: 1, torn: 1 });
    expect(verification.sound).toBe(true);
  });

  it('every single byte that is changed', async () => {
    const { ledger } = await aLedger();
    const bytes = fc.record({
      file: fc.constantFrom(...ledger.files()),
      at: fc.nat(),
      by: fc.integer({ min: 1, max: 255 }),
    });
    await fc.assert(
      fc.asyncProperty(bytes, async ({ file, at, by }) => {
        const content = readFileSync(file);
        fc.pre(content.length > 0);
        const place = at % content.length;
        content.writeUInt8((content.readUInt8(place) + by) % 256, place);
        expect((await changed(ledger, file, content)).sound).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('every line that is removed, doubled, moved or put in before the last checkpoint', async () => {
    const { ledger } = await aLedger();
    const places = ledger.files().flatMap((file, part, files) => {
      const { length } = ledger.lines(file);
      const isLast = part === files.length - 1;
      return Array.from({ length: isLast ? length - 1 : length }, (_, line) => ({ file, line }));
    });
    for (const { file, line } of places) {
      const lines = ledger.lines(file);
      const [here = '', there = ''] = [lines[line], lines[line + 1]];
      const edits = [
        lines.toSpliced(line, 1),
        lines.toSpliced(line, 0, here),
        lines.toSpliced(line, 0, ''),
        ...(there === '' ? [] : [lines.toSpliced(line, 2, there, here)]),
      ];
      for (const edited of edits) {
        const { sound } = await changed(ledger, file, edited.map((text) => `${text}\n`).join(''));
        expect({ file, line, sound }).toEqual({ file, line, sound: false });
      }
    }
  });

  it('a change after which all hashes were worked out anew', async () => {
    const { ledger } = await aLedger();
    const file = ledger.files()[0] ?? '';
    let hash = '0'.repeat(64);
    const forged = ledger.records(file).map(({ hash: _hash, ...record }) => {
      const changes = record.seq === 2 && record.type === 'entry' ? { entry: 'nothing happened' } : {};
      const sealed = seal({ ...record, ...changes } as Parameters<typeof seal>[0], hash);
      hash = sealed.hash;
      return sealed.text;
    });
    const verification = await changed(ledger, file, forged.join(''));
    expect(verification.sound).toBe(false);
    expect(verification.check.proved).toBeUndefined();
  });

  it('what was cut off before a checkpoint that was kept elsewhere, and only then', async () => {
    const { ledger, before } = await aLedger();
    const kept = JSON.stringify(ledger.logged.findLast(({ msg }) => msg === 'ledger checkpoint'));
    expect((await ledger.verify({ checkpoint: kept })).sound).toBe(true);
    const keptFile = join(ledger.folder, 'fleetbot.log');
    writeFileSync(keptFile, `${JSON.stringify({ msg: 'ready' })}\n${kept}\nsomething else\n`);
    writeFileSync(ledger.file, before);
    expect((await ledger.verify()).sound).toBe(true);
    for (const checkpoint of [kept, keptFile]) {
      const cut = await ledger.verify({ checkpoint });
      expect(cut.sound).toBe(false);
      expect(describeVerification(cut)).toContain('they were cut');
    }
  });

  it('a last line that is cut, or being written', async () => {
    const { ledger } = await aLedger();
    ledger.append('{"type":"entry","se');
    const verification = await ledger.verify();
    expect(verification.sound).toBe(false);
    expect(describeVerification(verification)).toContain('the last line is not finished');
  });

  it('another key, and that nothing is signed', async () => {
    const { ledger } = await aLedger();
    const keyFile = join(ledger.folder, 'other.pub');
    writeFileSync(keyFile, newSigningKeyPair().publicKey);
    const verification = await ledger.verify({ keyFile });
    expect(verification.sound).toBe(false);
    expect(describeVerification(verification)).toMatch(/another key signs .*no checkpoint proves anything/s);
  });
});

describe('what a check says', () => {
  it('is what was proved', async () => {
    const ledger = new LedgerOnDisk();
    ledger.source.add(5);
    const exporter = ledger.exporter({ checkpointIntervalMs: 600_000 });
    await exporter.start();
    await ledger.caughtUp();
    ledger.source.add(2);
    await ledger.caughtUp();
    const text = describeVerification(await ledger.verify());
    await exporter.stop();
    expect(text.split('\n')).toEqual([
      expect.stringMatching(/^7 entries from 1 to 7, 1 checkpoint signed by key [0-9a-f]{64}\.$/),
      expect.stringMatching(
        /^Proved up to entry 5 by the checkpoint of .*Z; not covered yet: 2 entries after it\.$/,
      ),
      expect.stringContaining('--checkpoint'),
      'The ledger is sound.',
      '',
    ]);
  });

  it('is told in a bounded number of lines, however much is wrong', async () => {
    const ledger = new LedgerOnDisk();
    ledger.source.add(200);
    await ledger.export();
    const spoilt = ledger.lines().map((line) => `${line.replace('run.', 'ran.')}\n`);
    writeFileSync(ledger.file, spoilt.join(''));
    const lines = describeVerification(await ledger.verify()).split('\n');
    expect(lines[0]).toMatch(/^TAMPERING/);
    expect(lines[1]).toMatch(
      /ledger\.jsonl:2: was changed, or lines before it were changed, removed or added\.$/,
    );
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}and 1\d\d more\.$/));
    expect(lines.length).toBeLessThan(40);
    expect(lines.at(-2)).toBe('The ledger is NOT sound.');
  });

  it('names a file, a key or a checkpoint that cannot be read', async () => {
    const { ledger } = await aLedger();
    await expect(ledger.verify({ files: ['/nowhere'] })).rejects.toThrow('/nowhere cannot be read');
    await expect(ledger.verify({ keyFile: ledger.file })).rejects.toThrow('holds no Ed25519 public key');
    await expect(ledger.verify({ checkpoint: '{}' })).rejects.toThrow('--checkpoint is no checkpoint');
  });
});
