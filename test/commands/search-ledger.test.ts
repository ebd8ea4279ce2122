import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { searchLedger } from '../../src/commands/search-ledger.ts';
import type { LedgerEntry } from '../../src/fleet/ledger-entry.ts';
import { genesisHash, type LedgerLine, seal } from '../../src/queue/ledger/ledger-line.ts';
import type { SearchLine } from '../../src/runtime/command-line.ts';
import { accepted, activated, ann, ben, decided, done, runId } from '../fleet/audit/facts.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'fleetbot-search-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const day = (date: number) => Date.UTC(2026, 10, date, 12);
/** The exported ledger before its file was put aside, and after. */
const older: readonly LedgerEntry[] = [
  accepted(1, 'web-01', day(1)),
  accepted(2, 'web-02', day(2), { by: ben }),
  { kind: 'halt.began', at: day(2), by: ann, halt: 'h-1', selector: 'role=web', reason: 'fire' },
  { kind: 'halt.began', at: day(2), by: ann, halt: 'h-2', selector: 'db-01,db-02', reason: 'move' },
  activated(1, 'web-01', day(3), 0.5),
];
const newer: readonly LedgerEntry[] = [
  decided(1, 'web-01', day(4)),
  done(1, 'web-01', day(5)),
  done(2, 'web-02', day(6), { verdict: 'critical' }),
];

function write(name: string, lines: readonly LedgerLine[], end = ''): string {
  const file = join(folder, name);
  let previous = genesisHash;
  const texts = lines.map((line) => {
    const { text, hash } = seal(line, previous);
    previous = hash;
    return text;
  });
  writeFileSync(file, `${texts.join('')}${end}`);
  return file;
}

const entriesOf = (entries: readonly LedgerEntry[], first: number): LedgerLine[] =>
  entries.map((entry, index) => ({
    ...({ type: 'entry', seq: first + index, position: `${entry.at}-${first + index}` } as const),
    entry,
  }));
const part1 = write('ledger.1.jsonl', entriesOf(older, 1));
const part2 = write('ledger.jsonl', entriesOf(newer, older.length + 1));

/** What the search prints. */
async function search(asked: Partial<SearchLine>, ...files: readonly string[]) {
  const pieces: string[] = [];
  const out = new Writable({ write: (piece, _encoding, next) => next(void pieces.push(String(piece))) });
  const err: string[] = [];
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err.push(String(text).trimEnd());
    return true;
  });
  const line = { command: 'ledger search', format: 'json', ...asked, files } as const;
  const isWell = await searchLedger(line, out).finally(() => stderr.mockRestore());
  const text = pieces.join('');
  return { isWell, text, err, rows: rowsOf(text) };
}

function rowsOf(text: string): readonly Record<string, unknown>[] {
  if (!text.startsWith('{')) return [];
  return text
    .trim()
    .split('\n')
    .map((row) => JSON.parse(row));
}

