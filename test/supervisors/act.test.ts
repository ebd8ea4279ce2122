import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AgentError, MachineError, SignerError } from '../../src/fleet/errors.ts';
import type { Run } from '../../src/fleet/run.ts';
import { dfOutputs } from '../support/df-outputs.ts';
import {
  approvedRun,
  authorised,
  catalogue,
  checkDisk,
  isHonest,
  openActing,
  vacuum,
} from './acting-machine.ts';
import { BlindSigner } from './blind-signer.ts';
import { type SupervisedMachine, supervisedMachines } from './supervised-machine.ts';
import { Zombie } from './zombie.ts';

const open = supervisedMachines();

const forever = () => new Promise<never>(() => {});
const never = new AbortController().signal;
const cancellation = { userId: 'U2', at: 1_790_000_000_000 };

/** Nothing was changed, and the record says so. */
function expectUntouched(on: SupervisedMachine, run: Run, outcome: string): void {
  expect(run).toMatchObject({ state: 'done', action: { outcome } });
  expect(on.machine.executions).toEqual([]);
  expect(run.action?.after).toBeUndefined();
  expect(on.tracer.finished).toHaveLength(1);
  expect(on.tracer.open).toEqual([]);
}

describe('what people approved', () => {
  it('is done once, measured before and after, and its verdict is that of the evidence after it', async () => {
    await using on = await openActing(open);
    const { id } = await approvedRun(on);
    const run = await on.driveNext();
    expect(run).toMatchObject({
      ...{ id, state: 'done', verdict: 'ok', inertness: 'never-started', approval: { state: 'approved' } },
      action: {
        ...{ outcome: 'done', exitCode: 0, effect: 'confirmed', detail: 'It ended with exit code 0.' },
        ...{ before: { verdict: 'critical' }, after: { verdict: 'ok' } },
      },
    });
    expect(run.timeline.map(({ state }) => state).slice(-5)).toEqual([
      ...['awaiting', 'approved', 'acting', 'verifying', 'done'],
    ]);
    expect(on.machine.books.slice(1)).toEqual(['evidence disk', 'act vacuum-journal', 'evidence disk']);
    expect(on.machine.executions).toMatchObject([
      {
        ...{ id: run.approval?.question.id, run: id, argv: ['journalctl', '--vacuum-size=100M'] },
        traceparent: on.tracer.actionTraceparent(run),
      },
    ]);
    expect(on.tracer.finished).toHaveLength(1);
    expect(on.tracer.ended.map(({ name }) => name)).toEqual([
      ...['evidence', 'evidence', 'action.sign', 'action.verify'],
    ]);
  });

  it('by a check keeps what the check found beside what came of it', async () => {
    await using on = await openActing(open);
    const { id } = await on.serve(checkDisk);
    await on.decide(id);
    const run = await on.driveNext();
    expect(run).toMatchObject({ id, verdict: 'ok', action: { outcome: 'done', effect: 'confirmed' } });
    expect(run.findings.map(({ severity }) => severity)).toContain('critical');
  });

  it('is waited for while it runs', async () => {
    const end = Promise.withResolvers<void>();
    await using on = await openActing(open, {
      action: async () => {
        await end.promise;
        return { outcome: 'done', detail: 'Done.', exitCode: 0, stdout: 'token=hunter2hunter2', stderr: '' };
      },
    });
    const { id } = await approvedRun(on);
    let looks = 0;
    const run = await on.driveNext({
      before: (call) => {
        if (call === 'result') looks += 1;
        if (looks === 3) end.resolve();
      },
    });
    expect(run).toMatchObject({ id, action: { outcome: 'done' } });
    expect(run.action?.stdout).not.toContain('hunter2');
  });

  it('and does not go well, is failed, and measured all the same', async () => {
    await using on = await openActing(open, {
      action: async () => ({
        outcome: 'failed',
        detail: 'Exit code 3.',
        exitCode: 3,
        stdout: '',
        stderr: 'no',
      }),
      outputs: () => dfOutputs(20, 96),
    });
    await approvedRun(on);
    expect(await on.driveNext()).toMatchObject({
      ...{ verdict: 'failed', action: { outcome: 'failed', exitCode: 3, stderr: 'no', effect: 'unchanged' } },
    });
  });

  it('is not known where the machine restarted in its middle; the evidence tells what it came to', async () => {
    await using on = await openActing(open, {
      action: async () => ({ outcome: 'lost', detail: 'It restarted.' }),
    });
    await approvedRun(on);
    expect(await on.driveNext()).toMatchObject({
      ...{ verdict: 'ok', action: { outcome: 'unknown', effect: 'confirmed', detail: 'It restarted.' } },
    });
  });

  it('is not called undone by a machine that said that it runs and has forgotten it', async () => {
    await using on = await openActing(open, { action: forever });
    await approvedRun(on);
    const run = await on.driveNext({ after: (call) => void (call === 'act' && on.machine.forget()) });
    expect(run.action?.outcome).toBe('unknown');
  });

  it('is not known where the machine does not tell in time', async () => {
    await using on = await openActing(open, { action: forever }, { settings: { resultGraceMs: 50 } });
    await approvedRun(on);
    const run = await on.driveNext();
    expect(run).toMatchObject({
      action: { outcome: 'unknown', detail: expect.stringContaining('did not tell') },
    });
    expect(on.machine.executions).toHaveLength(1);
  });
});

