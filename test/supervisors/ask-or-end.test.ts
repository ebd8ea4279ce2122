import { describe, expect, it } from 'vitest';
import { StoreUnavailableError } from '../../src/fleet/errors.ts';
import { beginCall, giveUp, takeHandOver } from '../../src/fleet/hand-over-moves.ts';
import { dfOutputs } from '../support/df-outputs.ts';
import { authorised, catalogue, checkDisk, openActing, vacuum } from './acting-machine.ts';
import { supervisedMachines } from './supervised-machine.ts';

const open = supervisedMachines();

const withAgent = authorised.replace('diagnose: never', 'diagnose: always');
const cancellation = { userId: 'U2', at: 1_790_000_000_000 };

describe('a check that finds something', () => {
  it('asks people what the rule of the worst finding proposes, and frees its machine', async () => {
    await using on = await openActing(open);
    const run = await on.serve(checkDisk);
    expect(run).toMatchObject({
      ...{ state: 'awaiting', verdict: 'critical', inertness: 'never-started' },
      approval: {
        ...{ state: 'waiting', round: 0, reminded: false, votes: [] },
        question: {
          ...{ id: run.id.replace('r-', 'a-'), run: run.id, machine: 'rhel-01', proposedBy: 'rule' },
          subject: { kind: 'action', action: 'vacuum-journal', argv: ['journalctl', '--vacuum-size=100M'] },
        },
      },
    });
    const machine = await on.queue.requests.machine('rhel-01');
    expect(machine.currentRunId).toBeUndefined();
    expect((await on.queue.approvals.waiting(10)).map(({ id }) => id)).toEqual([run.id]);
    expect(on.tracer.finished).toEqual([]);
    expect(on.tracer.open).toEqual([]);
  });

  it('asks after the agent has looked and was stopped', async () => {
    await using on = await openActing(open, {}, { yaml: withAgent, rest: catalogue });
    const run = await on.serve(checkDisk);
    expect(run).toMatchObject({ state: 'awaiting', inertness: 'inactive', diagnosis: { activations: 1 } });
    expect(on.machine.books.at(-1)).toBe('stop');
  });

  it('asks what the agent proposes where no rule does', async () => {
    const text = 'The journal is large.\nPROPOSE: vacuum-journal size=200M\nVERDICT: warning';
    const answer = async () => ({ text, toolCalls: [] });
    await using on = await openActing(
      open,
      { answer, outputs: () => dfOutputs(20, 85) },
      { yaml: withAgent, rest: catalogue },
    );
    const run = await on.serve(checkDisk);
    expect(run.diagnosis?.proposal).toEqual({
      ...{ action: 'vacuum-journal', params: { size: '200M' }, source: 'vacuum-journal size=200M' },
    });
    expect(run.approval?.question).toMatchObject({
      ...{ proposedBy: 'agent', risk: 'disruptive', taints: [{ param: 'size', value: '200M' }] },
    });
  });

  it('says why what the agent proposes cannot be asked for', async () => {
    const text = 'Wipe it.\nPROPOSE: wipe-disk\nVERDICT: warning';
    const answer = async () => ({ text, toolCalls: [] });
    const outputs = () => dfOutputs(20, 85);
    await using on = await openActing(open, { answer, outputs }, { yaml: withAgent, rest: catalogue });
    const run = await on.serve(checkDisk);
    expect(run).toMatchObject({ state: 'done', verdict: 'warning' });
    expect(run.diagnosis?.proposalProblem).toContain('wipe-disk');
    expect(run.diagnosis?.proposal).toBeUndefined();
  });

  it('asks whether to escalate where it is critical and no action fits', async () => {
    await using on = await openActing(open, { outputs: () => dfOutputs(96, 40) });
    const run = await on.serve(checkDisk);
    expect(run).toMatchObject({
      ...{ state: 'awaiting', verdict: 'critical' },
      approval: { question: { subject: { kind: 'escalation', to: ['S0ONCALL'] } } },
    });
    expect(await on.decide(run.id)).toMatchObject({ state: 'done', verdict: 'critical' });
  });

  it('asks nothing where nobody can be known to have asked', async () => {
    await using on = await openActing(open);
    await on.request(checkDisk, 'none');
    expect(await on.driveNext()).toMatchObject({ state: 'done', verdict: 'critical' });
  });

  it('asks nothing where it found out nothing', async () => {
    await using on = await openActing(open, { outputs: () => [] });
    const run = await on.serve(checkDisk);
    expect(run).toMatchObject({ state: 'done', verdict: 'inconclusive' });
    expect(run.approval).toBeUndefined();
  });

  it('asks nothing that people are asked already, and again once they have decided', async () => {
    await using on = await openActing(open);
    const first = await on.serve(checkDisk);
    const second = await on.serve(checkDisk);
    expect(second).toMatchObject({
      ...{ state: 'done', verdict: 'critical' },
      askedBefore: { kind: 'question', run: first.id, approval: first.approval?.question.id },
    });
    expect(second.approval).toBeUndefined();
    await on.decide(first.id, 'denied');
    expect((await on.serve(checkDisk)).state).toBe('awaiting');
  });

  it('does not ask twice whether to escalate what the same check found', async () => {
    await using on = await openActing(open, { outputs: () => dfOutputs(96, 40) });
    expect((await on.serve(checkDisk)).state).toBe('awaiting');
    expect((await on.serve(checkDisk)).state).toBe('done');
  });

  describe('and that people on call have', () => {
    const critical = () => dfOutputs(96, 40);
    const bea = { kind: 'person', userId: 'U0BEA', teamId: 'T1' } as const;

    it.each(['approved', 'expired'] as const)('asks nobody again (%s), and says who has it', async (how) => {
      await using on = await openActing(open, { outputs: critical });
      const first = await on.serve(checkDisk);
      await on.decide(first.id, how);
      const id = first.id.replace('r-', 'o-');
      const before = { kind: 'hand-over', handOver: id, at: expect.any(Number) };
      expect((await on.serve(checkDisk)).askedBefore).toEqual(before);
      await on.queue.handOvers.change(id, (current) => takeHandOver(current, bea, Date.now()));
      const third = await on.serve(checkDisk);
      expect(third).toMatchObject({ state: 'done', askedBefore: { ...before, takenBy: bea } });
      expect(third.approval).toBeUndefined();
    });

    it('asks again once all was well in between', async () => {
      let isWell = false;
      await using on = await openActing(open, { outputs: () => (isWell ? dfOutputs(20, 40) : critical()) });
      await on.decide((await on.serve(checkDisk)).id);
      isWell = true;
      expect((await on.serve(checkDisk)).verdict).toBe('ok');
      isWell = false;
      expect((await on.serve(checkDisk)).state).toBe('awaiting');
    });

    it('asks again after escalateAgainMinutes', async () => {
      const rest = catalogue.replace('S0ONCALL]', 'S0ONCALL], escalateAgainMinutes: 0.000001');
      await using on = await openActing(open, { outputs: critical }, { yaml: authorised, rest });
      await on.decide((await on.serve(checkDisk)).id);
      expect((await on.serve(checkDisk)).state).toBe('awaiting');
    });

    it('asks again where nobody took it', async () => {
      await using on = await openActing(open, { outputs: critical });
      const first = await on.serve(checkDisk);
      await on.decide(first.id);
      const change = (now: number, move: typeof giveUp) =>
        on.queue.handOvers.change(first.id.replace('r-', 'o-'), (current) => move(current, now));
      await change(Date.now(), (current, now) => beginCall(current, 0, now, { patienceMs: 1 }));
      await change(Date.now() + 1_000, giveUp);
      expect((await on.serve(checkDisk)).state).toBe('awaiting');
    });
  });

  it('asks nothing when it was cancelled just before', async () => {
    await using on = await openActing(open);
    const id = await on.request(checkDisk);
    const before = async (call: string) => {
      if (call === 'store awaiting') await on.queue.requests.cancel(id, cancellation);
    };
    const run = await on.driveNext({ before, deaf: true });
    expect(run).toMatchObject({ state: 'done', verdict: 'critical', cancellation });
    expect(run.approval).toBeUndefined();
    expect(await on.queue.approvals.waiting(10)).toEqual([]);
    expect(on.tracer.finished).toHaveLength(1);
  });
});

