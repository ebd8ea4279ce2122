import { describe, expect, it } from 'vitest';
import { MachineError } from '../../../src/fleet/errors.ts';
import { ReconciledFleet, traceparent } from './reconciled-fleet.ts';

const patient = { timeout: 10_000, interval: 5 };
const stray = 'r-00000000aaaa';
const broken = new MachineError('unreachable', 'The connection broke: hunter2');

/** One round after the other. */
const rounds = { roundIntervalMs: 10 };

async function rounded(fleet: ReconciledFleet, more = 2): Promise<void> {
  const before = fleet.rounds.length;
  await expect.poll(() => fleet.rounds.length, patient).toBeGreaterThan(before + more);
}

describe('an agent that no run wants', () => {
  it('is stopped and measured inactive, which is in the ledger before and told after', async () => {
    await using fleet = new ReconciledFleet(['web-1']);
    await fleet.on('web-1').start(4, stray, traceparent);
    const stop = fleet.on('web-1').stop.bind(fleet.on('web-1'));
    let ledgerAtStop: readonly string[] = [];
    fleet.on('web-1').stop = (fence) => {
      ledgerAtStop = fleet.findings;
      return stop(fence);
    };
    fleet.reconcile();
    await expect.poll(() => fleet.records.notices, patient).toHaveLength(1);
    expect(ledgerAtStop).toEqual(['stray-found']);
    expect(fleet.findings).toEqual(['stray-found', 'stray-stopped']);
    expect(fleet.counted).toEqual(['stray-found', 'stray-stopped']);
    expect(fleet.records.notices[0]).toMatchObject({ machine: 'web-1', runId: stray, channel: 'C00' });
    expect(await fleet.on('web-1').status()).toMatchObject({ agent: 'inactive', fence: 5 });
    expect(fleet.records.record('web-1')).toEqual({ fence: 5 });
  });

  it('is only in the ledger and counted where the machine has no channel', async () => {
    await using fleet = new ReconciledFleet(['web-1'], {}, { channels: false });
    await fleet.on('web-1').start(1, stray, traceparent);
    fleet.reconcile();
    await expect.poll(() => fleet.findings, patient).toEqual(['stray-found', 'stray-stopped']);
    expect(fleet.records.notices).toEqual([]);
  });

  it('that cannot be stopped has the machine quarantined, told once, until it is measured', async () => {
    await using fleet = new ReconciledFleet(['web-1'], rounds);
    const fake = fleet.on('web-1');
    await fake.start(1, stray, traceparent);
    const stop = fake.stop.bind(fake);
    fake.stop = async () => {
      throw broken;
    };
    fleet.reconcile();
    await expect.poll(() => fleet.findings, patient).toEqual(['stray-found', 'stray-unstoppable']);
    await rounded(fleet);
    expect(fleet.findings).toHaveLength(2);
    expect(fleet.records.record('web-1').quarantine).toMatchObject({
      ...{ runId: stray, reason: expect.stringContaining('***') },
    });
    fake.stop = stop;
    await expect.poll(() => fleet.findings.at(-1), patient).toBe('quarantine-lifted');
    expect((await fake.status()).agent).toBe('inactive');
    expect(fleet.records.record('web-1').quarantine).toBeUndefined();
  });

  it('that ends by itself meanwhile is not worth a word', async () => {
    await using fleet = new ReconciledFleet(['web-1'], rounds);
    const fake = fleet.on('web-1');
    await fake.start(1, stray, traceparent);
    const status = fake.status.bind(fake);
    fake.status = async (signal) => {
      const before = await status(signal);
      if (before.agent === 'active') await fake.stop(1);
      return before;
    };
    fleet.reconcile();
    await rounded(fleet);
    expect(fleet.findings).toEqual([]);
  });
});

