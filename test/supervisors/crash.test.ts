import { describe, expect, it } from 'vitest';
import { MachineError } from '../../src/fleet/errors.ts';
import type { Run } from '../../src/fleet/run.ts';
import { sumOf, timesOf } from '../../src/fleet/spending.ts';
import { type SupervisedMachine, type SupervisedOptions, supervisedMachines } from './supervised-machine.ts';
import { Zombie } from './zombie.ts';

const openMachine = supervisedMachines();

/** An agent whose every answer costs 300 micro-dollars. */
const open = ({ behaviour, ...options }: SupervisedOptions = {}) =>
  openMachine({
    rest: 'prices: { m: { inputUsdPerMillion: 1, outputUsdPerMillion: 2 } }\n',
    ...options,
    behaviour: {
      answer: async () => ({
        ...{ text: 'All is well.\nVERDICT: ok', toolCalls: [] },
        ...{ model: 'm', usage: { inputTokens: 100, outputTokens: 100 } },
      }),
      ...behaviour,
    },
  });

const never = new AbortController().signal;
const tasks = {
  check: { kind: 'check', check: 'disk' },
  ask: { kind: 'ask', question: 'Why is it slow?' },
} as const;

/** Every call that a supervisor makes for one run, in order. */
const callsOfCheck = [
  ...['store gathering', 'status', 'evidence', 'store starting', 'start', 'ready', 'store tasking', 'task'],
  ...['store stopping', 'stop', 'store done'],
];

/** At most one activation at once: every start is followed by a stop before the next one. */
function neverTwoAtOnce(books: readonly string[]): boolean {
  let active = false;
  for (const entry of books) {
    if (entry.startsWith('start') && active) return false;
    if (entry.startsWith('start')) active = true;
    if (entry === 'stop') active = false;
  }
  return !active;
}

async function expectOneAnswer(on: SupervisedMachine, run: Run): Promise<void> {
  expect(run).toMatchObject({ state: 'done', diagnosis: { comment: expect.any(String) } });
  expect(run.verdict).toBe(run.request.task.kind === 'check' ? 'ok' : 'answered');
  expect(run.timeline.filter(({ state }) => state === 'done')).toHaveLength(1);
  expect(neverTwoAtOnce(on.machine.books)).toBe(true);
  expect((await on.machine.status()).agent).toBe('inactive');
  const machine = await on.queue.requests.machine('rhel-01');
  expect(machine.currentRunId).toBeUndefined();
  expect(machine.waiting).toBe(0);
  const finished = await on.queue.requests.runs({ machine: 'rhel-01', limit: 10 });
  expect(finished.map(({ id }) => id)).toEqual([run.id]);
  await expectCountedOnce(on);
}

/** Every activation that began is in the ledger's ends, and in the sums of its month, once. */
async function expectCountedOnce({ queue }: SupervisedMachine): Promise<void> {
  const entries = (await queue.ledger.read('', 1_000)).map(({ entry }) => JSON.parse(entry));
  const numbersOf = (kind: string) =>
    entries.filter((entry) => entry.kind === kind).map(({ activation }) => activation);
  expect(numbersOf('activation.ended')).toEqual(numbersOf('activation.began'));
  const { activations, microUsd } = sumOf(await queue.spending.rows([timesOf(Date.now()).month]));
  expect(activations).toBe(numbersOf('activation.began').length);
  // One of them was asked, and answered.
  expect(microUsd).toBe(300);
}

const points = callsOfCheck.flatMap((call) => (['before', 'after'] as const).map((when) => ({ when, call })));