describe('nothing is changed', () => {
  it('where it is not needed any more', async () => {
    let isFull = true;
    await using on = await openActing(open, { outputs: () => dfOutputs(20, isFull ? 96 : 40) });
    await approvedRun(on);
    isFull = false;
    const run = await on.driveNext();
    expectUntouched(on, run, 'not-needed');
    expect(run).toMatchObject({ verdict: 'ok', action: { before: { verdict: 'ok' } } });
  });

  it.each([20, 96])('where nobody can tell whether it is needed, with / at %i %', async (rootPercent) => {
    let isReadable = true;
    const outputs = () =>
      dfOutputs(rootPercent, 96).map((output) => ({
        ...output,
        stdout: isReadable
          ? output.stdout
          : output.stdout.replace(/.* \/var$/m, 'df: /var: Input/output error'),
      }));
    await using on = await openActing(open, { outputs });
    await approvedRun(on);
    isReadable = false;
    const run = await on.driveNext();
    expectUntouched(on, run, 'not-begun');
    expect(run.action?.detail).toContain('Whether it is needed is not known');
  });

  it('where the signer refuses, which is told', async () => {
    await using on = await openActing(open);
    on.signer = { capsule: () => Promise.reject(new SignerError('signer-refused', 'Nobody approved it.')) };
    await approvedRun(on);
    const run = await on.driveNext();
    expectUntouched(on, run, 'refused');
    expect(run).toMatchObject({ verdict: 'failed', failure: { code: 'signer-refused' } });
    expect(run.action?.detail).toBe('Nobody approved it.');
  });

  it('where no signer is there', async () => {
    await using on = await openActing(open);
    on.signer = { capsule: () => Promise.reject(new SignerError('signer-away', 'No signer answered.')) };
    await approvedRun(on);
    const run = await on.driveNext();
    expectUntouched(on, run, 'not-begun');
    expect(run).toMatchObject({ verdict: 'failed', failure: { code: 'signer-away' } });
  });

  it('where the machine refuses: the check keeps its verdict', async () => {
    await using on = await openActing(open);
    const { id } = await on.serve(checkDisk);
    await on.decide(id);
    const run = await on.driveNext({
      before: async (call) => void (call === 'act' && (await on.machine.lock('a leak'))),
    });
    expectUntouched(on, run, 'refused');
    expect(run.verdict).toBe('critical');
    expect(run.failure).toBeUndefined();
  });

  it('where the machine is locked: it is not even asked', async () => {
    await using on = await openActing(open);
    await approvedRun(on);
    await on.machine.lock('a leak');
    const run = await on.driveNext({ before: (call) => expect(call).not.toBe('sign') });
    expectUntouched(on, run, 'refused');
    expect(run.failure?.code).toBe('locked');
  });

  it('where the fleet file does not allow it any more', async () => {
    await using on = await openActing(open);
    await approvedRun(on);
    on.fleet = { ...on.fleet, actions: new Map() };
    const run = await on.driveNext();
    expectUntouched(on, run, 'refused');
    expect(run.failure?.code).toBe('action-unknown');
  });

  it('where the machine is not in the fleet file any more', async () => {
    await using on = await openActing(open);
    await approvedRun(on);
    on.fleet = { ...on.fleet, machines: new Map() };
    const run = await on.driveNext();
    expectUntouched(on, run, 'not-begun');
    expect(run).toMatchObject({ verdict: 'failed', failure: { code: 'machine-unknown' } });
  });

  it.each(['status', 'evidence'])('where the machine cannot be reached for %s', async (lost) => {
    await using on = await openActing(open);
    await approvedRun(on);
    const run = await on.driveNext({
      before: (call) => {
        if (call === lost) throw new MachineError('unreachable', 'It is gone.');
      },
    });
    expectUntouched(on, run, 'not-begun');
    expect(run).toMatchObject({ verdict: 'failed', failure: { code: 'unreachable' } });
  });

  it('where what was asked never reached the machine', async () => {
    await using on = await openActing(open);
    await approvedRun(on);
    const run = await on.driveNext({
      before: (call) => {
        if (call === 'act') throw new MachineError('unreachable', 'It is gone.');
      },
    });
    expectUntouched(on, run, 'not-begun');
    expect(run.failure?.code).toBe('action-not-begun');
    // Should it still be on its way, it is refused.
    const late = await new BlindSigner().capsule({ run, fence: 2, traceparent: '' });
    await expect(on.machine.act(2, late)).rejects.toMatchObject({ code: 'old-fence' });
  });

  it('where its turn takes too long', async () => {
    const yaml = `${authorised}    limits: { runTimeoutMs: 100 }\n`;
    await using on = await openActing(open, {}, { yaml, rest: catalogue });
    await approvedRun(on);
    on.signer = {
      capsule: (_ask, signal) => new Promise((_, reject) => signal.addEventListener('abort', reject)),
    };
    const run = await on.driveNext();
    expectUntouched(on, run, 'not-begun');
    expect(run.failure?.code).toBe('run-timeout');
  });

  it.each(['status', 'evidence', 'sign', 'store acting'])('where it is cancelled before %s', async (call) => {
    await using on = await openActing(open);
    const { id } = await approvedRun(on);
    const before = async (name: string) => {
      if (name === call) await on.queue.requests.cancel(id, cancellation);
    };
    const run = await on.driveNext({ before, deaf: true });
    expectUntouched(on, run, 'not-begun');
    expect(run).toMatchObject({ verdict: 'cancelled', cancellation });
  });

  it('where it is cancelled while the signer is waited for', async () => {
    await using on = await openActing(open);
    const { id } = await approvedRun(on);
    const asked = Promise.withResolvers<void>();
    on.signer = {
      capsule: (_ask, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          asked.resolve();
        }),
    };
    await on.queue.work(on.supervisor(), { concurrency: 1 });
    await asked.promise;
    await on.queue.requests.cancel(id, cancellation);
    await expect.poll(async () => (await on.run(id)).state).toBe('done');
    const run = await on.run(id);
    expectUntouched(on, run, 'not-begun');
    expect(run.verdict).toBe('cancelled');
  });

  it('where it was cancelled in its inbox', async () => {
    await using on = await openActing(open);
    const { id } = await approvedRun(on);
    await on.queue.requests.cancel(id, cancellation);
    expect(await on.queue.runs.claim('rhel-01')).toBeUndefined();
    expect(await on.run(id)).toMatchObject({ state: 'done', verdict: 'cancelled' });
    expect(on.machine.executions).toEqual([]);
  });

  it.each(['denied', 'expired'] as const)('where it was %s', async (kind) => {
    await using on = await openActing(open);
    const { id } = await on.serve(vacuum);
    expect(await on.decide(id, kind)).toMatchObject({ state: 'done', verdict: 'cancelled' });
    expect(await on.queue.runs.claim('rhel-01')).toBeUndefined();
  });
});

