import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createReconciler } from '../../../src/supervisors/reconciler/create-reconciler.ts';
import { defaultReconcilerSettings } from '../../../src/supervisors/reconciler/parts.ts';
import { type SupervisedMachine, supervisedMachines } from '../supervised-machine.ts';

const open = supervisedMachines();

/** Reconciles the machine as often as it can. Returns what was found, and how many rounds there were. */
function reconcileAlways(on: SupervisedMachine) {
  const found: string[] = [];
  const rounds: unknown[] = [];
  const reconciler = createReconciler({
    fleet: () => on.fleet,
    store: on.queue.reconciler,
    brakes: { gate: () => on.machine },
    meter: { found: (kind) => found.push(kind), round: (result) => rounds.push(result), drifted: () => {} },
    redact: (text) => text,
    clock: Date.now,
    newId: () => 'unused',
    log: pino({ level: 'silent' }),
    settings: { ...defaultReconcilerSettings, roundIntervalMs: 0, attentionIntervalMs: 5 },
  });
  reconciler.start();
  return { found, rounds: () => rounds.length, stop: () => reconciler.stop() };
}

describe('the reconciler beside workers', () => {
  it('takes no agent of a run for a stray, whatever the run is just doing', async () => {
    await using on = await open();
    const reconciling = reconcileAlways(on);
    await expect.poll(reconciling.rounds, { timeout: 10_000 }).toBeGreaterThan(0);
    for (let served = 0; served < 20; served += 1) {
      expect(await on.serve()).toMatchObject({ verdict: 'ok', diagnosis: { activations: 1 } });
    }
    const rounds = reconciling.rounds();
    await reconciling.stop();
    expect(rounds).toBeGreaterThan(10);
    expect(reconciling.found).toEqual([]);
    const activations = on.machine.books.filter((entry) => /^(start|stop)/.test(entry));
    expect(activations.map((entry) => entry.split(' ')[0])).toEqual(
      Array.from({ length: 20 }, () => ['start', 'stop']).flat(),
    );
  });

  it('lets go of a machine whose run ended with its agent possibly alive, once it is measured', async () => {
    await using on = await open({ settings: { stopAttempts: 1 } });
    const run = await on.serve(undefined, {
      before: (call) => {
        if (call === 'stop') throw new Error('the network is away');
      },
    });
    expect(run.inertness).toBe('unknown');
    expect((await on.machine.status()).agent).toBe('active');
    const reconciling = reconcileAlways(on);
    await expect.poll(() => reconciling.found, { timeout: 10_000 }).toEqual(['quarantine-lifted']);
    await reconciling.stop();
    expect((await on.machine.status()).agent).toBe('inactive');
    expect((await on.queue.requests.machine('rhel-01')).quarantine).toBeUndefined();
  });
});
