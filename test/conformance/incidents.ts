import { describe, expect, it } from 'vitest';
import type { IncidentStore } from '../../src/alerts/ports.ts';
import type { Incidents as BotIncidents } from '../../src/bot/ports.ts';
import type { Incidents as DispatchIncidents } from '../../src/dispatch/ports.ts';
import type { AlertRules } from '../../src/fleet/alert-rules.ts';
import type { Incident } from '../../src/fleet/incident.ts';
import { endRound, planIncident } from '../../src/fleet/plan-incident.ts';
import { alertGroup, alertRules, foundAlert, unmatchedAlert } from '../support/alert-groups.ts';

type Incidents = IncidentStore &
  DispatchIncidents &
  BotIncidents & { isOver(id: string, machine: string, check: string): Promise<boolean> };

/** An adapter of the ports of incidents, by a clock that the test sets. */
export interface IncidentsUnderTest {
  readonly incidents: Incidents;
  /** The same incidents as another process has them. */
  readonly others: Incidents;
  readonly time: { now: number };
}

const minuteMs = 60_000;
const rules = alertRules();

/** What every adapter promises. @param make incidents of which none are stored */
export function incidentsSuite(name: string, make: () => IncidentsUnderTest): void {
  describe(`incidents: ${name}`, () => {
    /** The incident in which these alerts are, and what is stored of it. */
    async function take(
      { incidents, time }: IncidentsUnderTest,
      alerts: Parameters<typeof alertGroup>[0],
      options: { readonly eventId?: string; readonly rules?: AlertRules } = {},
    ) {
      const { duplicate } = await incidents.take([alertGroup(alerts)], { rules, ...options });
      const later = time.now + 10 * 60 * minuteMs;
      const ids = await incidents.due(later, 1_000);
      const all = await Promise.all(ids.map((id) => incidents.incident(id)));
      return { duplicate, open: all.filter((each) => each !== undefined) };
    }

    /** Plans once, at this moment, and returns what came of it. */
    const plan = ({ incidents, time }: IncidentsUnderTest, { id }: Incident, by: AlertRules = rules) =>
      incidents.change(id, (incident, targets) => planIncident(incident, targets, by, time.now));

    function only(open: readonly Incident[]): Incident {
      const [incident] = open;
      if (incident === undefined || open.length > 1) throw new Error(`${open.length} incidents are open`);
      return incident;
    }

    it('gathers alerts of one key, and counts what is new, repeated, resolved and firing again', async () => {
      const under = make();
      await take(under, [foundAlert('web-01'), foundAlert('web-02')]);
      await take(under, [foundAlert('web-01'), foundAlert('web-02', 'resolved')]);
      const incident = only((await take(under, [foundAlert('web-02'), unmatchedAlert('Odd')])).open);
      expect(incident.counts).toEqual({ alerts: 3, firing: 3, notifications: 6, unmatched: 1 });
      expect(incident.alerts.map(({ fingerprint, times, status }) => [fingerprint, times, status])).toEqual([
        ['DiskAlmostFull web-01', 2, 'firing'],
        ['DiskAlmostFull web-02', 3, 'firing'],
        ['Odd nowhere', 1, 'firing'],
      ]);
      expect(incident.kinds).toEqual([
        { name: 'DiskAlmostFull', alerts: 2 },
        { name: 'Odd', alerts: 1 },
      ]);
    });

    it('opens none for the end of an alert that it does not know', async () => {
      expect((await take(make(), [foundAlert('web-01', 'resolved')])).open).toEqual([]);
    });

    it('takes a delivery once, and once more when it comes again much later', async () => {
      const under = make();
      const alerts = [foundAlert('web-01')];
      expect(await take(under, alerts, { eventId: 'Ev1' })).toMatchObject({ duplicate: false });
      const again = await take(under, alerts, { eventId: 'Ev1' });
      expect(again.duplicate).toBe(true);
      expect(only(again.open).counts.notifications).toBe(1);
      expect((await take(under, alerts)).open[0]?.counts.notifications).toBe(2);
    });

    it('takes a delivery that comes to two processes at once, once', async () => {
      const under = make();
      const { incidents, others } = under;
      const groups = [alertGroup([foundAlert('web-01')])];
      await Promise.all(
        [incidents, others, incidents, others].map((each) => each.take(groups, { rules, eventId: 'Ev1' })),
      );
      expect(only((await take(under, [foundAlert('web-01')])).open).counts.notifications).toBe(2);
    });

    it('is one, whichever processes open it at once', async () => {
      const under = make();
      const groups = [alertGroup([foundAlert('web-01')])];
      await Promise.all([under.incidents, under.others].map((each) => each.take(groups, { rules })));
      expect(only((await take(under, [foundAlert('web-02')])).open).counts.notifications).toBe(3);
    });

    it('takes a delivery once also where one process has an incident for it and the other a storm', async () => {
      const under = make();
      const one = alertRules({ incidentsPerMinute: 1 });
      const groups = [alertGroup([foundAlert('web-01')])];
      await Promise.all(
        [under.incidents, under.others].map((each) => each.take(groups, { rules: one, eventId: 'Ev1' })),
      );
      expect(only((await take(under, [], { rules: one })).open).counts.notifications).toBe(1);
    });

    it('takes one of the new incidents of a minute for each key, though each delivery comes twice at once', async () => {
      const under = make();
      const names = ['A', 'B', 'C', 'D', 'E'];
      const five = alertRules({ incidentsPerMinute: names.length });
      const deliver = (name: string, { incidents }: Pick<IncidentsUnderTest, 'incidents'>) =>
        incidents.take([alertGroup([foundAlert('web-01', 'firing', { name })])], {
          rules: five,
          eventId: name,
        });
      await Promise.all(
        names.flatMap((name) => [
          deliver(name, under),
          deliver(name, under),
          deliver(name, { incidents: under.others }),
        ]),
      );
      const { open } = await take(under, []);
      expect(open.map(({ storm, counts }) => [storm, counts.notifications])).toEqual(
        names.map(() => [false, 1]),
      );
    });

    it('is looked at when it gathered for as long as it should, and a machine again when its alerts begin again', async () => {
      const under = make();
      const { incidents, time } = under;
      const incident = only((await take(under, [foundAlert('web-01')])).open);
      expect(await incidents.due(time.now + 9_999, 10)).toEqual([]);
      time.now += 10_000;
      expect(await incidents.due(time.now, 10)).toEqual([incident.id]);
      const round = await plan(under, incident);
      expect(round).toMatchObject({ rounds: 1, underWay: { check: 'disk', machines: ['web-01'] } });
      const noted = { machine: 'web-01', check: 'disk', at: time.now, run: 'r-1' };
      await incidents.change(incident.id, (now) => ({ incident: endRound(now, [noted]), dueAt: time.now }));
      expect(await plan(under, incident)).toMatchObject({ investigations: [noted] });
      time.now += minuteMs;
      await take(under, [foundAlert('web-01', 'resolved')]);
      await take(under, [foundAlert('web-01')]);
      time.now += 10_000;
      expect(await plan(under, incident)).toMatchObject({ rounds: 2, underWay: { machines: ['web-01'] } });
    });

    it('is looked at no later because more alerts come meanwhile', async () => {
      const under = make();
      const { id } = only((await take(under, [foundAlert('web-01')])).open);
      under.time.now += 9_000;
      await take(under, [foundAlert('web-02')]);
      expect(await under.incidents.due(under.time.now + 1_000, 10)).toEqual([id]);
    });

    it('is due again after more alerts', async () => {
      const under = make();
      const { incidents, time } = under;
      const incident = only((await take(under, [unmatchedAlert('DiskAlmostFull')])).open);
      time.now += 10_000;
      await plan(under, incident);
      expect(await incidents.due(time.now + 59 * minuteMs, 10)).toEqual([]);
      await take(under, [foundAlert('web-02')]);
      expect(await incidents.due(time.now + 10_000, 10)).toEqual([incident.id]);
    });

    it('knows whether all alerts of a machine and check are over', async () => {
      const under = make();
      const other = { name: 'InodesAlmostFull' };
      const { open } = await take(under, [foundAlert('web-01'), foundAlert('web-01', 'firing', other)]);
      const { id } = only(open);
      await take(under, [foundAlert('web-01', 'resolved')]);
      expect(await under.incidents.isOver(id, 'web-01', 'disk')).toBe(false);
      await take(under, [foundAlert('web-01', 'resolved'), foundAlert('web-01', 'resolved', other)]);
      expect(await under.incidents.isOver(id, 'web-01', 'disk')).toBe(true);
      expect(await under.incidents.isOver(id, 'web-02', 'disk')).toBe(false);
      expect(await under.incidents.isOver('i-unknown', 'web-01', 'disk')).toBe(false);
    });

    it('that is closed changes no more, and its key opens another one', async () => {
      const under = make();
      const { incidents, time } = under;
      const first = only((await take(under, [foundAlert('web-01')])).open);
      await take(under, [foundAlert('web-01', 'resolved')]);
      time.now += 10_000;
      expect(await plan(under, first)).toMatchObject({ closedAt: time.now, counts: { firing: 0 } });
      expect(await incidents.due(time.now + 999 * minuteMs, 10)).toEqual([]);
      expect(await plan(under, first)).toBeUndefined();
      const second = only((await take(under, [foundAlert('web-01')])).open);
      expect(second.id).not.toBe(first.id);
      expect(await incidents.isOver(first.id, 'web-01', 'disk')).toBe(true);
    });

    it('that heard nothing for too long takes no more alerts', async () => {
      const under = make();
      const first = only((await take(under, [foundAlert('web-01')])).open);
      under.time.now += 60 * minuteMs;
      const { open } = await take(under, [foundAlert('web-01')]);
      expect(open).toHaveLength(2);
      expect(await plan(under, first)).toMatchObject({ closedAt: under.time.now, counts: { firing: 1 } });
      expect(
        (await take(under, [foundAlert('web-01')])).open.map(({ counts }) => counts.notifications),
      ).toEqual([2]);
    });

    it('is one storm where too many would be opened in a channel, and counts there, too', async () => {
      const under = make();
      const few = alertRules({ incidentsPerMinute: 2 });
      const names = ['A', 'B', 'C', 'D'];
      for (const name of names) await take(under, [foundAlert('web-01', 'firing', { name })], { rules: few });
      const told = await take(under, [foundAlert('web-01', 'resolved', { name: 'D' })], { rules: few });
      const storms = told.open.filter(({ storm }) => storm);
      expect(told.open).toHaveLength(3);
      expect(only(storms)).toMatchObject({
        title: 'Alert storm',
        counts: { alerts: 2, firing: 1, notifications: 3, unmatched: 0 },
      });
      const elsewhere = alertGroup([foundAlert('web-01')], { channel: 'C0OTHER', key: 'C0OTHER' });
      await under.incidents.take([elsewhere], { rules: few });
      expect((await take(under, [foundAlert('web-01', 'resolved', { name: 'X' })])).open).toHaveLength(4);
    });

    it('takes a delivery as a whole of which the storm knows a part', async () => {
      const under = make();
      const one = alertRules({ incidentsPerMinute: 1 });
      const b = { name: 'B' };
      await take(under, [foundAlert('web-01')], { rules: one });
      await take(under, [foundAlert('web-01', 'firing', b)], { rules: one });
      const both = [foundAlert('web-01', 'firing', b), foundAlert('web-02', 'firing', b)];
      const { open } = await take(under, both, { rules: one, eventId: 'Ev1' });
      expect(only(open.filter(({ storm }) => storm)).counts).toMatchObject({ alerts: 2, notifications: 3 });
    });

    it('notes what people asked for, also when it is closed', async () => {
      const under = make();
      const { incidents, time } = under;
      const incident = only((await take(under, [foundAlert('web-01')])).open);
      const noted = { machine: 'web-01', check: 'disk', at: 1, run: 'r-1', by: 'U1' };
      await incidents.noteRuns(incident.id, [noted]);
      time.now += 60 * minuteMs;
      await plan(under, incident);
      await incidents.noteRuns(incident.id, [{ ...noted, run: 'r-2' }]);
      await incidents.noteRuns('i-unknown', [noted]);
      expect(await incidents.incident(incident.id)).toMatchObject({
        closedAt: time.now,
        investigations: [{ run: 'r-1' }, { run: 'r-2' }],
      });
    });

    it('loses nothing when alerts come while it is changed', async () => {
      const under = make();
      const { incidents, others, time } = under;
      const { id } = only((await take(under, [foundAlert('m-0')])).open);
      const note = (run: number) =>
        others.change(id, (incident) => ({
          incident: endRound(incident, [{ machine: `m-${run}`, check: 'disk', at: 1, run: `r-${run}` }]),
          dueAt: time.now,
        }));
      const numbers = Array.from({ length: 20 }, (_, index) => index);
      await Promise.all(numbers.flatMap((n) => [note(n), take(under, [foundAlert(`m-${n}`)])]));
      const after = await incidents.incident(id);
      expect(after?.investigations).toHaveLength(20);
      expect(after?.counts).toMatchObject({ alerts: 20, notifications: 21 });
    });

    describe('a claim', () => {
      const round = { check: 'disk', machines: ['web-01', 'web-02'] };
      const limits = { coolDownMinutes: 15, runsPerMinute: 30 };
      const one = async (under: IncidentsUnderTest, name: string) =>
        (await take(under, [foundAlert('web-01', 'firing', { name })])).open.find(
          ({ title }) => title === name,
        );

      it('is for the round that made it, whatever comes, and cools others down', async () => {
        const under = make();
        const [a, b] = [await one(under, 'A'), await one(under, 'B')];
        if (a === undefined || b === undefined) throw new Error('no incident');
        const first = { ...a, rounds: 1 };
        const kinds = async (by: Incident) =>
          [...(await under.incidents.claim(by, round, limits)).values()].map(({ kind }) => kind);
        expect(await kinds(first)).toEqual(['claimed', 'claimed']);
        expect(await kinds(first)).toEqual(['claimed', 'claimed']);
        await under.incidents.looked(
          first,
          'disk',
          new Map([
            ['web-01', 'r-1'],
            ['web-02', undefined],
          ]),
        );
        const others = await under.incidents.claim({ ...b, rounds: 1 }, round, limits);
        expect(others.get('web-01')).toEqual({
          kind: 'cooling',
          incident: a.id,
          at: under.time.now,
          run: 'r-1',
        });
        expect(others.get('web-02')).toEqual({ kind: 'claimed' });
        expect((await under.incidents.claim({ ...a, rounds: 2 }, round, limits)).get('web-01')?.kind).toBe(
          'cooling',
        );
        const otherCheck = { check: 'memory', machines: ['web-01'] };
        expect((await under.incidents.claim({ ...b, rounds: 2 }, otherCheck, limits)).get('web-01')).toEqual({
          kind: 'claimed',
        });
      });

      it('is told with its target, and is given up by nobody else', async () => {
        const under = make();
        const [a, b] = [await one(under, 'A'), await one(under, 'B')];
        if (a === undefined || b === undefined) throw new Error('no incident');
        await under.incidents.claim({ ...a, rounds: 1 }, { check: 'disk', machines: ['web-01'] }, limits);
        await under.incidents.looked({ ...b, rounds: 1 }, 'disk', new Map([['web-01', undefined]]));
        const cooling: boolean[] = [];
        await under.incidents.change(b.id, (incident, targets) => {
          cooling.push(...targets.map((target) => target.cooling));
          return { incident, dueAt: 0 };
        });
        expect(cooling).toEqual([true]);
      });

      it('holds for its round alone where there is no cool-down', async () => {
        const under = make();
        const [a, b] = [await one(under, 'A'), await one(under, 'B')];
        if (a === undefined || b === undefined) throw new Error('no incident');
        const none = { ...limits, coolDownMinutes: 0 };
        for (const incident of [a, b]) {
          const claims = await under.incidents.claim({ ...incident, rounds: 1 }, round, none);
          expect([...claims.values()].map(({ kind }) => kind)).toEqual(['claimed', 'claimed']);
        }
      });

      it('waits where alerts led to as many runs as they may in a minute', async () => {
        const under = make();
        const incident = await one(under, 'A');
        if (incident === undefined) throw new Error('no incident');
        const few = { ...limits, runsPerMinute: 1 };
        const claims = await under.incidents.claim({ ...incident, rounds: 1 }, round, few);
        expect(claims.get('web-01')).toEqual({ kind: 'claimed' });
        expect(claims.get('web-02')).toMatchObject({ kind: 'wait', ms: expect.any(Number) });
      });
    });
  });
}
