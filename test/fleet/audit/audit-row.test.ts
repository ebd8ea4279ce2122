import { describe, expect, it } from 'vitest';
import { auditPieces } from '../../../src/fleet/audit/audit-files.ts';
import { type AuditRow, auditRow } from '../../../src/fleet/audit/audit-row.ts';
import { concerns } from '../../../src/fleet/audit/concerns.ts';
import { Deeds } from '../../../src/fleet/audit/deeds.ts';
import { type LedgerEntry, ledgerEntrySchema } from '../../../src/fleet/ledger-entry.ts';
import { everyKind } from './every-kind.ts';
import {
  accepted,
  acted,
  activated,
  asked,
  ben,
  campaignOf,
  decided,
  done,
  rated,
  runId,
  settled,
} from './facts.ts';

const at = Date.UTC(2026, 10, 23, 10);
const kinds = Object.entries(everyKind);

/** The rows of these facts, in whatever order they were read. */
function rowsOf(...entries: readonly LedgerEntry[]): readonly AuditRow[] {
  const deeds = new Deeds();
  for (const [index, entry] of [...entries.entries()].toReversed()) {
    deeds.add({ position: `${entry.at}-${index}`, entry });
  }
  return deeds.all().map(auditRow);
}
const rowOf = (...entries: readonly LedgerEntry[]) => rowsOf(...entries)[0];

describe('every kind of fact', () => {
  it.each(kinds)('%s is in a row of its subject, with words', (kind, entry) => {
    expect(ledgerEntrySchema.parse(entry).kind).toBe(kind);
    const [row, ...more] = rowsOf(entry);
    expect(more).toEqual([]);
    expect(row?.history).toHaveLength(1);
    expect(row?.history[0]?.what).toMatch(/\w{3}/);
    expect(row).toMatchObject({ at: entry.at, until: entry.at });
    for (const format of ['json', 'csv'] as const) {
      expect(
        [
          ...auditPieces(
            [row].flatMap((each) => each ?? []),
            format,
          ),
        ].join(''),
      ).toContain(row?.id);
    }
  });

  it.each(kinds.filter(([, entry]) => 'by' in entry))('%s is found by who did it', (_kind, entry) => {
    const deeds = new Deeds();
    deeds.add({ position: '1-0', entry });
    const [deed] = deeds.all();
    const person = 'by' in entry && entry.by === 'UANN' ? 'UANN' : undefined;
    const found = (who: string) => deed !== undefined && concerns({ person: who }, deed);
    expect(found('UANN') || found('UBEN') || person === undefined).toBe(true);
    expect(found('UNOBODY')).toBe(false);
  });
});

