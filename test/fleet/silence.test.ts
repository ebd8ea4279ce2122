import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDuration } from '../../src/fleet/duration.ts';
import { heldBackAt } from '../../src/fleet/held-back.ts';
import { nextBegin, windowsOpenAt } from '../../src/fleet/maintenance.ts';
import type { Requester } from '../../src/fleet/requester.ts';
import { silencedWords, silenceFor } from '../../src/fleet/silence.ts';
import type { WindowEntry } from '../../src/fleet/time-rules.ts';
import { sampleApproval } from '../support/sample-question.ts';
import { sampleRun } from '../support/sample-run.ts';
import { sampleSilence } from '../support/sample-silence.ts';
import { fleetOfOne, machineWith } from './fixtures.ts';

const minuteMs = 60_000;

describe('a span of time as people type it', () => {
  it.each([
    ['30m', 30],
    ['2h', 120],
    ['1d12h', 36 * 60],
    ['1W', 7 * 24 * 60],
    ['1h30m', 90],
  ])('%s is read', (text, minutes) => {
    expect(readDuration(text)).toBe(minutes * minuteMs);
  });

  it.each(['', '30', 'm', '30s', '30m2h', '1h1h', '-5m', '1.5h', 'until 06:00', '99999999d'])(
    '%j is not taken for one',
    (text) => {
      expect(readDuration(text)).toBeUndefined();
    },
  );
});

describe('a silence', () => {
  const machine = machineWith();

  it('holds up to, not including, its end, and no longer than until somebody ends it', () => {
    const silence = sampleSilence({ from: 1_000, until: 2_000 });
    const at = (now: number, silences = [silence]) => silenceFor(silences, machine, now) !== undefined;
    expect([at(1_000), at(1_999), at(2_000), at(9_000)]).toEqual([true, true, false, false]);
    const by = { kind: 'person', userId: 'U2', teamId: 'T1' } as const;
    expect(at(1_500, [{ ...silence, ended: { by, at: 1_400 } }])).toBe(false);
  });

  it('is for the machines of its selector only; of several the one that ends last is named', () => {
    const silences = [
      sampleSilence({ id: 's-1', until: 3_000, machines: 'rhel-*' }),
      sampleSilence({ id: 's-2', until: 5_000, machines: 'rhel-01' }),
      sampleSilence({ id: 's-3', until: 9_000, machines: 'web-*' }),
    ];
    expect(silenceFor(silences, machine, 2_000)?.id).toBe('s-2');
    expect(silenceFor(silences, { ...machine, name: 'db-01' }, 2_000)).toBeUndefined();
  });

  it('says until when and why, and which window it is', () => {
    expect(silencedWords(sampleSilence({ until: 0, reason: 'new kernel' }))).toBe(
      'silenced until 1970-01-01 00:00:00 UTC: new kernel',
    );
    const window = sampleSilence({ until: 0, by: { kind: 'window', window: 'patch-night' } });
    expect(silencedWords(window)).toContain('by the maintenance window patch-night');
  });
});

/** A fleet of rhel-01 with this window. */
function withWindow(changes: Partial<WindowEntry> = {}) {
  const fleet = fleetOfOne();
  const window: WindowEntry = {
    ...{ name: 'patch-night', machines: 'rhel-*', cron: '30 2 * * *', timeZone: 'Europe/Berlin' },
    ...{ minutes: 60, reason: 'kernel updates', channel: 'C0OPS', ...changes },
  };
  return { ...fleet, maintenance: [window] };
}

