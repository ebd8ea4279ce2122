import { describe, expect, it } from 'vitest';
import { MachineError, StoreUnavailableError } from '../../src/fleet/errors.ts';
import type { Run } from '../../src/fleet/run.ts';
import { approvedRun, isHonest, openActing, vacuum } from './acting-machine.ts';
import { type SupervisedMachine, supervisedMachines } from './supervised-machine.ts';
import { Zombie } from './zombie.ts';

const open = supervisedMachines();

/** Every call that a supervisor makes for an action that a person asks for, until people are asked. */
const callsOfAsking = ['store gathering', 'status', 'evidence', 'waiting', 'store awaiting'];

/** And once they have approved it. Some are made twice: before the action, and after it. */
const callsOfActing = [
  ...['status', 'evidence', 'sign', 'store acting', 'act', 'result', 'store verifying'],
  ...['status', 'raise fence', 'evidence', 'store done'],
];

interface Point {
  readonly call: string;
  readonly nth: number;
  readonly when: 'before' | 'after';
}

function pointsOf(calls: readonly string[]): readonly Point[] {
  return calls.flatMap((call, index) => {
    const nth = calls.slice(0, index + 1).filter((each) => each === call).length;
    return [
      { call, nth, when: 'before' },
      { call, nth, when: 'after' },
    ] as const;
  });
}

const acting = pointsOf(callsOfActing);
/** Where the record says already that the machine is asked to begin, and it has not been. */
const inBetween = (point: Point) =>
  (point.call === 'store acting' && point.when === 'after') ||
  (point.call === 'act' && point.when === 'before');
const isLast = ({ call, when }: Point) => call === 'store done' && when === 'after';

/** Calls back at a point. */
function atPoint({ call, nth, when }: Point, work: () => void | Promise<void>) {
  let seen = 0;
  return {
    [when]: (name: string) => {
      if (name === call) seen += 1;
      return name === call && seen === nth ? work() : undefined;
    },
  };
}

async function expectOneOutcome(on: SupervisedMachine, run: Run, outcome: string): Promise<void> {
  expect(run).toMatchObject({ state: 'done', action: { outcome } });
  expect(run.timeline.filter(({ state }) => state === 'done')).toHaveLength(1);
  expect(run.timeline.filter(({ state }) => state === 'acting').length).toBeLessThanOrEqual(1);
  expect(isHonest(run, on)).toBe(true);
  expect(on.machine.executions.length).toBe(outcome === 'done' ? 1 : 0);
  const machine = await on.queue.requests.machine('rhel-01');
  expect(machine.currentRunId).toBeUndefined();
  expect(machine.waiting).toBe(0);
}

it('a supervisor makes no other calls than those where it is killed below', async () => {
  await using on = await openActing(open);
  const calls: string[] = [];
  const before = (call: string) => void calls.push(call);
  await on.request(vacuum);
  const asking = await on.driveNext({ before });
  expect(calls.splice(0)).toEqual(callsOfAsking);
  await on.decide(asking.id);
  await on.driveNext({ before });
  expect(calls).toEqual(callsOfActing);
});

describe('a worker that dies before people are asked', () => {
  it.each(pointsOf(callsOfAsking))(
    '$when $call (call $nth) leaves one question',
    async ({ call, nth, when }) => {
      await using on = await openActing(open);
      const id = await on.request(vacuum);
      const zombie = await Zombie.at(on, call, when, nth);
      if (call !== 'store awaiting' || when === 'before') await on.driveNext();
      const run = await on.run(id);
      expect(run).toMatchObject({ state: 'awaiting', approval: { state: 'waiting' } });
      await zombie.goOn();
      expect(await on.run(id)).toEqual(run);
      expect(await on.queue.approvals.waiting(10)).toHaveLength(1);
      await on.decide(id);
      expect(await on.driveNext()).toMatchObject({ id, action: { outcome: 'done' } });
    },
  );
});

