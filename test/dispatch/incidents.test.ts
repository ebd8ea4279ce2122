import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { HandInWish } from '../../src/dispatch/hand-in.ts';
import { incidentsDuty } from '../../src/dispatch/incidents.ts';
import type { LeftOut } from '../../src/fleet/campaign.ts';
import { LimitError } from '../../src/fleet/errors.ts';
import type { Fleet } from '../../src/fleet/fleet.ts';
import { fleetOfOne } from '../fleet/fixtures.ts';
import { alertGroup, alertRules, foundAlert } from '../support/alert-groups.ts';
import { machineRecord } from '../support/machine-record.ts';
import { MemoryIncidents } from '../support/memory-incidents.ts';
import { noBudgets } from '../support/no-limits.ts';

const minuteMs = 60_000;
const machineNames = Array.from({ length: 30 }, (_, n) => `web-${String(n).padStart(2, '0')}`);

let now = 1_790_000_000_000;
let fleet: Fleet;
let incidents: MemoryIncidents;
/** What was handed in, as it was accepted; and what is left out of it. */
let accepted: { readonly wish: HandInWish; readonly runs: ReadonlyMap<string, string> }[];
let leftOut: readonly LeftOut[];
/** What a silence holds back. */
let heldBack: readonly LeftOut[];
/** What a hand-in waits for before it answers. */
let heldUp: Promise<void>;
let breaks: (step: 'change' | 'claim' | 'hand-in' | 'handed-in' | 'looked') => void;

beforeEach(() => {
  const machine = (name: string) => machineRecord({ port: 22, hostKey: 'ssh-ed25519 AAAA' }, { name });
  fleet = {
    ...fleetOfOne(),
    machines: new Map(machineNames.map((name) => [name, machine(name)])),
    alerts: alertRules({ machinesPerIncident: 25 }),
  };
  incidents = new MemoryIncidents(() => now);
  incidents.before = (step) => breaks(step);
  accepted = [];
  leftOut = [];
  heldBack = [];
  breaks = () => {};
  heldUp = Promise.resolve();
});

const rulesOf = (changes: Partial<Fleet['alerts']>) => {
  fleet = { ...fleet, alerts: { ...fleet.alerts, ...changes } };
};
const duty = () =>
  incidentsDuty({
    fleet: () => fleet,
    incidents,
    halts: { active: async () => [] },
    holdBack: async () => heldBack,
    budgets: noBudgets,
    handIn: async (wish) => {
      breaks('hand-in');
      const before = accepted.find((each) => each.wish.eventId === wish.eventId);
      const names = wish.machines.map(({ name }) => name);
      const taken = names.filter((name) => !leftOut.some(({ machine }) => machine === name));
      const runs = before?.runs ?? new Map(taken.map((name) => [name, `r-${accepted.length}-${name}`]));
      if (before === undefined && taken.length > 0) accepted.push({ wish, runs });
      breaks('handed-in');
      await heldUp;
      return { runs, leftOut, duplicate: before !== undefined };
    },
    clock: () => now,
    log: pino({ enabled: false }),
  }).run(AbortSignal.timeout(10_000));

const tell = (
  machines: readonly string[],
  status: 'firing' | 'resolved' = 'firing',
  name = 'DiskAlmostFull',
) =>
  incidents.take([alertGroup(machines.map((machine) => foundAlert(machine, status, { name })))], {
    rules: fleet.alerts,
  });
const looks = () => accepted.flatMap(({ runs }) => [...runs.keys()]);
/** Looks again and again for so long, as the dispatcher does, also after it was killed. */
async function pass(ms: number): Promise<void> {
  for (const end = now + ms; now <= end; now += 1_000) {
    await duty().catch((error: Error) => {
      if (error.message !== 'killed') throw error;
    });
  }
}