describe('fleetbot ledger search', () => {
  it('joins what stands in several files, in whatever order they are given, each fact once', async () => {
    const time = { since: '2026-11-05', until: '2026-11-05' };
    const { isWell, rows } = await search(time, part2, part1, part1);
    expect(isWell).toBe(true);
    expect(rows).toMatchObject([
      { kind: 'run', id: runId(1), who: 'UANN', what: 'check disk', result: 'ok', costUsd: 0.5 },
    ]);
    expect(rows[0]).toMatchObject({
      ...{ at: '2026-11-01T12:00:00.000Z', until: '2026-11-05T12:00:00.000Z' },
      votes: [{ userId: 'UBEN', decision: 'approve' }],
      history: [{ who: 'UANN' }, { who: 'fleetbot' }, { who: 'UBEN' }, { who: 'fleetbot' }],
    });
  });

  it('takes a span of time as so long ago', async () => {
    expect((await search({ until: '9999d' }, part1)).rows).toEqual([]);
    expect((await search({ since: '9999d' }, part1)).rows).toHaveLength(4);
  });

  it('finds machines and people; what may have meant a machine is not left out', async () => {
    const byMachine = await search({ machines: 'web-0*&!web-02' }, part1, part2);
    const byPerson = await search({ person: 'UBEN', format: 'csv' }, part1, part2);
    expect(byMachine.rows.map(({ id }) => id)).toEqual([runId(1), 'h-1']);
    const lines = byPerson.text.trim().split('\r\n');
    expect(lines.filter((line) => line.includes('"run"'))).toHaveLength(2);
  });

  it('says what it could not read, and which entries are missing', async () => {
    const odd = write(
      'odd.jsonl',
      [
        { type: 'gap', from: 1, to: 3, at: day(1) },
        { type: 'entry', seq: 4, position: `${day(2)}-0`, entry: { kind: 'of tomorrow', at: day(2) } },
        ...entriesOf([accepted(1, 'web-01', day(3))], 5),
      ],
      '{"half',
    );
    const { code, out, err } = await new Promise<{ code: number | null; out: string; err: string }>(
      (resolve) => {
        const args = [main, 'ledger', 'search', odd];
        const child = execFile(process.execPath, args, { env: {} }, (_error, out, err) =>
          resolve({ code: child.exitCode, out, err }),
        );
      },
    );
    expect(code).toBe(1);
    expect(rowsOf(out)).toHaveLength(1);
    expect(err).toContain('odd.jsonl:1: entries 1 to 3 are not there');
    expect(err).toContain('odd.jsonl:2: this version of fleetbot cannot read entry 4');
    expect(err).toContain('odd.jsonl:4: this is no line of a ledger');
  });

  it('says which entries somebody removed, inside a file and between files, and what is unknown for it', async () => {
    const header = {
      type: 'header',
      format: 1,
      exporter: 'e',
      key: 'k',
      previous: null,
      at: day(1),
    } as const;
    const first = entriesOf(older, 1);
    const cut = write('cut.1.jsonl', [
      { ...header, part: 1, next: 1 },
      ...first.slice(1, 3),
      ...first.slice(4),
    ]);
    const next = write('cut.3.jsonl', [{ ...header, part: 3, next: 7 }, ...entriesOf(newer.slice(1), 7)]);
    const told = await search({ format: 'csv' }, next, cut);
    expect(told.isWell).toBe(false);
    expect(told.err).toEqual([
      `${cut}:2: entry 1 is missing before this line.`,
      `${cut}:4: entry 4 is missing before this line.`,
      `Between part 1 (${cut}) and part 3 (${next}) of the ledger something is missing: entry 6 is missing.`,
    ]);
    const row = told.text.split('\r\n').find((line) => line.includes(runId(1)));
    expect(row).toContain('"(not in what was read)","(not in what was read)","web-01"');
  });

  it('takes numbers that come again after Redis lost some for what they are', async () => {
    const again = write('again.jsonl', [
      { type: 'header', format: 1, part: 1, exporter: 'e', key: 'k', previous: null, next: 1, at: day(1) },
      ...entriesOf(older, 1),
      { type: 'rewound', from: 5, to: 3, at: day(3) },
      ...entriesOf(newer, 4),
    ]);
    expect(await search({}, again)).toMatchObject({ isWell: true, err: [] });
  });

  it.each([
    [{ person: 'UNOBODY' }, ['Nothing was found.']],
    [
      { machines: 'web-1', person: 'UBEN' },
      [
        'Nothing was found.',
        'These files tell of no request to a machine that matches web-1. Did you mean web-01?',
      ],
    ],
    [{ machines: 'sandbx-*' }, ['These files tell of no request to a machine that matches sandbx-*.']],
    [{ machines: 'web-*', person: 'UBEN' }, []],
  ])('says that nothing was found for %j, and no machine', async (asked, says) => {
    const { isWell, err } = await search(asked, part1, part2);
    expect({ isWell, err }).toEqual({ isWell: true, err: says });
  });

  it.each([
    [{ person: 'alex' }, part1, '--person alex is no Slack id'],
    [{ person: 'me' }, part1, '--person me is no Slack id'],
    [{ since: 'soon' }, part1, '--since soon is no time'],
    [{ machines: 'role=web' }, part1, 'by their names only, not by role'],
    [{}, join(folder, 'nowhere'), 'cannot be read'],
  ])('refuses %j of %s', async (asked, file, problem) => {
    await expect(search(asked, file)).rejects.toThrow(problem);
  });
});