it('a worker that must let go begins nothing more', async () => {
  await using on = await openActing(open);
  const { id } = await approvedRun(on);
  const shutdown = new AbortController();
  const after = (call: string) => {
    if (call === 'sign') shutdown.abort('shutdown');
  };
  await expect(on.supervisor({ after })(await on.claim(), shutdown.signal)).rejects.toBe('shutdown');
  expect((await on.run(id)).state).toBe('approved');
  expect(on.machine.executions).toEqual([]);
});

describe('an action that has begun', () => {
  it.each(['act', 'result', 'store verifying', 'store done'])(
    'cannot be cancelled any more: %s',
    async (call) => {
      await using on = await openActing(open);
      const { id } = await approvedRun(on);
      const before = async (name: string) => {
        if (name === call) await on.queue.requests.cancel(id, cancellation);
      };
      const run = await on.driveNext({ before });
      expect(run).toMatchObject({ state: 'done', verdict: 'ok', cancellation, action: { outcome: 'done' } });
      expect(on.machine.executions).toHaveLength(1);
    },
  );

  it('is found out about where its record was lost, and it is asked for again', async () => {
    await using on = await openActing(open, { outputs: () => dfOutputs(20, 96) });
    const approved = await approvedRun(on);
    await on.machine.act(3, await on.signer.capsule({ run: approved, fence: 3, traceparent: '' }, never));
    const run = await on.driveNext();
    expect(run).toMatchObject({ action: { outcome: 'done', effect: 'unchanged' } });
    expect(on.machine.executions).toHaveLength(1);
  });

  it('is not called refused because it was begun before and the machine cannot be asked about that at once', async () => {
    await using on = await openActing(open, { outputs: () => dfOutputs(20, 96) });
    const approved = await approvedRun(on);
    await on.machine.act(3, await on.signer.capsule({ run: approved, fence: 3, traceparent: '' }, never));
    let asked = 0;
    const run = await on.driveNext({
      before: (call) => {
        if (call !== 'result') return;
        asked += 1;
        if (asked === 1) throw new MachineError('unreachable', 'It is gone.');
      },
    });
    expect(run.action?.outcome).toBe('done');
    expect(on.machine.executions).toHaveLength(1);
  });

  it('is found out about where the answer to its beginning was lost', async () => {
    await using on = await openActing(open);
    await approvedRun(on);
    const run = await on.driveNext({
      after: (call) => {
        if (call === 'act') throw new MachineError('unreachable', 'It is gone.');
      },
    });
    expect(run).toMatchObject({ verdict: 'ok', action: { outcome: 'done', effect: 'confirmed' } });
    expect(on.machine.executions).toHaveLength(1);
  });

  it('is asked after until the machine answers again', async () => {
    await using on = await openActing(open);
    await approvedRun(on);
    let losses = 3;
    const run = await on.driveNext({
      before: (call) => {
        if (call !== 'result' || losses === 0) return;
        losses -= 1;
        throw new MachineError('timeout', 'No answer.');
      },
    });
    expect(run.action?.outcome).toBe('done');
  });

  it('is not known where the machine is gone for good, and neither is what it changed', async () => {
    await using on = await openActing(open, {}, { settings: { resultGraceMs: 50 } });
    await approvedRun(on);
    let isGone = false;
    const run = await on.driveNext({
      before: (call) => {
        isGone ||= call === 'result';
        if (isGone && !call.startsWith('store')) throw new MachineError('unreachable', 'It is gone.');
      },
    });
    expect(run).toMatchObject({
      ...{ state: 'done', verdict: 'inconclusive', failure: { code: 'unreachable' } },
      action: { outcome: 'unknown', effect: 'inconclusive' },
    });
    expect(run.action?.after).toBeUndefined();
  });

  it('is measured once its machine answers again, where that takes a while', async () => {
    await using on = await openActing(open);
    await approvedRun(on);
    let silent = 2;
    const run = await on.driveNext({
      before: (call) => {
        if (call === 'evidence' && on.machine.executions.length > 0 && silent-- > 0)
          throw new MachineError('unreachable', 'It restarts its network.');
      },
    });
    expect(silent).toBe(-1);
    expect(run).toMatchObject({ verdict: 'ok', action: { outcome: 'done', effect: 'confirmed' } });
  });

  it('stays done where what it changed cannot be measured', async () => {
    await using on = await openActing(open, {}, { settings: { resultGraceMs: 50 } });
    await approvedRun(on);
    const run = await on.driveNext({
      before: (call) => {
        if (call === 'evidence' && on.machine.executions.length > 0)
          throw new MachineError('timeout', 'No answer.');
      },
    });
    expect(run).toMatchObject({
      ...{ verdict: 'inconclusive', failure: { code: 'timeout' } },
      action: {
        outcome: 'done',
        effect: 'inconclusive',
        detail: expect.stringContaining('could not be measured'),
      },
    });
  });

  it('may take longer than a run, up to its own limit', async () => {
    const yaml = `${authorised}    limits: { runTimeoutMs: 100 }\n`;
    const action = async () => {
      await sleep(300);
      return { outcome: 'done', detail: 'Done.' } as const;
    };
    const settings = { resultGraceMs: 50 };
    await using on = await openActing(open, { action }, { yaml, rest: catalogue, settings });
    await approvedRun(on);
    expect(await on.driveNext()).toMatchObject({ verdict: 'ok', action: { outcome: 'done' } });
  });

  it('is verified also on a machine that was locked meanwhile', async () => {
    await using on = await openActing(open);
    await approvedRun(on);
    const run = await on.driveNext({
      before: async (call) => void (call === 'store verifying' && (await on.machine.lock('a leak'))),
    });
    expect(run).toMatchObject({ verdict: 'ok', action: { outcome: 'done', effect: 'confirmed' } });
  });

  it('is not followed by a worker that must let go, which never waits for its end', async () => {
    const end = Promise.withResolvers<void>();
    await using on = await openActing(open, {
      action: async () => {
        await end.promise;
        return { outcome: 'done', detail: 'Done.' };
      },
    });
    const { id } = await approvedRun(on);
    const shutdown = new AbortController();
    const driving = on.supervisor()(await on.claim(), shutdown.signal);
    await expect.poll(() => on.machine.executions.length).toBe(1);
    shutdown.abort('shutdown');
    await expect(driving).rejects.toBe('shutdown');
    expect((await on.run(id)).state).toBe('acting');
    expect(on.tracer.finished).toEqual([]);
    end.resolve();
    expect(await on.driveNext()).toMatchObject({ id, verdict: 'ok', action: { outcome: 'done' } });
    expect(on.machine.executions).toHaveLength(1);
    expect(on.tracer.finished).toHaveLength(1);
  });

  it('is asked after for a while also by a worker that comes after its time', async () => {
    await using on = await openActing(open, {}, { settings: { resultGraceMs: 200 } });
    const { id } = await approvedRun(on);
    await Zombie.at(on, 'result', 'before');
    const { action } = await on.run(id);
    await expect.poll(() => Date.now(), { timeout: 5_000 }).toBeGreaterThan(action?.endsBy ?? 0);
    let isLost = true;
    const run = await on.driveNext({
      before: (call) => {
        if (call !== 'result' || !isLost) return;
        isLost = false;
        throw new MachineError('timeout', 'No answer.');
      },
    });
    expect(run.action?.outcome).toBe('done');
  });

  it('is left by a worker that must let go before the machine has answered', async () => {
    await using on = await openActing(open);
    const { id } = await approvedRun(on);
    const shutdown = new AbortController();
    const driving = on.supervisor({ after: (call) => (call === 'act' ? forever() : undefined) })(
      await on.claim(),
      shutdown.signal,
    );
    await expect.poll(() => on.machine.executions.length).toBe(1);
    shutdown.abort('shutdown');
    await expect(driving).rejects.toBe('shutdown');
    expect(await on.driveNext()).toMatchObject({ id, action: { outcome: 'done' } });
  });

  it('stays done where its machine is taken out of the fleet file before it is verified', async () => {
    await using on = await openActing(open);
    await approvedRun(on);
    await Zombie.at(on, 'store done', 'before');
    on.fleet = { ...on.fleet, machines: new Map() };
    expect(await on.driveNext()).toMatchObject({
      ...{ verdict: 'inconclusive', failure: { code: 'machine-unknown' } },
      action: { outcome: 'done', effect: 'inconclusive' },
    });
  });

  it('is not known where its machine is taken out of the fleet file', async () => {
    await using on = await openActing(open);
    await approvedRun(on);
    const died = on.supervisor({ after: (call) => (call === 'act' ? forever() : undefined) });
    void died(await on.claim(), never);
    await expect.poll(() => on.machine.executions.length).toBe(1);
    on.fleet = { ...on.fleet, machines: new Map() };
    expect(await on.driveNext()).toMatchObject({
      ...{ verdict: 'inconclusive', failure: { code: 'machine-unknown' }, action: { outcome: 'unknown' } },
    });
  });

  it('is not known where its supervisor fails inside', async () => {
    await using on = await openActing(open);
    await approvedRun(on);
    const run = await on.driveNext({
      before: (call) => {
        if (call === 'result') throw new TypeError('a bug');
      },
    });
    expect(run).toMatchObject({ failure: { code: 'internal' }, action: { outcome: 'unknown' } });
    expect(isHonest(run, on)).toBe(true);
  });
});