describe('a run that is under way', () => {
  it('is left to its worker, also where the agent says that it runs for another one', async () => {
    await using fleet = new ReconciledFleet(['web-1', 'web-2'], rounds);
    await fleet.on('web-1').start(fleet.records.giveRun('web-1', stray), stray, traceparent);
    await fleet.on('web-2').start(fleet.records.giveRun('web-2', 'r-00000000bbbb'), stray, traceparent);
    fleet.reconcile();
    await rounded(fleet);
    expect((await fleet.on('web-1').status()).run).toBe(stray);
    expect((await fleet.on('web-2').status()).run).toBe(stray);
    expect(fleet.findings).toEqual([]);
    expect(fleet.logged).toContain('an agent still runs for another run');
  });

  it('and begins between the status and the reading of the record is left alone', async () => {
    await using fleet = new ReconciledFleet(['web-1'], rounds);
    const fake = fleet.on('web-1');
    await fake.start(1, stray, traceparent);
    const status = fake.status.bind(fake);
    fake.status = async (signal) => {
      const before = await status(signal);
      if (fleet.records.record('web-1').currentRunId === undefined) fleet.records.giveRun('web-1', stray);
      return before;
    };
    fleet.reconcile();
    await rounded(fleet);
    expect(fake.books).toEqual([`start ${stray}`]);
    expect(fleet.records.record('web-1').fence).toBe(1);
  });

  it('and begins between the fence and the stop shuts the reconciler out', async () => {
    await using fleet = new ReconciledFleet(['web-1'], rounds);
    const fake = fleet.on('web-1');
    await fake.start(1, stray, traceparent);
    const stop = fake.stop.bind(fake);
    const run = 'r-00000000bbbb';
    fake.stop = async (fence) => {
      fake.stop = stop;
      // A worker takes the machine over, as it does with whatever runs there.
      const higher = fleet.records.giveRun('web-1', run);
      await stop(higher);
      await fake.start(fleet.records.giveRun('web-1', run), run, traceparent);
      return stop(fence);
    };
    fleet.reconcile();
    await rounded(fleet);
    expect(await fake.status()).toMatchObject({ agent: 'active', run });
    expect(fleet.records.record('web-1')).toEqual({ fence: 4, currentRunId: run });
    expect(fleet.findings).toEqual(['stray-found']);
    expect(fleet.logged).toContain('a worker holds this machine now');
    expect(fleet.logged).not.toContain('the machine could not be reconciled');
  });

  it('of which only the machine knows shuts the reconciler out as well', async () => {
    await using fleet = new ReconciledFleet(['web-1'], rounds);
    const fake = fleet.on('web-1');
    await fake.start(1, stray, traceparent);
    fake.stop = async () => {
      throw new MachineError('old-fence', 'The machine has seen a higher fence.');
    };
    fleet.reconcile();
    await rounded(fleet);
    expect(fleet.records.record('web-1').quarantine).toBeUndefined();
    expect(fleet.findings).not.toContain('stray-unstoppable');
  });
});

