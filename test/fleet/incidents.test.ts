import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { FoundAlert } from '../../src/fleet/alert-group.ts';
import {
  askedAgainKept,
  type Incident,
  incidentAlertsKept,
  incidentKindsKept,
  incidentSchema,
  incidentTextMaxCharacters,
  machinesNoted,
  targetWord,
} from '../../src/fleet/incident.ts';
import {
  endRound,
  type FiringTarget,
  isStale,
  noteInvestigations,
  planIncident,
} from '../../src/fleet/plan-incident.ts';
import { alertsToldApart, type KnownAlert, openIncident, takeAlerts } from '../../src/fleet/take-alerts.ts';
import { alertGroup, alertRules, foundAlert, unmatchedAlert } from '../support/alert-groups.ts';

const secondMs = 1_000;
const minuteMs = 60_000;
const rules = alertRules({ machinesPerIncident: 2 });

/** An incident and what is remembered of it, as a store would. */
class Story {
  now = 1_790_000_000_000;
  incident: Incident;
  readonly known = new Map<string, KnownAlert>();
  readonly targets = new Map<string, FiringTarget>();

  constructor() {
    const group = alertGroup([foundAlert('web-01')]);
    this.incident = openIncident(group, { id: 'i-1', at: this.now, storm: false });
  }

  take(...alerts: readonly FoundAlert[]): this {
    const taken = takeAlerts(this.incident, alerts, (fingerprint) => this.known.get(fingerprint), this.now);
    this.incident = taken.incident;
    for (const [fingerprint, alert] of taken.known) this.known.set(fingerprint, alert);
    for (const [word, more] of taken.firing) {
      const [machine = '', check = ''] = word.split(' ');
      const before = this.targets.get(word) ?? { machine, check, firing: 0, since: 0, cooling: false };
      const since = before.firing === 0 && more > 0 ? this.now : before.since;
      this.targets.set(word, { ...before, firing: before.firing + more, since });
    }
    return this;
  }

  wait(ms: number): this {
    this.now += ms;
    return this;
  }

  plan(by = rules): Incident {
    const { incident } = planIncident(this.incident, [...this.targets.values()], by, this.now);
    this.incident = incident;
    return incident;
  }

  /** Starts a run for each machine of the round. */
  carryOut(): this {
    const { underWay } = this.incident;
    const { check = '', machines = [] } = underWay ?? {};
    const noted = machines.map((machine) => ({ machine, check, at: this.now, run: `r-${machine}` }));
    this.incident = endRound(this.incident, noted);
    return this;
  }

  /** A silence holds each machine of the round back. */
  holdBack(until: number): this {
    const { check = '', machines = [] } = this.incident.underWay ?? {};
    const noted = machines.map((machine) => ({ machine, check, at: this.now, heldBack: 'silenced', until }));
    this.incident = endRound(this.incident, noted);
    return this;
  }

  /** The silence that held it back ends; alerts are gathered. */
  again(machine: string): this {
    const word = targetWord({ machine, check: 'disk' });
    const target = this.targets.get(word);
    this.now += 1;
    if (target) this.targets.set(word, { ...target, since: this.now });
    return this.wait(10 * secondMs);
  }
}