it('hands in one request for the machines of an incident, to be answered under its message', async () => {
  await tell(['web-01', 'web-02']);
  await duty();
  expect(accepted).toEqual([]);
  await pass(11_000);
  const [incident] = incidents.all;
  const id = incident?.id ?? '';
  expect(accepted.map(({ wish }) => wish)).toMatchObject([
    {
      task: { kind: 'check', check: 'disk' },
      selector: 'web-01,web-02',
      requester: { kind: 'alert', incident: id },
      origin: { channel: 'C0OPS', under: id },
      eventId: `incident:${id}:1`,
    },
  ]);
  expect(incident?.investigations).toMatchObject([
    { machine: 'web-01', check: 'disk', run: 'r-0-web-01' },
    { machine: 'web-02', check: 'disk', run: 'r-0-web-02' },
  ]);
});

it("answers in the thread of the monitoring's own message, where there is one", async () => {
  await incidents.take([alertGroup([foundAlert('web-01')], { threadTs: '17.1' })], { rules: fleet.alerts });
  await pass(11_000);
  expect(accepted[0]?.wish.origin).toEqual({ channel: 'C0OPS', threadTs: '17.1' });
});

it('looks at nothing that was resolved while alerts were gathered, and closes', async () => {
  await tell(['web-01']);
  await tell(['web-01'], 'resolved');
  await pass(11_000);
  expect(accepted).toEqual([]);
  expect(incidents.all[0]?.closedAt).toBeDefined();
});

it('looks at a machine once in its cool-down, whichever alerts are told, and says which run looked', async () => {
  await tell(['web-01']);
  await pass(11_000);
  await tell(['web-01'], 'firing', 'InodesAlmostFull');
  await pass(11_000);
  expect(looks()).toEqual(['web-01']);
  expect(incidents.all[1]?.investigations[0]?.heldBack).toMatch(
    /^checked at 2026-\S+ \S+ UTC in run r-0-web-01; alerts lead to the same check once in 15 min$/,
  );
  await pass(15 * minuteMs);
  await tell(['web-01'], 'firing', 'Third');
  await pass(11_000);
  expect(looks()).toEqual(['web-01', 'web-01']);
});

it('notes why a machine is not looked at, and does not hold others up: a later incident may', async () => {
  leftOut = [{ machine: 'web-01', why: 'silenced until later' }];
  await tell(['web-01', 'web-02', 'not-in-the-fleet']);
  await pass(11_000);
  expect(incidents.all[0]?.investigations).toMatchObject([
    { machine: 'not-in-the-fleet', heldBack: 'no longer in the fleet file' },
    { machine: 'web-01', heldBack: 'silenced until later' },
    { machine: 'web-02', run: 'r-0-web-02' },
  ]);
  leftOut = [];
  await tell(['web-01'], 'firing', 'InodesAlmostFull');
  await pass(11_000);
  expect(looks()).toEqual(['web-02', 'web-01']);
});

it('what a silence holds back uses up none of the runs of others, and is noted until when', async () => {
  rulesOf({ runsPerMinute: 4, machinesPerIncident: 4 });
  heldBack = machineNames.slice(0, 20).map((machine) => ({ machine, why: 'silenced until later', until: 9 }));
  await tell(machineNames.slice(0, 24));
  await pass(20_000);
  expect(looks()).toEqual(machineNames.slice(20, 24));
  const [incident] = incidents.all;
  expect(incident?.notInvestigated).toBe(0);
  const noted = incident?.investigations.filter(({ run }) => run === undefined);
  expect(noted).toHaveLength(20);
  expect(noted).toContainEqual({
    ...{ machine: 'web-07', check: 'disk', at: expect.any(Number) },
    ...{ heldBack: 'silenced until later', until: 9 },
  });
});

it('starts no more runs in a minute than it may, and the others later', async () => {
  rulesOf({ runsPerMinute: 4 });
  await tell(machineNames.slice(0, 10));
  await pass(11_000);
  expect(looks()).toHaveLength(4);
  await pass(61_000);
  expect(looks()).toHaveLength(8);
  await pass(61_000);
  expect(looks().toSorted()).toEqual(machineNames.slice(0, 10));
  expect(incidents.all[0]).toMatchObject({ notInvestigated: 0, rounds: 3 });
});