describe('a maintenance window', () => {
  it('is open from its begin in its zone for its minutes', () => {
    const fleet = withWindow();
    const begin = Date.UTC(2026, 6, 5, 0, 30);
    const open = (now: number) => windowsOpenAt(fleet, now).length > 0;
    expect([begin - 1, begin, begin + 60 * minuteMs - 1, begin + 60 * minuteMs].map(open)).toEqual([
      ...[false, true, true, false],
    ]);
    expect(windowsOpenAt(fleet, begin)).toEqual([
      {
        id: `w-patch-night-${begin.toString(36)}`,
        machines: 'rhel-*',
        reason: 'kernel updates',
        by: { kind: 'window', window: 'patch-night' },
        origin: { channel: 'C0OPS' },
        from: begin,
        until: begin + 60 * minuteMs,
      },
    ]);
  });

  it('that lies in the hour that a change of clocks skips is open once, right after it', () => {
    // 2026-03-29 02:30 does not exist in Berlin; 03:00 there is 01:00 UTC.
    const [window, ...others] = windowsOpenAt(withWindow(), Date.UTC(2026, 2, 29, 1, 45));
    expect(others).toEqual([]);
    expect(window?.until).toBeGreaterThan(Date.UTC(2026, 2, 29, 1, 45));
    expect(windowsOpenAt(withWindow(), Date.UTC(2026, 2, 29, 2, 45))).toEqual([]);
  });

  it('that lies in the hour that comes twice is open once', () => {
    // 02:30 comes at 00:30 UTC and again at 01:30 UTC.
    const open = (hour: number, minute: number) =>
      windowsOpenAt(withWindow({ minutes: 30 }), Date.UTC(2026, 9, 25, hour, minute)).length > 0;
    expect([open(0, 45), open(1, 45)]).toEqual([true, false]);
  });

  it('is told in its own channel, else in that of its first machine that has one, else nowhere', () => {
    const { channel: _channel, ...window } = withWindow().maintenance[0] as WindowEntry;
    const fleetWith = (yaml: string) => ({ ...fleetOfOne(yaml), maintenance: [window] });
    const at = Date.UTC(2026, 6, 5, 0, 30);
    expect(windowsOpenAt(fleetWith('    channel: C0RHEL'), at)[0]?.origin).toEqual({ channel: 'C0RHEL' });
    expect(windowsOpenAt(fleetWith(''), at)[0]?.origin).toBeUndefined();
  });

  it('of other machines is not looked at where one is asked about', () => {
    const other = { ...machineWith(), name: 'web-01' };
    expect(windowsOpenAt(withWindow(), Date.UTC(2026, 6, 5, 0, 30), other)).toEqual([]);
  });

  it('is open exactly between a begin and the end that belongs to it, at any time', () => {
    const crons = fc.constantFrom('30 2 * * *', '0 */6 * * *', '15 1 * * SUN', '0 0 1 * *', '45 23 29 2 *');
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe');
    const now = fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2030, 0) });
    fc.assert(
      fc.property(crons, zones, fc.integer({ min: 1, max: 300 }), now, (cron, timeZone, minutes, at) => {
        const fleet = withWindow({ cron, timeZone, minutes });
        const [open] = windowsOpenAt(fleet, at);
        const next = nextBegin(fleet.maintenance[0] as WindowEntry, at) ?? Number.POSITIVE_INFINITY;
        expect(next).toBeGreaterThan(at);
        if (open === undefined) return;
        expect(open.from <= at && at < open.until).toBe(true);
        expect(open.until - open.from).toBe(minutes * minuteMs);
        // What begins is open at once: the one before has no gap in which it was forgotten.
        expect(windowsOpenAt(fleet, open.from)[0]?.id).toBe(open.id);
      }),
      { numRuns: 60 },
    );
  });
});

describe('what a silence holds back', () => {
  const checked = () => sampleRun('r-0000000000aa', 'queued');
  const supervisor: Requester = {
    ...{ kind: 'supervisor', machine: 'web-02', run: 'r-1', hops: 1 },
    trace: { traceId: 'a'.repeat(32), rootSpanId: 'b'.repeat(16) },
  };
  const asking = (proposedBy: 'person' | 'rule' | 'agent') => {
    const run = checked();
    return { ...run, approval: sampleApproval(run, { proposedBy }) };
  };

  it.each<[Requester, string]>([
    [{ kind: 'alert', incident: 'i-1' }, 'alert'],
    [{ kind: 'schedule', schedule: 'nightly' }, 'schedule'],
    [supervisor, 'peer'],
  ])('is a run that %j asked for', (requester, kind) => {
    const run = checked();
    const held = heldBackAt({ ...run, request: { ...run.request, requester } }, 'run');
    expect(held).toMatchObject({ kind, machine: run.request.machine });
  });

  it('is no run that a person asked for, but the question that comes of it', () => {
    expect(heldBackAt(checked(), 'run')).toBeUndefined();
    expect(heldBackAt(checked(), 'escalation')).toMatchObject({ kind: 'escalation' });
  });

  it('is an approved action that a rule or the agent proposed, and none that a person asked for', () => {
    expect(heldBackAt(asking('rule'), 'action')).toMatchObject({ kind: 'action' });
    expect(heldBackAt(asking('agent'), 'action')).toMatchObject({ kind: 'action' });
    expect(heldBackAt(asking('person'), 'action')).toBeUndefined();
    const run = checked();
    const task = { kind: 'act', action: 'vacuum-journal', params: {} } as const;
    expect(heldBackAt({ ...run, request: { ...run.request, task } }, 'escalation')).toBeUndefined();
  });
});