describe('what an incident looks into', () => {
  it('is what still fires after it gathered alerts', () => {
    const story = new Story().take(foundAlert('web-01'), foundAlert('web-02')).wait(9 * secondMs);
    expect(story.plan().underWay).toBeUndefined();
    story.take(foundAlert('web-02', 'resolved')).wait(secondMs);
    expect(story.plan().underWay).toEqual({ check: 'disk', machines: ['web-01'] });
  });

  it('is nothing where all was resolved meanwhile: it is closed', () => {
    const story = new Story().take(foundAlert('web-01')).wait(5 * secondMs);
    story.take(foundAlert('web-01', 'resolved')).wait(10 * secondMs);
    expect(story.plan()).toMatchObject({ rounds: 0, closedAt: story.now, notInvestigated: 0 });
  });

  it('is each machine once for each check, however often its alerts are told', () => {
    const memory = { name: 'MemoryLow', check: 'memory' };
    const story = new Story().take(foundAlert('web-01'), foundAlert('web-01', 'firing', memory));
    expect(story.wait(10 * secondMs).plan().underWay?.check).toBe('disk');
    expect(story.carryOut().plan().underWay?.check).toBe('memory');
    story.carryOut().take(foundAlert('web-01'), foundAlert('web-01')).wait(minuteMs);
    expect(story.plan()).toMatchObject({ rounds: 2 });
    expect(story.incident.underWay).toBeUndefined();
  });

  it('is a machine once more when its alerts begin again after all of them were resolved', () => {
    const story = new Story().take(foundAlert('web-01'), foundAlert('web-02')).wait(10 * secondMs);
    story.plan();
    story
      .carryOut()
      .take(foundAlert('web-01', 'resolved'))
      .wait(30 * minuteMs)
      .take(foundAlert('web-01'));
    expect(story.wait(10 * secondMs).plan().underWay?.machines).toEqual(['web-01']);
    expect(story.carryOut().incident.investigations).toHaveLength(2);
  });

  it('is no more machines than one incident may have: those with most alerts, and a number for the others', () => {
    const story = new Story().take(foundAlert('a'), foundAlert('b'), foundAlert('c'), foundAlert('d'));
    story.take(foundAlert('d', 'firing', { name: 'Inodes' })).wait(10 * secondMs);
    expect(story.plan()).toMatchObject({ underWay: { machines: ['d', 'a'] } });
    expect(story.carryOut().plan()).toMatchObject({ rounds: 1, notInvestigated: 2 });
    story.take(foundAlert('e')).wait(10 * secondMs);
    expect(story.plan()).toMatchObject({ rounds: 1, notInvestigated: 3 });
  });

  it('is the machines in their cool-down last, and these are none too many', () => {
    const story = new Story().take(foundAlert('a'), foundAlert('b'), foundAlert('c')).wait(10 * secondMs);
    for (const name of ['a', 'b']) {
      const word = targetWord({ machine: name, check: 'disk' });
      const target = story.targets.get(word);
      if (target) story.targets.set(word, { ...target, cooling: true });
    }
    expect(story.plan()).toMatchObject({ underWay: { machines: ['c', 'a'] } });
    expect(story.carryOut().plan().notInvestigated).toBe(0);
  });

  it('is more machines where a silence holds some back, up to as many as are noted', () => {
    const story = new Story().take(foundAlert('a'), foundAlert('b'), foundAlert('c'), foundAlert('d'));
    expect(story.wait(10 * secondMs).plan().underWay?.machines).toEqual(['a', 'b']);
    expect(story.holdBack(story.now + minuteMs).plan().underWay?.machines).toEqual(['c', 'd']);

    const many = Array.from({ length: machinesNoted + 5 }, (_, n) => foundAlert(`m-${n}`));
    const full = new Story().take(...many).wait(10 * secondMs);
    const by = alertRules({ machinesPerIncident: 300 });
    for (full.plan(by); full.incident.underWay !== undefined; full.plan(by)) {
      full.holdBack(full.now + minuteMs);
    }
    expect(full.incident.investigations).toHaveLength(machinesNoted);
    expect(full.incident.notInvestigated).toBe(5);
    full.again('m-7');
    expect(full.plan().underWay?.machines).toEqual(['m-7']);
  });

  it('is nothing for an alert that no rule fits', () => {
    const story = new Story().take(unmatchedAlert('Odd')).wait(minuteMs);
    expect(story.plan()).toMatchObject({ rounds: 0, counts: { unmatched: 1, firing: 1 } });
    expect(story.incident.closedAt).toBeUndefined();
  });
});

it('an incident of which nothing is told any more is closed, with what nobody looked into', () => {
  const story = new Story().take(foundAlert('web-01')).wait(60 * minuteMs);
  expect(story.plan()).toMatchObject({ closedAt: story.now, counts: { firing: 1 }, notInvestigated: 1 });
});

it('an incident of which a silence held something back is open until that could be looked at', () => {
  const story = new Story().take(foundAlert('web-01')).wait(10 * secondMs);
  story.plan();
  const until = story.now + 300 * minuteMs;
  story.holdBack(until).wait(299 * minuteMs);
  expect(isStale(story.incident, rules, story.now)).toBe(false);
  expect(story.plan().closedAt).toBeUndefined();
  story.wait(minuteMs).again('web-01');
  expect(story.plan().underWay?.machines).toEqual(['web-01']);
  story.carryOut().wait(60 * minuteMs);
  expect(story.plan().closedAt).toBeDefined();
});

it('a round that is under way stays as it is until it is done', () => {
  const story = new Story().take(foundAlert('web-01')).wait(10 * secondMs);
  const before = story.plan();
  story.take(foundAlert('web-01', 'resolved')).wait(120 * minuteMs);
  expect(story.plan().underWay).toEqual(before.underWay);
});

