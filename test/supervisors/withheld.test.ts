import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Requester } from '../../src/fleet/requester.ts';
import type { Run } from '../../src/fleet/run.ts';
import { personsSilence } from '../support/sample-silence.ts';
import { approvedRun, authorised, catalogue, checkDisk, openActing } from './acting-machine.ts';
import { type SupervisedMachine, supervisedMachines } from './supervised-machine.ts';

const open = supervisedMachines();

const alert: Requester = { kind: 'alert', incident: 'i-0000000000aa' };
const ben = { kind: 'person', userId: 'U0BEN', teamId: 'T1' } as const;
const hourMs = 3_600_000;
const withAgent = authorised.replace('diagnose: never', 'diagnose: always');
let silences = 0;

/** Silences the machine and returns the silence's id. */
async function silence(on: SupervisedMachine): Promise<string> {
  silences += 1;
  const id = `s-${String(silences).padStart(12, '0')}`;
  const from = Date.now();
  await on.queue.silences.begin(personsSilence({ id, from, until: from + hourMs }), `silence-${id}`);
  return id;
}
const heldBackBy = async (on: SupervisedMachine, id: string) =>
  (await on.queue.silences.silence(id))?.heldBack;

async function alertRun(on: SupervisedMachine): Promise<Run> {
  await on.requestFrom(alert, checkDisk);
  return on.driveNext();
}

describe('a run that an alert asked for on a silenced machine', () => {
  it('ends without the machine being touched, says why, and is noted', async () => {
    await using on = await openActing(open, {}, { yaml: withAgent, rest: catalogue });
    const id = await silence(on);
    const run = await alertRun(on);
    expect(run).toMatchObject({
      ...{ state: 'done', verdict: 'cancelled', inertness: 'never-started', findings: [] },
      withheld: { moment: 'run', kind: 'silenced', reason: expect.stringContaining('new kernel') },
    });
    expect(run.withheld?.by).toEqual(personsSilence().by);
    expect(run.timeline.map(({ state }) => state)).toEqual(['queued', 'done']);
    expect(on.machine.books).toEqual([]);
    expect(on.tracer.finished).toHaveLength(1);
    const ledger = (await on.queue.ledger.read('', 100)).map(({ entry }) => JSON.parse(entry));
    expect(ledger.at(-1)).toMatchObject({
      ...{ kind: 'run.done', run: run.id, withheld: { moment: 'run', kind: 'silenced' } },
    });
    expect(await heldBackBy(on, id)).toEqual([{ kind: 'alert', machine: 'rhel-01', what: 'disk', times: 1 }]);
  });

  it('is noted once, however often its worker is killed before its end is stored', async () => {
    await using on = await openActing(open);
    const id = await silence(on);
    await on.requestFrom(alert, checkDisk);
    const never = new AbortController().signal;
    const killed = { save: () => Promise.reject(new Error('killed')) };
    for (const _time of [1, 2]) {
      const claim = await on.claim();
      const store = Object.assign(Object.create(on.queue.runs), killed);
      await expect(on.supervisor({}, { ...on.queue, runs: store })(claim, never)).rejects.toThrow();
    }
    expect(await on.driveNext()).toMatchObject({ withheld: { moment: 'run' } });
    expect((await heldBackBy(on, id))?.map(({ times }) => times)).toEqual([1]);
  });

  it('runs as ever once the silence was ended', async () => {
    await using on = await openActing(open);
    const id = await silence(on);
    await on.queue.silences.end(id, { by: ben, at: Date.now() });
    const run = await alertRun(on);
    expect(run).toMatchObject({ state: 'awaiting', verdict: 'critical' });
    expect(run.withheld).toBeUndefined();
  });
});

describe('what a person asks for on a silenced machine', () => {
  it('is done, but nobody is asked about what it finds', async () => {
    await using on = await openActing(open);
    const id = await silence(on);
    const run = await on.serve(checkDisk);
    expect(run).toMatchObject({ state: 'done', verdict: 'critical', withheld: { moment: 'escalation' } });
    expect(run.approval).toBeUndefined();
    expect(on.machine.books).toContain('evidence disk');
    expect(await on.queue.approvals.waiting(10)).toEqual([]);
    expect(await heldBackBy(on, id)).toMatchObject([{ kind: 'escalation', what: 'disk', times: 1 }]);
  });

  it('is done where it is an action that others approved', async () => {
    await using on = await openActing(open);
    const id = await silence(on);
    await approvedRun(on);
    const run = await on.driveNext();
    expect(run).toMatchObject({ verdict: 'ok', action: { outcome: 'done' } });
    expect(await heldBackBy(on, id)).toEqual([]);
  });
});

describe('an approved action that a rule proposed', () => {
  it('does not begin on a machine that was silenced meanwhile, and says why', async () => {
    await using on = await openActing(open);
    const asking = await on.serve(checkDisk);
    await on.decide(asking.id);
    const id = await silence(on);
    const run = await on.driveNext();
    expect(run).toMatchObject({
      ...{ id: asking.id, state: 'done', verdict: 'critical' },
      action: {
        ...{ outcome: 'not-begun', before: { verdict: 'critical' } },
        detail: expect.stringMatching(/^rhel-01 is silenced until .*: new kernel$/),
      },
      withheld: { moment: 'action', kind: 'silenced' },
    });
    expect(run.timeline.map(({ state }) => state)).not.toContain('acting');
    expect(on.machine.executions).toEqual([]);
    expect(await heldBackBy(on, id)).toMatchObject([{ kind: 'action', what: 'vacuum-journal' }]);
  });
});

type Step = 'silence' | 'end' | 'alert' | 'check' | 'approve';

it('while a machine is silenced, nothing begins there by itself, whatever comes in which order', async () => {
  const steps = fc.array(fc.constantFrom<Step>('silence', 'end', 'alert', 'check', 'approve'), {
    minLength: 3,
    maxLength: 10,
  });
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      await using on = await openActing(open);
      const held = new Set<string>();
      for (const step of plan) {
        const isSilenced = held.size > 0;
        const [asking] = await on.queue.approvals.waiting(1);
        const touched = on.machine.books.length;
        const executed = on.machine.executions.length;
        switch (step) {
          case 'silence':
            held.add(await silence(on));
            break;
          case 'end':
            for (const id of held) await on.queue.silences.end(id, { by: ben, at: Date.now() });
            held.clear();
            break;
          case 'alert':
            expect((await alertRun(on)).withheld?.moment === 'run').toBe(isSilenced);
            expect(on.machine.books.length > touched).toBe(!isSilenced);
            break;
          case 'check':
            expect((await on.serve(checkDisk)).verdict).not.toBe('cancelled');
            expect(on.machine.books.length).toBeGreaterThan(touched);
            break;
          case 'approve':
            if (asking === undefined) break;
            await on.decide(asking.id);
            await on.driveNext();
            if (isSilenced) expect(on.machine.executions).toHaveLength(executed);
        }
        const waiting = await on.queue.approvals.waiting(10);
        if (isSilenced && step !== 'end') expect(waiting.length).toBeLessThanOrEqual(asking ? 1 : 0);
      }
    }),
    { numRuns: 25 },
  );
}, 60_000);
