import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { StaleFenceError } from '../../src/fleet/errors.ts';
import { moveRun, type Run, type RunState } from '../../src/fleet/run.ts';
import type { Queue } from '../../src/queue/create-queue.ts';
import type { Claim } from '../../src/queue/run-store.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { sampleApproval } from '../support/sample-question.ts';
import { accept, openQueue, settled } from './support.ts';
import { type WhereRunsAre, whereRunsAre } from './where-runs-are.ts';

const machines = ['m-0', 'm-1'];
const cancellation = { userId: 'U2', at: 1 };

let redis: TestRedis;
let admin: Redis;
let clients: Queue[];

beforeAll(async () => {
  redis = await startTestRedis();
  // It is killed on purpose.
  admin = new Redis(redis.url).on('error', () => {});
  clients = await Promise.all([openQueue(redis.url), openQueue(redis.url)]);
});
afterAll(async () => {
  admin?.disconnect();
  await Promise.all((clients ?? []).map((client) => client.close()));
  await redis?.stop();
});

/** What can happen next; `pick` is of whatever there is to choose from. */
const step = fc.record({
  what: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('accept', 'claim', 'claim', 'save', 'save', 'save') },
    { weight: 4, arbitrary: fc.constantFrom('approve', 'deny', 'vote', 'cancel', 'zombie', 'cancelled') },
  ),
  client: fc.nat({ max: 1 }),
  machine: fc.nat({ max: machines.length - 1 }),
  pick: fc.nat({ max: 1_000 }),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** What the queue should hold: the same in a few lines, without Redis. */
class Model {
  readonly states = new Map<string, RunState>();
  readonly machineOf = new Map<string, number>();
  readonly inboxes: string[][] = machines.map(() => []);
  readonly current: (string | undefined)[] = machines.map(() => undefined);
  readonly cancelled = new Set<string>();

  where(state: RunState, machine?: number): string[] {
    const ids = [...this.states].flatMap(([id, each]) => (each === state ? id : []));
    return ids.filter((id) => machine === undefined || this.machineOf.get(id) === machine).toSorted();
  }

  expected(): WhereRunsAre {
    return {
      states: Object.fromEntries(this.states),
      inboxes: this.inboxes,
      current: this.current.map((id) => id ?? null),
      awaiting: machines.map((_, machine) => this.where('awaiting', machine)),
      ...{ due: this.where('awaiting'), asked: this.where('awaiting') },
      finished: machines.map((_, machine) => this.where('done', machine)),
      forgotten: [],
    };
  }
}

/** A model, the queue, and what workers hold: does a step with both. */
class Play {
  readonly model = new Model();
  readonly held = new Map<number, Claim>();
  /** What workers held before, and may still believe to hold. */
  readonly zombies: Claim[] = [];

  async take({ what, client, machine, pick }: Step): Promise<void> {
    const { model } = this;
    const queue = clients[client];
    const ids = [...model.states.keys()];
    const waiting = model.where('awaiting');
    if (queue === undefined) return;
    switch (what) {
      case 'accept': {
        const id = await accept(queue, { machine: machines[machine] ?? '' });
        model.states.set(id, 'queued');
        model.machineOf.set(id, machine);
        model.inboxes[machine]?.push(id);
        return;
      }
      case 'claim':
        return this.claim(queue, machine);
      case 'save':
        return this.save(queue, machine, pick);
      case 'zombie':
        return this.saveAsZombie(queue, pick);
      case 'approve':
      case 'deny':
      case 'vote':
        if (waiting.length > 0) await this.decide(queue, waiting[pick % waiting.length] ?? '', what);
        return;
      case 'cancel':
        if (ids.length > 0) await this.cancel(queue, ids[pick % ids.length] ?? '');
        return;
      case 'cancelled':
        if (waiting.length > 0) await this.cancel(queue, waiting[pick % waiting.length] ?? '');
    }
  }

  async claim(queue: Queue, machine: number): Promise<void> {
    const { model } = this;
    const claim = await queue.runs.claim(machines[machine] ?? '');
    model.current[machine] ??= model.inboxes[machine]?.shift();
    expect(claim?.run.id).toBe(model.current[machine]);
    const before = this.held.get(machine);
    if (claim !== undefined && before !== undefined) this.zombies.push(before);
    if (claim !== undefined) this.held.set(machine, claim);
  }