describe('what an incident keeps', () => {
  it('is bounded, whatever arrives, and its counts are exact', () => {
    const many = Array.from({ length: 3 * incidentKindsKept }, (_, n) =>
      foundAlert('web-01', 'firing', { name: `Alert${n}` }),
    );
    const { incident } = new Story().take(...many, ...many.slice(0, 7));
    expect(incident.alerts).toHaveLength(incidentAlertsKept);
    expect(incident.alerts.at(-1)).toMatchObject({ name: 'Alert6', times: 2 });
    expect(incident.kinds).toHaveLength(incidentKindsKept);
    expect(incident.counts).toEqual({ alerts: 300, firing: 300, notifications: 307, unmatched: 0 });
    expect(JSON.stringify(incident).length).toBeLessThan(50_000);
  });

  it('is no half of a character', () => {
    const { alert, ...found } = foundAlert('web-01');
    const text = `${'x'.repeat(incidentTextMaxCharacters - 1)}😀`;
    const { incident } = new Story().take({ ...found, alert: { ...alert, text } });
    expect(incident.alerts[0]?.text.isWellFormed()).toBe(true);
  });

  it('is what fires rather than what was resolved', () => {
    const story = new Story().take(foundAlert('first', 'firing', { name: 'First' }), foundAlert('gone'));
    story.take(foundAlert('gone', 'resolved'));
    const more = Array.from({ length: incidentAlertsKept - 1 }, (_, n) => foundAlert(`m-${n}`));
    const names = story.take(...more).incident.alerts.map(({ machine }) => machine);
    expect(names).toContain('first');
    expect(names).not.toContain('gone');
  });

  it('is the newest of what people asked for again, beside all that alerts led to', () => {
    const { incident } = new Story().take(foundAlert('web-01'));
    const noted = (run: string) => ({ machine: 'web-01', check: 'disk', at: 1, run });
    let after = noteInvestigations(incident, [noted('r-0')]);
    for (let n = 1; n <= askedAgainKept + 5; n++) {
      after = noteInvestigations(after, [{ ...noted(`r-${n}`), by: 'U1' }]);
    }
    const runs = after.investigations.map(({ run }) => run);
    expect(runs).toHaveLength(askedAgainKept + 1);
    expect([runs[0], runs[1], runs.at(-1)]).toEqual(['r-0', 'r-6', `r-${askedAgainKept + 5}`]);
  });

  it('tells only so many alerts apart, and goes on counting what is told', () => {
    const { incident } = new Story().take(foundAlert('web-01'));
    const full = { ...incident, counts: { ...incident.counts, alerts: alertsToldApart } };
    const taken = takeAlerts(full, [foundAlert('web-02')], () => undefined, 1);
    expect(taken.incident.counts).toMatchObject({ alerts: alertsToldApart, notifications: 2 });
    expect(taken.known.size).toBe(0);
  });
});

const names = ['A', 'B', 'C'];
const told = fc.record({
  machine: fc.constantFrom('m1', 'm2', 'm3', 'm4', undefined),
  name: fc.constantFrom(...names),
  status: fc.constantFrom('firing', 'firing', 'resolved'),
} as const);
const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.array(told, { maxLength: 6 }).map((alerts) => ({ do: 'take', alerts }) as const),
    },
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 20_000 }).map((ms) => ({ do: 'wait', ms }) as const) },
    { weight: 3, arbitrary: fc.constant({ do: 'look' } as const) },
  ),
  { maxLength: 60 },
);

test('whatever is told in whatever order: counts are those of a plain list, runs are bounded, and all is looked at', () => {
  fc.assert(
    fc.property(steps, (plan) => {
      const story = new Story();
      const model = new Map<string, { firing: boolean; machine: string | undefined }>();
      let notifications = 0;
      for (const step of plan) {
        if (story.incident.closedAt !== undefined) break;
        if (step.do === 'wait') story.wait(step.ms);
        if (step.do === 'look') {
          story.plan();
          story.carryOut();
        }
        if (step.do !== 'take') continue;
        const alerts = step.alerts.map(({ machine, name, status }) => {
          const found = machine === undefined ? unmatchedAlert(name) : foundAlert(machine, status, { name });
          model.set(found.alert.fingerprint, { firing: found.alert.status === 'firing', machine });
          return found;
        });
        notifications += alerts.length;
        story.take(...alerts);
      }

      const firing = [...model.values()].filter((each) => each.firing);
      expect(story.incident.counts).toEqual({
        alerts: model.size,
        firing: firing.length,
        notifications,
        unmatched: [...model.values()].filter(({ machine }) => machine === undefined).length,
      });
      const told = story.incident.kinds.map(({ alerts }) => alerts);
      expect(told.reduce((sum, count) => sum + count, 0)).toBe(model.size);
      incidentSchema.parse(story.incident);

      if (story.incident.closedAt === undefined) {
        story.wait(10 * secondMs);
        for (let n = 0; n < 10 && story.incident.closedAt === undefined; n++) {
          story.plan();
          story.carryOut();
        }
      }
      const looked = new Set(story.incident.investigations.map(({ machine }) => machine));
      expect(looked.size).toBeLessThanOrEqual(rules.machinesPerIncident);
      expect(new Set(story.incident.investigations.map(targetWord)).size).toBe(
        story.incident.investigations.length,
      );
      const left = new Set(firing.flatMap(({ machine }) => machine ?? [])).difference(looked);
      expect(story.incident.notInvestigated).toBeGreaterThanOrEqual(left.size);
      if (left.size > 0) expect(looked.size).toBe(rules.machinesPerIncident);
      if (firing.length === 0) expect(story.incident.closedAt).toBeDefined();
    }),
    { numRuns: 300 },
  );
});