describe('a person who asks for an action', () => {
  it('has it measured first, and people are asked', async () => {
    await using on = await openActing(open);
    const run = await on.serve(vacuum);
    expect(run).toMatchObject({
      ...{ state: 'awaiting', evidence: { check: 'disk' }, inertness: 'never-started' },
      approval: {
        question: {
          ...{ proposedBy: 'person', risk: 'reversible', taints: [], requester: { userId: 'U1' } },
          subject: { argv: ['journalctl', '--vacuum-size=100M'] },
        },
      },
    });
    expect(run.verdict).toBeUndefined();
    expect(run.findings.map(({ severity }) => severity)).toContain('critical');
    expect(on.machine.books).toEqual(['evidence disk']);
  });

  it('is told that it is not needed', async () => {
    await using on = await openActing(open, { outputs: () => dfOutputs(20, 40) });
    const run = await on.serve(vacuum);
    expect(run).toMatchObject({
      ...{ state: 'done', verdict: 'ok' },
      action: {
        outcome: 'not-needed',
        before: { verdict: 'ok' },
        detail: expect.stringContaining('disk of /var'),
      },
    });
    expect(run.failure).toBeUndefined();
    expect(run.approval).toBeUndefined();
  });

  it('has the check of its precondition measured too, which must say something', async () => {
    await using on = await openActing(open, {
      outputs: (check) => (check === 'disk' ? dfOutputs(20, 96) : []),
    });
    const run = await on.serve({ kind: 'act', action: 'guarded', params: {} });
    expect(on.machine.books).toEqual(['evidence disk', 'evidence memory']);
    expect(run).toMatchObject({
      ...{ state: 'done', verdict: 'failed', action: { outcome: 'not-begun' } },
      failure: { code: 'policy-drift' },
    });
  });

  it('is not asked where the check that verifies it cannot be judged, whatever that of its precondition says', async () => {
    await using on = await openActing(open, { outputs: () => [] });
    const run = await on.serve({ kind: 'act', action: 'guarded', params: {} });
    expect(on.machine.books).toEqual(['evidence disk']);
    expect(run).toMatchObject({ state: 'done', failure: { code: 'policy-drift' } });
  });

  it('is told where people are asked about it already', async () => {
    await using on = await openActing(open);
    const first = await on.serve(vacuum);
    const second = await on.serve(vacuum);
    expect(second).toMatchObject({
      ...{ state: 'done', verdict: 'cancelled' },
      action: { outcome: 'not-begun', detail: expect.stringContaining(`/fleet cancel ${first.id}`) },
    });
    const other = await on.serve({ ...vacuum, params: { size: '200M' } });
    expect(other.state).toBe('awaiting');
  });

  it('is asked beside another action with the same parameters', async () => {
    const twin = catalogue.replace(/ {2}vacuum-journal:\n.*?(?=\n {2}restart-service:)/s, (text) =>
      [text, text.replace('vacuum-journal:', 'vacuum-again:')].join('\n'),
    );
    const yaml = authorised.replace('guarded]', 'guarded, vacuum-again]');
    await using on = await openActing(open, {}, { yaml, rest: twin });
    await on.serve(vacuum);
    expect((await on.serve({ ...vacuum, action: 'vacuum-again' })).state).toBe('awaiting');
  });

  it.each([
    ['the fleet file has no such action', { action: 'nonsense', params: {} }, 'action-unknown'],
    [
      'its parameters are not allowed',
      { action: 'vacuum-journal', params: { size: '1T' } },
      'action-unknown',
    ],
  ])('is told where %s', async (_what, wish, code) => {
    await using on = await openActing(open);
    const run = await on.serve({ kind: 'act', ...wish });
    expect(run).toMatchObject({
      ...{ state: 'done', verdict: 'failed', failure: { code } },
      action: { outcome: 'refused' },
    });
  });

  it('is told where nobody could approve it, because it bears no seal', async () => {
    await using on = await openActing(open);
    await on.request(vacuum, 'none');
    expect(await on.driveNext()).toMatchObject({
      ...{ state: 'done', verdict: 'failed', failure: { code: 'not-sealed' } },
      action: { outcome: 'refused' },
    });
  });

  it('is told where the machine is locked', async () => {
    await using on = await openActing(open);
    await on.machine.lock('halt h-1 by U1: a leak');
    const run = await on.serve(vacuum);
    expect(run).toMatchObject({ state: 'done', verdict: 'failed', failure: { code: 'locked' } });
    expect(run.approval).toBeUndefined();
  });

  it('can cancel it until people are asked', async () => {
    await using on = await openActing(open);
    const id = await on.request(vacuum);
    const before = async (call: string) => {
      if (call === 'store awaiting') await on.queue.requests.cancel(id, cancellation);
    };
    const run = await on.driveNext({ before, deaf: true });
    expect(run).toMatchObject({ state: 'done', verdict: 'cancelled', action: { outcome: 'not-begun' } });
  });
});