  async save(queue: Queue, machine: number, pick: number): Promise<void> {
    const held = this.held.get(machine);
    if (held === undefined || this.model.current[machine] !== held.run.id) return;
    const run = nextOf(held.run, pick);
    const saved = await queue.runs.save(run, held.run.state, held.fence);
    const refused = run.state === 'awaiting' && this.model.cancelled.has(run.id);
    expect(saved.state).toBe(refused ? held.run.state : run.state);
    expect(saved.cancellation !== undefined).toBe(this.model.cancelled.has(run.id));
    this.held.set(machine, { ...held, run: saved });
    this.model.states.set(run.id, saved.state);
    if (saved.state !== 'awaiting' && saved.state !== 'done') return;
    this.model.current[machine] = undefined;
    this.zombies.push({ ...held, run: saved });
    this.held.delete(machine);
  }

  /** Whatever it was, it changes nothing. */
  async saveAsZombie(queue: Queue, pick: number): Promise<void> {
    const zombie = this.zombies[pick % Math.max(1, this.zombies.length)];
    if (zombie === undefined || zombie.run.state === 'done') return;
    const run: Run = { ...zombie.run, state: pick % 2 === 0 ? 'done' : 'verifying', verdict: 'failed' };
    await expect(queue.runs.save(run, zombie.run.state, zombie.fence)).rejects.toBeInstanceOf(
      StaleFenceError,
    );
  }

  async decide(queue: Queue, id: string, what: 'approve' | 'deny' | 'vote'): Promise<void> {
    const stored = await queue.approvals.change(id, (run) => {
      if (what === 'vote' && run.approval) {
        return { run: { ...run, approval: { ...run.approval, reminded: true } }, entries: [] };
      }
      return settled(run, what === 'approve' ? 'approved' : 'denied');
    });
    const machine = this.model.machineOf.get(id) ?? 0;
    const state = what === 'vote' ? 'awaiting' : what === 'approve' ? 'approved' : 'done';
    expect(stored?.state).toBe(state);
    this.model.states.set(id, state);
    if (state === 'approved') this.model.inboxes[machine]?.unshift(id);
  }

  async cancel(queue: Queue, id: string): Promise<void> {
    const { model } = this;
    const { kind } = await queue.requests.cancel(id, cancellation);
    if (model.states.get(id) === 'done') return expect(kind).toBe('already-done');
    if (model.current.includes(id)) {
      model.cancelled.add(id);
      return expect(kind).toBe('requested');
    }
    expect(kind).toBe('cancelled');
    model.states.set(id, 'done');
    for (const inbox of model.inboxes) if (inbox.includes(id)) inbox.splice(inbox.indexOf(id), 1);
  }

  async check(): Promise<void> {
    expect(await whereRunsAre(admin, machines, this.model.states.keys())).toEqual(this.model.expected());
  }
}

/** A move that a worker may make. */
function nextOf(run: Run, pick: number): Run {
  const to: Partial<Record<RunState, readonly RunState[]>> = {
    queued: ['gathering'],
    gathering: ['awaiting', 'awaiting', 'done'],
    approved: ['acting', 'done'],
    acting: ['verifying'],
    verifying: ['done'],
  };
  const states = to[run.state] ?? [];
  const state = states[pick % states.length] ?? 'done';
  const asks = state === 'awaiting' && { approval: sampleApproval(run, { askedAt: Date.now() }) };
  return moveRun(run, state, Date.now(), { ...asks });
}

const steps = fc.array(step, { minLength: 10, maxLength: 60 });

it('every run is where its state says, whatever is done to runs by two processes', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      await admin.flushall();
      const play = new Play();
      for (const each of taken) {
        await play.take(each);
        await play.check();
      }
    }),
    { numRuns: 40 },
  );
}, 120_000);

it('every run is where its state says, also where Redis is killed between the steps', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.nat({ max: 59 }), async (taken, killedAfter) => {
      await admin.flushall();
      const play = new Play();
      for (const [index, each] of taken.entries()) {
        await play.take(each);
        if (index !== killedAfter % taken.length) continue;
        await redis.kill();
        await redis.restart();
        for (const client of clients) {
          await expect.poll(() => client.ready().catch(() => false), { timeout: 10_000 }).toBe(true);
        }
        await play.check();
      }
      await play.check();
    }),
    { numRuns: 8, endOnFailure: true },
  );
}, 120_000);