describe('a machine in quarantine', () => {
  const quarantine = { runId: stray, reason: 'The connection broke.', at: 5 };

  it('is measured and let go, under a fence that shuts out whoever had it', async () => {
    await using fleet = new ReconciledFleet(['web-1'], { attentionIntervalMs: 3_600_000 });
    await fleet.on('web-1').evidence(8, 'disk');
    fleet.records.machines.set('web-1', { fence: 8, quarantine });
    fleet.reconcile();
    await expect.poll(() => fleet.findings, patient).toEqual(['quarantine-lifted']);
    expect(fleet.records.record('web-1')).toEqual({ fence: 9 });
    await expect(fleet.on('web-1').start(8, stray, traceparent)).rejects.toMatchObject({ code: 'old-fence' });
  });

  it('is looked at again and again until it answers', async () => {
    await using fleet = new ReconciledFleet(['web-1']);
    fleet.on('web-1').unreachableAfterMs = 5;
    fleet.records.machines.set('web-1', { fence: 8, quarantine });
    fleet.reconcile();
    await expect.poll(() => fleet.rounds, patient).toMatchObject([{ machines: 1, unreachable: 1 }]);
    expect(fleet.records.record('web-1').quarantine).toEqual(quarantine);
    fleet.on('web-1').unreachableAfterMs = undefined;
    await expect.poll(() => fleet.findings, patient).toEqual(['quarantine-lifted']);
  });

  it('is noticed also between two rounds', async () => {
    await using fleet = new ReconciledFleet(['web-1']);
    fleet.reconcile();
    await expect.poll(() => fleet.rounds.length, patient).toBe(1);
    fleet.records.machines.set('web-1', { fence: 8, quarantine });
    await expect.poll(() => fleet.findings, patient).toEqual(['quarantine-lifted']);
  });

  it('and with a run under way is left to its worker', async () => {
    await using fleet = new ReconciledFleet(['web-1'], rounds);
    fleet.records.machines.set('web-1', { fence: 8, quarantine, currentRunId: stray });
    fleet.reconcile();
    await rounded(fleet);
    expect(fleet.records.record('web-1')).toEqual({ fence: 8, quarantine, currentRunId: stray });
  });

  it('is let go also under a halt', async () => {
    await using fleet = new ReconciledFleet(['web-1']);
    fleet.records.machines.set('web-1', { fence: 8, quarantine });
    fleet.halt('h-1', ['web-1']);
    fleet.reconcile();
    await expect.poll(() => fleet.findings, patient).toEqual(['quarantine-lifted']);
    expect(fleet.on('web-1').locked).not.toBeNull();
  });
});

describe('a round', () => {
  it('counts what is unreachable and assumes nothing of it', async () => {
    await using fleet = new ReconciledFleet(['web-1', 'web-2']);
    fleet.on('web-2').unreachableAfterMs = 5;
    fleet.reconcile();
    await expect.poll(() => fleet.rounds, patient).toMatchObject([{ machines: 2, unreachable: 1 }]);
    expect(fleet.records.machines.size).toBe(0);
    expect(fleet.findings).toEqual([]);
  });

  it('goes on whatever goes wrong with one machine', async () => {
    await using fleet = new ReconciledFleet(['web-1', 'web-2']);
    fleet.on('web-1').status = () => {
      throw new TypeError('a bug');
    };
    await fleet.on('web-2').start(1, stray, traceparent);
    fleet.reconcile();
    await expect.poll(() => fleet.findings, patient).toEqual(['stray-found', 'stray-stopped']);
    await expect.poll(() => fleet.rounds.length, patient).toBe(1);
  });

  it('is left when the process ends, also while machines do not answer', async () => {
    await using fleet = new ReconciledFleet(['web-1']);
    fleet.on('web-1').unreachableAfterMs = 600_000;
    const reconciler = fleet.reconcile();
    await expect.poll(() => fleet.records.leader, patient).toBeDefined();
    await reconciler.stop();
    expect(fleet.rounds).toEqual([]);
  });

  it('is left when the process ends, also in the middle of what cannot be interrupted', async () => {
    await using fleet = new ReconciledFleet(['web-1']);
    await fleet.on('web-1').start(1, stray, traceparent);
    const begun = Promise.withResolvers<void>();
    fleet.on('web-1').stop = () => {
      begun.resolve();
      return new Promise(() => {});
    };
    const reconciler = fleet.reconcile();
    await begun.promise;
    await reconciler.stop();
    expect(fleet.rounds).toEqual([]);
  });
});

it('a change that people approved is no stray: it is left to end, and nobody is told', async () => {
  await using fleet = new ReconciledFleet(['web-1'], rounds);
  const fake = fleet.on('web-1');
  fake.action = { id: 'a-00000000aaaa', name: 'vacuum-journal' };
  fleet.reconcile();
  await rounded(fleet);
  expect(fleet.findings).toEqual([]);
  expect(fake.books).toEqual([]);
  expect((await fake.status()).action).toBeDefined();
});