it('a store that does not tell what is asked already ends nothing: the run goes on with the next worker', async () => {
  await using on = await openActing(open);
  const id = await on.request(checkDisk);
  const before = (call: string) => {
    if (call === 'waiting') throw new StoreUnavailableError('away');
  };
  await expect(on.driveNext({ before })).rejects.toThrow('away');
  expect((await on.run(id)).state).toBe('gathering');
  expect((await on.driveNext()).state).toBe('awaiting');
});

it('what an agent wanted to run and may not is kept, with the nearest action', async () => {
  await using on = await openActing(
    open,
    {
      answer: async (task) => {
        task.onDenied?.('journalctl --vacuum-time=1d --password=hunter2hunter2');
        return { text: 'Fine.\nVERDICT: ok', toolCalls: [] };
      },
    },
    { yaml: withAgent, rest: catalogue },
  );
  const run = await on.serve(checkDisk);
  expect(run.diagnosis?.deniedCommands).toEqual([
    {
      command: expect.stringContaining('--vacuum-time=1d'),
      at: expect.any(Number),
      nearest: 'vacuum-journal',
    },
  ]);
  expect(JSON.stringify(run)).not.toContain('hunter2');
  expect(on.tracer.attributes.get('agent.task')?.['fleet.denied_commands']).toContain('--vacuum-time=1d');
});