it('counts the machines that are too many for one incident', async () => {
  rulesOf({ machinesPerIncident: 3 });
  await tell(machineNames);
  await pass(minuteMs);
  expect(looks()).toHaveLength(3);
  expect(incidents.all[0]?.notInvestigated).toBe(27);
});

it('tries again where alerts led to too many requests', async () => {
  let tries = 0;
  breaks = (step) => {
    if (step !== 'hand-in') return;
    tries += 1;
    if (tries <= 3) throw new LimitError('Too many requests.', 'person');
  };
  await tell(['web-01']);
  await pass(14_000);
  expect([tries, looks()]).toEqual([4, ['web-01']]);
});

it('an incident that cannot be looked into holds no other one up', async () => {
  await tell(['web-01']);
  await tell(['web-02'], 'firing', 'InodesAlmostFull');
  let broken = false;
  breaks = (step) => {
    if (step !== 'claim' || broken) return;
    broken = true;
    throw new Error('broken');
  };
  now += 11_000;
  await expect(duty()).rejects.toThrow('broken');
  expect(looks()).toEqual(['web-02']);
});

it('a leader that was held up ends no round of its successor', async () => {
  await tell(['web-01']);
  now += 11_000;
  const goesOn = Promise.withResolvers<void>();
  heldUp = goesOn.promise;
  const former = duty();
  await expect.poll(looks).toEqual(['web-01']);
  heldUp = Promise.resolve();
  await duty();
  await tell(['web-02']);
  now += 11_000;
  breaks = (step) => {
    if (step === 'claim') throw new Error('killed');
  };
  await expect(duty()).rejects.toThrow('killed');
  breaks = () => {};
  goesOn.resolve();
  await former;
  expect(incidents.all[0]).toMatchObject({ rounds: 2, underWay: { machines: ['web-02'] } });
  await duty();
  expect(looks()).toEqual(['web-01', 'web-02']);
});

it('a leader that was held up notes nothing of a round that its successor ended', async () => {
  await tell(['web-01']);
  now += 11_000;
  const goesOn = Promise.withResolvers<void>();
  heldUp = goesOn.promise;
  const former = duty();
  await expect.poll(looks).toEqual(['web-01']);
  heldUp = Promise.resolve();
  await duty();
  const noted = incidents.all[0]?.investigations;
  now += 1_000;
  goesOn.resolve();
  await former;
  expect(noted).toHaveLength(1);
  expect(incidents.all[0]?.investigations).toEqual(noted);
});

describe('killed', () => {
  const places = ['change', 'claim', 'hand-in', 'handed-in', 'looked'] as const;
  const cases = places.flatMap((place) => [1, 2].map((visit) => [place, visit] as const));

  it.each(cases)('at "%s" (%i), it looks at each machine once, and notes its run', async (place, visit) => {
    rulesOf({ runsPerMinute: 3 });
    await tell(machineNames.slice(0, 5));
    let visits = 0;
    breaks = (step) => {
      if (step !== place) return;
      visits += 1;
      if (visits === visit) throw new Error('killed');
    };
    now += 11_000;
    // More machines fire by the time at which another process goes on.
    await duty().catch(() => tell(machineNames.slice(5, 7)));
    await tell(machineNames.slice(5, 7));
    await pass(4 * minuteMs);
    expect(visits).toBeGreaterThanOrEqual(visit);
    expect(looks().toSorted()).toEqual(machineNames.slice(0, 7));
    const noted = incidents.all[0]?.investigations.map(({ run }) => run);
    expect(noted?.toSorted()).toEqual(accepted.flatMap(({ runs }) => [...runs.values()]).toSorted());
  });
});
