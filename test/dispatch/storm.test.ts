import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createIntake } from '../../src/alerts/intake.ts';
import { incidentsDuty } from '../../src/dispatch/incidents.ts';
import { deliver, stormFleet, stormOf } from '../support/alert-storm.ts';
import { MemoryIncidents } from '../support/memory-incidents.ts';
import { noBudgets } from '../support/no-limits.ts';

const machines = 20;
const limits = { incidentsPerMinute: 4, machinesPerIncident: 6, runsPerMinute: 10 };
const log = pino({ enabled: false });

it('a storm of a thousand alerts in a minute ends in a bounded number of incidents and runs, with exact counts', async () => {
  let now = 1_790_000_000_000;
  const fleet = stormFleet(machines, limits);
  const incidents = new MemoryIncidents(() => now);
  const meter = { taken: () => {}, homeless: () => {}, refused: () => {} };
  const intake = createIntake({ fleet: () => fleet, incidents, redact: (text) => text, meter, log });
  const runs: string[] = [];
  const duty = incidentsDuty({
    ...{ fleet: () => fleet, incidents, clock: () => now, log },
    ...{ halts: { active: async () => [] }, holdBack: async () => [], budgets: noBudgets },
    handIn: async (wish) => {
      const names = wish.machines.map(({ name }) => name);
      runs.push(...names);
      return { runs: new Map(names.map((name) => [name, `r-${name}`])), leftOut: [], duplicate: false };
    },
  });

  let messages = 0;
  const storm = stormOf(machines, () => `17.${messages++}`);
  for (const phase of storm.phases) {
    await deliver(phase, [intake], 50);
    for (let second = 0; second < 20; second++, now += 1_000) await duty.run(AbortSignal.timeout(5_000));
  }

  const sum = (of: (counts: typeof storm.counts) => number) =>
    incidents.all.reduce((total, { counts }) => total + of(counts), 0);
  expect(storm.told).toBe(1_050);
  expect({
    alerts: sum(({ alerts }) => alerts),
    firing: sum(({ firing }) => firing),
    notifications: sum(({ notifications }) => notifications),
    unmatched: sum(({ unmatched }) => unmatched),
  }).toEqual(storm.counts);
  // In two channels, each with its storm.
  expect(incidents.all.length).toBeLessThanOrEqual(2 * (limits.incidentsPerMinute + 1));
  expect(runs.length).toBeGreaterThan(0);
  expect(runs.length).toBeLessThanOrEqual(2 * limits.runsPerMinute);
  expect(new Set(runs).size).toBe(runs.length);
  for (const { investigations, alerts } of incidents.all) {
    expect(new Set(investigations.map(({ machine }) => machine)).size).toBeLessThanOrEqual(6);
    expect(alerts.length).toBeLessThanOrEqual(50);
  }
});
