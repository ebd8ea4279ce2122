import { describe, expect, it } from 'vitest';
import { expectedOn } from '../../../src/fleet/drift.ts';
import { edgeKitVersion, type Installed } from '../../../src/fleet/edge-kit.ts';
import { ReconciledFleet } from './reconciled-fleet.ts';

const patient = { timeout: 10_000, interval: 5 };

/** One round after the other. */
const rounds = { roundIntervalMs: 10 };

/** What is installed on the machine where all is as it should be. */
function installedOn(fleet: ReconciledFleet, name: string, changes: Partial<Installed> = {}): Installed {
  const machine = fleet.machines.get(name);
  if (!machine) throw new Error(`no machine ${name}`);
  const policy = expectedOn(machine, new Map()).policy ?? null;
  const [gate, broker, plugin] = [edgeKitVersion, edgeKitVersion, edgeKitVersion];
  return { gate, broker, plugin, traces: true, image: null, policy, ...changes };
}

async function rounded(fleet: ReconciledFleet, more = 2): Promise<void> {
  const before = fleet.rounds.length;
  await expect.poll(() => fleet.rounds.length, patient).toBeGreaterThan(before + more);
}

const driftOn = (fleet: ReconciledFleet, name: string) =>
  fleet.records.record(name).drift?.parts.map(({ part, found }) => `${part} ${found}`);

describe('a machine on which another one is installed than should be', () => {
  it('has that in its record, once, until it is mended', async () => {
    await using fleet = new ReconciledFleet(['web-1'], rounds);
    const fake = fleet.on('web-1');
    fake.installed = installedOn(fleet, 'web-1', { gate: '0.9.0', policy: null });
    fleet.reconcile();
    await expect.poll(() => driftOn(fleet, 'web-1'), patient).toEqual(['policy null', 'gate 0.9.0']);
    await rounded(fleet);
    expect(fleet.records.driftWrites).toBe(1);
    const since = fleet.records.record('web-1').drift?.since;

    fake.installed = installedOn(fleet, 'web-1', { gate: '0.9.0' });
    await expect.poll(() => driftOn(fleet, 'web-1'), patient).toEqual(['gate 0.9.0']);
    expect(fleet.records.record('web-1').drift?.since).toBe(since);

    fake.installed = installedOn(fleet, 'web-1');
    await expect.poll(() => fleet.records.record('web-1').drift, patient).toBeUndefined();
    await rounded(fleet);
    expect(fleet.records.driftWrites).toBe(3);
  });

  it('is counted by part after each round, until another process does', async () => {
    await using fleet = new ReconciledFleet(['web-1', 'web-2', 'web-3']);
    fleet.on('web-1').installed = installedOn(fleet, 'web-1', { plugin: '0.9.0', broker: '0.9.0' });
    fleet.on('web-2').installed = installedOn(fleet, 'web-2', { broker: null });
    fleet.on('web-3').installed = installedOn(fleet, 'web-3');
    const reconciler = fleet.reconcile();
    await expect.poll(() => fleet.drifted, patient).toHaveLength(1);
    expect(fleet.drifted).toEqual([{ policy: 0, 'agent image': 0, gate: 0, broker: 2, plugin: 1 }]);
    await reconciler.stop();
    expect(fleet.drifted.at(-1)).toBeUndefined();
  });

  it('stays known while it does not answer, and to whoever leads next', async () => {
    await using fleet = new ReconciledFleet(['web-1'], rounds);
    fleet.on('web-1').installed = installedOn(fleet, 'web-1', { gate: '0.9.0' });
    const first = fleet.reconcile();
    await expect.poll(() => driftOn(fleet, 'web-1'), patient).toEqual(['gate 0.9.0']);
    await first.stop();
    fleet.on('web-1').unreachableAfterMs = 0;
    fleet.reconcile();
    await rounded(fleet);
    expect(driftOn(fleet, 'web-1')).toEqual(['gate 0.9.0']);
    expect(fleet.drifted.at(-1)).toMatchObject({ gate: 1 });
    expect(fleet.records.driftWrites).toBe(1);
  });

  it('is one too after the fleet file has changed what should be there', async () => {
    await using fleet = new ReconciledFleet(['web-1'], rounds);
    const before = installedOn(fleet, 'web-1');
    fleet.on('web-1').installed = before;
    fleet.reconcile();
    await rounded(fleet);
    expect(driftOn(fleet, 'web-1')).toBeUndefined();
    const machine = fleet.machines.get('web-1');
    if (machine) fleet.machines.set('web-1', { ...machine, checks: ['disk'] });
    await expect.poll(() => driftOn(fleet, 'web-1'), patient).toEqual([`policy ${before.policy}`]);
  });

  it('gets no secret into the record, and no more text than a version needs', async () => {
    await using fleet = new ReconciledFleet(['web-1'], rounds);
    fleet.on('web-1').installed = installedOn(fleet, 'web-1', { gate: `hunter2${'x'.repeat(5_000)}` });
    fleet.reconcile();
    await expect.poll(() => driftOn(fleet, 'web-1'), patient).toEqual([`gate ***${'x'.repeat(297)}`]);
    await rounded(fleet);
    expect(fleet.records.driftWrites).toBe(1);
  });
});

it('nothing is assumed of a machine that does not tell what is installed', async () => {
  await using fleet = new ReconciledFleet(['web-1'], rounds);
  fleet.reconcile();
  await rounded(fleet);
  expect(fleet.records.driftWrites).toBe(0);
  expect(fleet.drifted.at(-1)).toMatchObject({ policy: 0 });
});