it('time in which people think does not count', async () => {
  const yaml = `${authorised}    limits: { runTimeoutMs: 200 }\n`;
  await using on = await openActing(open, {}, { yaml, rest: catalogue });
  const asking = await on.serve(vacuum);
  const gatheredAt = asking.timeline.find(({ state }) => state === 'gathering')?.at ?? 0;
  await expect.poll(() => Date.now() - gatheredAt).toBeGreaterThan(250);
  await on.decide(asking.id);
  expect(await on.driveNext()).toMatchObject({ verdict: 'ok', action: { outcome: 'done' } });
});

it('an agent that should not run is stopped before anything is changed', async () => {
  await using on = await openActing(open);
  await approvedRun(on);
  await on.machine.start(50, 'r-stray', '');
  expect(await on.driveNext()).toMatchObject({ verdict: 'ok', action: { outcome: 'done' } });
  expect(on.machine.books.indexOf('stop')).toBeLessThan(on.machine.books.indexOf('act vacuum-journal'));
});

it('beside an agent that cannot be stopped nothing is changed, and the machine is quarantined', async () => {
  await using on = await openActing(open, {}, { settings: { stopAttempts: 1 } });
  await approvedRun(on);
  await on.machine.start(50, 'r-stray', '');
  const run = await on.driveNext({
    before: (call) => {
      if (call === 'stop') throw new AgentError('agent-lost', 'It does not stop.');
    },
  });
  expectUntouched(on, run, 'not-begun');
  expect(run).toMatchObject({ inertness: 'unknown', failure: { code: 'inertness-unknown' } });
  expect((await on.queue.requests.machine('rhel-01')).quarantine?.runId).toBe(run.id);
});

it('an agent that is found beside what was changed, and cannot be stopped, is told of', async () => {
  await using on = await openActing(open, {}, { settings: { stopAttempts: 1 } });
  await approvedRun(on);
  const run = await on.driveNext({
    before: async (call) => {
      if (call === 'store verifying') await on.machine.start(50, 'r-stray', '');
      if (call === 'stop') throw new AgentError('agent-lost', 'It does not stop.');
    },
  });
  expect(run).toMatchObject({ verdict: 'ok', inertness: 'unknown', action: { outcome: 'done' } });
});

it('a quarantine is lifted by the measurement that comes before a change', async () => {
  await using on = await openActing(open);
  const { id } = await approvedRun(on);
  const claim = await on.claim();
  await on.queue.runs.setQuarantine('rhel-01', claim.fence, { runId: 'r-other', reason: 'unknown', at: 1 });
  expect(await on.driveNext()).toMatchObject({ id, action: { outcome: 'done' } });
  expect((await on.queue.requests.machine('rhel-01')).quarantine).toBeUndefined();
});