describe('the row of a run', () => {
  it('joins request, question, votes, action, cost and end', () => {
    expect(
      rowOf(
        accepted(1, 'web-01', at),
        activated(1, 'web-01', at + 1, 0.25),
        asked(1, 'web-01', at + 2),
        decided(1, 'web-01', at + 3, { reason: 'full' }),
        settled(1, 'web-01', at + 3, 'approved'),
        acted(1, 'web-01', at + 4),
        done(1, 'web-01', at + 5, { verdict: 'ok' }),
      ),
    ).toMatchObject({
      ...{
        kind: 'run',
        id: runId(1),
        at,
        until: at + 5,
        who: 'UANN',
        what: 'check disk',
        machines: ['web-01'],
      },
      ...{ result: 'ok', detail: 'action done, confirmed', costUsd: 0.25, people: ['UANN', 'UBEN'] },
      votes: [{ at: at + 3, userId: 'UBEN', decision: 'approve', groups: ['sre'], reason: 'full' }],
      trace: '1'.padStart(32, '0'),
    });
  });

  it.each([
    ['denied', 'cancelled', 'denied', ''],
    ['expired', 'cancelled', 'expired', ''],
    ['denied', 'critical', 'critical', 'question denied'],
    ['approved', 'ok', 'ok', ''],
  ] as const)('of a question that is %s, with verdict %s, is %s', (state, verdict, result, detail) => {
    const row = rowOf(
      accepted(1, 'web-01', at),
      asked(1, 'web-01', at),
      settled(1, 'web-01', at, state),
      done(1, 'web-01', at, { verdict }),
    );
    expect(row).toMatchObject({ result, detail });
  });

  it('tells the last word of each person on the answer', () => {
    const row = rowOf(
      accepted(1, 'web-01', at),
      done(1, 'web-01', at + 1),
      rated(1, 'web-01', at + 2, 'bad'),
      rated(1, 'web-01', at + 3, 'good', ben),
      rated(1, 'web-01', at + 4, 'good'),
    );
    expect(row?.detail).toBe('answer good (UANN); answer good (UBEN)');
    expect(row?.history).toHaveLength(5);
  });

  it('says in words why its agent was held back', () => {
    const withheld = { moment: 'agent', kind: 'over-budget' } as const;
    const row = rowOf(accepted(1, 'web-01', at), done(1, 'web-01', at + 1, { withheld }));
    expect(row?.detail).toBe('agent held back: a budget was used up');
  });

  it('says what is not known instead of guessing', () => {
    const ended = rowOf(done(1, 'web-01', at));
    expect(ended).toMatchObject({ who: undefined, what: undefined, trace: undefined, machines: ['web-01'] });
    expect(rowOf(accepted(1, 'web-01', at))).toMatchObject({ result: 'not over' });
    expect(rowOf(accepted(1, 'web-01', at), asked(1, 'web-01', at))).toMatchObject({
      result: 'waits for people',
    });
    const begun = accepted(1, 'web-01', at);
    expect(rowOf(begun, activated(1, 'web-01', at, 0.25))?.costUsd).toBe(0.25);
    const [priced, unpriced] = [activated(1, 'web-01', at, 0.25), activated(1, 'web-01', at + 1)];
    expect(rowOf(begun, priced, unpriced)?.costUsd).toBeUndefined();
    expect(rowOf(priced)?.costUsd).toBeUndefined();
    const before = accepted(1, 'web-01', at, { runs: [{ run: runId(1), machine: 'web-01' }] });
    const { run, trace } = { run: runId(1), trace: 'f'.repeat(32) };
    expect(rowOf(before)?.trace).toBeUndefined();
    expect(rowOf(before, decided(1, 'web-01', at, { run, trace }))?.trace).toBe(trace);
  });

  it('tells a fact that was read twice once', () => {
    const deeds = new Deeds();
    const entry = done(1, 'web-01', at);
    for (let times = 0; times < 2; times += 1) deeds.add({ position: '5-1', entry });
    expect(deeds.all()[0]?.facts).toHaveLength(1);
  });
});

it('tells each run of a campaign, and the campaign with what people did about it', () => {
  const rows = rowsOf(
    campaignOf(['web-01', 'web-02'], at),
    { kind: 'campaign.stopped', at: at + 1, campaign: 'c-m1abcdef0000', wave: 0, why: 'web-01 is critical' },
    { kind: 'campaign.continued', at: at + 2, by: ben, campaign: 'c-m1abcdef0000', wave: 0 },
    done(2, 'web-02', at + 3),
  );
  expect(rows.map(({ kind, machines, result }) => [kind, machines.join(' '), result])).toEqual([
    ['run', 'web-02', 'ok'],
    ['campaign', 'web-01 web-02', 'handed in'],
    ['run', 'web-01', 'not over'],
  ]);
  expect(rows[1]).toMatchObject({ who: 'UANN', what: 'check disk', people: ['UANN', 'UBEN'] });
  expect(rows[1]?.history.map(({ who, what }) => `${who} ${what}`)).toEqual([
    'UANN asked for: check disk',
    'fleetbot stopped the campaign after wave 1: web-01 is critical',
    'UBEN continued the campaign after wave 1',
  ]);
});