describe.each(Object.keys(tasks).filter((kind) => kind === 'check' || kind === 'ask'))(
  'a worker that dies while it serves a request: %s',
  (kind) => {
    const task = tasks[kind];
    const mine = points.filter(({ call }) => kind === 'check' || call !== 'evidence');

    it('makes no other calls than those where it is killed below', async () => {
      await using on = await open();
      const calls = new Set<string>();
      await on.serve(task, { before: (call) => void calls.add(call) });
      expect([...calls]).toEqual([...new Set(mine.map(({ call }) => call))]);
    });

    it.each(mine)('$when $call leaves one answer and no agent', async ({ when, call }) => {
      await using on = await open();
      const id = await on.request(task);
      const zombie = await Zombie.at(on, call, when);
      if (call === 'store done' && when === 'after') {
        // Nothing is left to do: the answer was stored.
        expect(await on.queue.runs.claim('rhel-01')).toBeUndefined();
      } else {
        await on.driveNext();
      }
      const run = await on.run(id);
      await expectOneAnswer(on, run);
      expect(run.diagnosis?.activations).toBeLessThanOrEqual(2);

      // And should it not be dead after all, it changes nothing any more.
      const books = [...on.machine.books];
      await zombie.goOn();
      expect(await on.run(id)).toEqual(run);
      expect(on.machine.books).toEqual(books);
    });

    it.each(mine.filter(({ call }) => call !== 'store done'))(
      '$when $call and comes back while its successor works changes nothing',
      async ({ when, call }) => {
        await using on = await open();
        const id = await on.request(task);
        const zombie = await Zombie.at(on, call, when);
        await on.driveNext({
          before: async (name) => {
            if (name === 'task' || name === 'store done') await zombie.goOn();
          },
        });
        await expectOneAnswer(on, await on.run(id));
        expect(on.tracer.finished).toHaveLength(1);
      },
    );
  },
);

describe('a worker that dies', () => {
  it('again and again during the task leaves the agent unanswered, and says so', async () => {
    await using on = await open();
    const id = await on.request();
    await Zombie.at(on, 'task', 'before');
    await Zombie.at(on, 'task', 'before');
    const run = await on.driveNext();
    expect(run).toMatchObject({
      ...{ id, state: 'done', verdict: 'ok', inertness: 'inactive' },
      diagnosis: { activations: 2, failure: { code: 'agent-interrupted' } },
    });
    expect(neverTwoAtOnce(on.machine.books)).toBe(true);
    expect(on.machine.books.filter((entry) => entry.startsWith('start'))).toHaveLength(2);
  });

  it('is taken over also where the machine has seen a higher fence than the store', async () => {
    await using on = await open();
    await on.request();
    await Zombie.at(on, 'task', 'before');
    await on.machine.evidence(90, 'disk');
    expect(await on.driveNext()).toMatchObject({ verdict: 'ok', diagnosis: { activations: 2 } });
    expect(on.machine.highestFence).toBeGreaterThan(90);
    expect(neverTwoAtOnce(on.machine.books)).toBe(true);
  });

  it('again and again fails the question that it served', async () => {
    await using on = await open({ settings: { maxActivations: 1 } });
    await on.request(tasks.ask);
    await Zombie.at(on, 'task', 'before');
    expect(await on.driveNext()).toMatchObject({
      verdict: 'failed',
      failure: { code: 'agent-interrupted' },
      inertness: 'inactive',
    });
  });

  it('while the machine vanishes too leaves a verdict, and a machine in quarantine', async () => {
    await using on = await open({ settings: { stopAttempts: 1 } });
    const id = await on.request();
    await Zombie.at(on, 'task', 'before');
    const run = await on.driveNext({
      before: (call) => {
        if (call === 'status' || call === 'stop') throw new MachineError('unreachable', 'It is gone.');
      },
    });
    expect(run).toMatchObject({ id, state: 'done', verdict: 'ok', inertness: 'unknown' });
    expect((await on.queue.requests.machine('rhel-01')).quarantine?.runId).toBe(id);
  });

  it('after it gave up on the stop has the quarantine lifted by the stop of the next one', async () => {
    await using on = await open({ settings: { stopAttempts: 1 } });
    await on.request();
    let failed = false;
    const dying = on.supervisor({
      before: (call) => {
        if (call === 'stop') throw new MachineError('unreachable', 'It is gone.');
      },
      after: (call) => {
        if (call !== 'quarantine') return;
        failed = true;
        return new Promise(() => {});
      },
    });
    void dying(await on.claim(), never);
    await expect.poll(() => failed).toBe(true);
    expect(await on.driveNext()).toMatchObject({ verdict: 'ok', inertness: 'inactive' });
    expect((await on.queue.requests.machine('rhel-01')).quarantine).toBeUndefined();
  });
});