describe('a worker that dies while it does what was approved', () => {
  it.each(acting)(
    '$when $call (call $nth) leaves at most one change, and the truth about it',
    async (point) => {
      await using on = await openActing(open);
      const { id } = await approvedRun(on);
      const zombie = await Zombie.at(on, point.call, point.when, point.nth);
      if (isLast(point)) expect(await on.queue.runs.claim('rhel-01')).toBeUndefined();
      else await on.driveNext();
      const run = await on.run(id);
      const outcome = inBetween(point) ? 'not-begun' : 'done';
      await expectOneOutcome(on, run, outcome);
      expect(on.machine.books.filter((entry) => entry === 'act vacuum-journal').length).toBeLessThanOrEqual(
        1,
      );

      // And should it not be dead after all, it changes nothing any more.
      await zombie.goOn();
      expect(await on.run(id)).toEqual(run);
      await expectOneOutcome(on, run, outcome);
      expect(on.tracer.finished).toHaveLength(1);
    },
  );

  it.each(acting.filter((point) => !isLast(point)))(
    '$when $call (call $nth) and comes back while its successor works changes nothing',
    async (point) => {
      await using on = await openActing(open);
      const { id } = await approvedRun(on);
      const zombie = await Zombie.at(on, point.call, point.when, point.nth);
      await on.driveNext({
        before: async (name) => {
          if (name === 'act' || name === 'stop' || name === 'result' || name === 'store done')
            await zombie.goOn();
        },
      });
      const run = await on.run(id);
      expect(run.state).toBe('done');
      expect(isHonest(run, on)).toBe(true);
      expect(on.machine.executions.length).toBeLessThanOrEqual(1);
      expect(on.tracer.finished).toHaveLength(1);
    },
  );
});

describe('a worker that must let go while it does what was approved', () => {
  it.each(acting)('$when $call (call $nth) leaves it to the next one', async (point) => {
    await using on = await openActing(open);
    const { id } = await approvedRun(on);
    const shutdown = new AbortController();
    const around = atPoint(point, () => shutdown.abort('shutdown'));
    const driving = on.supervisor(around)(await on.claim(), shutdown.signal);
    // What is all but over is brought to its end.
    const isEnding = point.call === 'store done' || (point.call === 'evidence' && point.nth === 2);
    if (isEnding) await driving.catch(() => undefined);
    else await expect(driving).rejects.toBe('shutdown');
    if ((await on.run(id)).state !== 'done') await on.driveNext();
    await expectOneOutcome(on, await on.run(id), 'done');
    expect(on.tracer.finished).toHaveLength(1);
    expect(on.tracer.open).toEqual([]);
  });
});

describe('a store that is away while what was approved is done', () => {
  it.each(acting.filter(({ call }) => call.startsWith('store')))(
    '$when $call: the run goes on later',
    async (point) => {
      await using on = await openActing(open);
      const { id } = await approvedRun(on);
      const around = atPoint(point, () => {
        throw new StoreUnavailableError('Redis is away.');
      });
      await expect(on.supervisor(around)(await on.claim(), new AbortController().signal)).rejects.toThrow(
        'away',
      );
      if (!isLast(point)) await on.driveNext();
      await expectOneOutcome(on, await on.run(id), inBetween(point) ? 'not-begun' : 'done');
    },
  );
});

describe('a machine that cannot be reached while what was approved is done', () => {
  it.each(acting.filter(({ call }) => ['status', 'evidence', 'act', 'result'].includes(call)))(
    '$when $call (call $nth): the record tells the truth',
    async (point) => {
      await using on = await openActing(open);
      await approvedRun(on);
      const around = atPoint(point, () => {
        throw new MachineError('unreachable', 'It is gone.');
      });
      const run = await on.driveNext(around);
      expect(run.state).toBe('done');
      expect(isHonest(run, on)).toBe(true);
      const isBefore = point.nth === 1 && (point.call === 'status' || point.call === 'evidence');
      expect(run.action?.outcome).toBe(isBefore || inBetween(point) ? 'not-begun' : 'done');
    },
  );
});

it('an action whose supervisors die again and again is done once', async () => {
  await using on = await openActing(open);
  const { id } = await approvedRun(on);
  for (const call of ['sign', 'result', 'result', 'store verifying', 'evidence'])
    await Zombie.at(on, call, 'before');
  await expectOneOutcome(on, await on.driveNext(), 'done');
  expect((await on.run(id)).state).toBe('done');
});
