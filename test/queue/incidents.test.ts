import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Queue } from '../../src/queue/create-queue.ts';
import { incidentsSuite } from '../conformance/incidents.ts';
import { alertGroup, alertRules, foundAlert } from '../support/alert-groups.ts';
import { MemoryIncidents } from '../support/memory-incidents.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { openQueue } from './support.ts';

const rules = alertRules();
const begin = 1_790_000_000_000;
const time = { now: begin };
let redis: TestRedis;
let queue: Queue;
let other: Queue;
let tests = 0;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => {
  await redis.stop();
});
beforeEach(async () => {
  tests += 1;
  time.now = begin;
  const open = () => openQueue(redis.url, { prefix: `{t${tests}}` }, () => time.now);
  [queue, other] = await Promise.all([open(), open()]);
  return () => Promise.all([queue.close(), other.close()]);
});

incidentsSuite('Redis', () => ({ incidents: queue.incidents, others: other.incidents, time }));
incidentsSuite('memory', () => {
  const incidents = new MemoryIncidents(() => time.now);
  return { incidents, others: incidents, time };
});

it('an incident is in the ledger when it opens and when it closes', async () => {
  const { incidents, ledger } = queue;
  await incidents.take([alertGroup([foundAlert('web-01')])], { rules });
  const [id = ''] = await incidents.due(time.now + 10_000, 1);
  await incidents.change(id, (incident) => ({ incident: { ...incident, closedAt: 7 }, dueAt: 7 }));
  const entries = await ledger.read('', 10);
  expect(entries.map(({ entry }) => JSON.parse(entry))).toMatchObject([
    {
      ...{
        kind: 'incident.opened',
        at: begin,
        incident: id,
        source: 'alertmanager',
        alert: 'DiskAlmostFull',
      },
      ...{ channel: 'C0OPS', storm: false, counts: { alerts: 1, firing: 1 } },
    },
    { kind: 'incident.closed', at: 7, incident: id, counts: { alerts: 1 }, runs: [] },
  ]);
});

it('an incident shows itself when it opens, when it changes, and when it closes', async () => {
  const { incidents, views } = queue;
  const shown = async () => {
    const [view] = await views.take(10);
    if (view) await views.release(view);
    return view && `${view.kind} ${view.priority}`;
  };
  await incidents.take([alertGroup([foundAlert('web-01')])], { rules });
  expect(await shown()).toBe('incident verdict');
  await incidents.take([alertGroup([foundAlert('web-01')])], { rules });
  expect(await shown()).toBe('incident progress');
  const [id = ''] = await incidents.due(time.now + 10_000, 1);
  await incidents.change(id, (incident) => ({ incident: { ...incident, closedAt: 7 }, dueAt: 7 }));
  expect(await shown()).toBe('incident verdict');
});

it('an incident that is closed leaves nothing behind for ever, nor does what it claimed', async () => {
  const { incidents } = queue;
  await incidents.take([alertGroup([foundAlert('web-01')])], { rules, eventId: 'Ev1' });
  const [id = ''] = await incidents.due(time.now + 10_000, 1);
  const open = await incidents.incident(id);
  if (open) await incidents.claim(open, { check: 'disk', machines: ['web-01'] }, rules);
  if (open) await incidents.looked(open, 'disk', new Map([['web-01', 'r-1']]));
  await incidents.change(id, (incident) => ({ incident: { ...incident, closedAt: 7 }, dueAt: 7 }));
  const reader = new Redis(redis.url);
  const names = await reader.keys(`{t${tests}}:*`);
  const of = (kind: string) => names.filter((name) => name.startsWith(`{t${tests}}:${kind}`));
  expect(of('incidents:')).toEqual([]);
  const kept = [...of('incident:'), ...of('delivery:'), ...of('cooldown:')];
  const left = await Promise.all(kept.map((name) => reader.pttl(name)));
  expect(kept).toHaveLength(4);
  expect(Math.min(...left)).toBeGreaterThan(0);
  reader.disconnect();
});

it('open incidents are a gauge', async () => {
  const { incidents, gauges } = queue;
  const few = alertRules({ incidentsPerMinute: 1 });
  for (const name of ['A', 'B', 'C']) {
    await incidents.take([alertGroup([foundAlert('web-01', 'firing', { name })])], { rules: few });
  }
  expect(await gauges()).toMatchObject({ incidentsOpen: 2 });
});

it('a delivery that was broken off between two incidents is taken as a whole when it comes again', async () => {
  const { incidents } = queue;
  const few = alertRules({ incidentsPerMinute: 1 });
  const group = (name: string, machines: readonly string[]) =>
    alertGroup(machines.map((machine) => foundAlert(machine, 'firing', { name })));
  const groups = [group('A', ['web-01']), group('B', ['web-01']), group('B', ['web-01', 'web-02'])];
  // As if the process had died when only the first group was stored.
  await incidents.take(groups.slice(0, 1), { rules: few, eventId: 'Ev1' });
  expect(await incidents.take(groups, { rules: few, eventId: 'Ev1' })).toEqual({ duplicate: false });
  expect(await incidents.take(groups, { rules: few, eventId: 'Ev1' })).toEqual({ duplicate: true });
  const ids = await incidents.due(time.now + 10_000, 10);
  const counts = (await Promise.all(ids.map((id) => incidents.incident(id)))).map((each) => each?.counts);
  expect(counts).toMatchObject([
    { alerts: 1, notifications: 1 },
    { alerts: 2, notifications: 3 },
  ]);
});
