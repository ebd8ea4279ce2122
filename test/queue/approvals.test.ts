import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { StaleFenceError } from '../../src/fleet/errors.ts';
import { type LedgerEntry, ledgerEntrySchema } from '../../src/fleet/ledger-entry.ts';
import type { ActionRecord, Run } from '../../src/fleet/run.ts';
import { createQueue, type Queue } from '../../src/queue/create-queue.ts';
import { Keys } from '../../src/queue/keys.ts';
import { queueDefaults } from '../../src/queue/queue-settings.ts';
import { approvalsSuite } from '../conformance/approvals.ts';
import { machineRecord } from '../support/machine-record.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { sampleHalt } from '../support/sample-halt.ts';
import { aCampaign, accept, ask, askPeople, finish, move, openQueue, settled, silent } from './support.ts';

const minuteMs = 60_000;
const cancellation = { userId: 'U2', at: 1_790_000_001_000 };
const keys = new Keys(queueDefaults.prefix);

let redis: TestRedis;
let queue: Queue & AsyncDisposable;
let admin: Redis;
let machines = 0;
let machine: string;
let asked = 0;

beforeAll(async () => {
  redis = await startTestRedis();
  queue = await openQueue(redis.url);
  admin = new Redis(redis.url);
});
afterAll(async () => {
  admin?.disconnect();
  await queue?.close();
  await redis?.stop();
});
beforeEach(() => {
  machines += 1;
  machine = `machine-${machines}`;
});

approvalsSuite('Redis', async () => {
  const own = await startTestRedis();
  const first = await openQueue(own.url);
  const queues = [first];
  return {
    approvals: first.approvals,
    async another() {
      const other = await openQueue(own.url);
      queues.push(other);
      return other.approvals;
    },
    async ask(endsAt) {
      const rounds = [{ mention: ['S1'], remindAt: endsAt - 1, endsAt }];
      asked += 1;
      return (await askPeople(first, `asked-${asked}`, { question: { rounds } })).run;
    },
    async close() {
      await Promise.all(queues.map((each) => each.close()));
      await own.stop();
    },
  };
});

/** Approves what the run asks. */
function approve({ id }: Run): Promise<Run | undefined> {
  return queue.approvals.change(id, (run) => settled(run, 'approved'));
}
async function claim() {
  const claimed = await queue.runs.claim(machine);
  if (claimed === undefined) throw new Error('nothing to claim');
  return claimed;
}
async function about(runId: string): Promise<LedgerEntry[]> {
  const stored = await queue.ledger.read('', 10_000);
  const entries = stored.map(({ entry }) => ledgerEntrySchema.parse(JSON.parse(entry)));
  return entries.filter((entry) => JSON.stringify(entry).includes(runId.slice(2)));
}
const idsOf = (runs: readonly Run[]): readonly string[] => runs.map(({ id }) => id);

describe('a run that awaits people', () => {
  it('frees its machine for the next request, and is listed with the machine', async () => {
    const { run } = await askPeople(queue, machine);
    const next = await accept(queue, { machine });
    const claimed = await claim();
    expect(claimed.run.id).toBe(next);
    await finish(queue.runs, claimed);
    const last = await accept(queue, { machine });
    expect(idsOf(await queue.requests.runs({ machine, limit: 10 }))).toEqual([last, run.id, next]);
    expect(idsOf(await queue.requests.runs({ limit: 3 }))).toContain(run.id);
    expect(await queue.runs.waiting(machine)).toEqual([run]);
    expect(await queue.runs.waiting('another')).toEqual([]);
  });

  it('has nothing to do for a worker: its machine is not busy before people approve', async () => {
    const { run } = await askPeople(queue, machine);
    expect(await queue.runs.claim(machine)).toBeUndefined();
    expect(await admin.sismember(keys.busy(), machine)).toBe(0);
    await approve(run);
    expect(await admin.sismember(keys.busy(), machine)).toBe(1);
  });

  it('belongs to no worker: what the one that asked still wants to store is refused', async () => {
    const { run, fence } = await askPeople(queue, machine);
    await expect(move(queue.runs, fence, run, 'done')).rejects.toBeInstanceOf(StaleFenceError);
    await expect(queue.runs.save({ ...run, verdict: 'ok' }, 'awaiting', fence)).rejects.toBeInstanceOf(
      StaleFenceError,
    );
    const approved = await approve(run);
    if (approved === undefined) throw new Error('the run is gone');
    await expect(move(queue.runs, fence, approved, 'acting')).rejects.toBeInstanceOf(StaleFenceError);
    expect(await queue.requests.run(run.id)).toEqual(approved);
  });

  it('is stored once where the answer to its worker was lost', async () => {
    const { run, fence } = await askPeople(queue, machine);
    await expect(queue.runs.save(run, 'gathering', fence)).resolves.toEqual(run);
    expect(await queue.runs.waiting(machine)).toEqual([run]);
    expect((await about(run.id)).filter(({ kind }) => kind === 'approval.asked')).toHaveLength(1);
  });

  it('asks nobody where it was cancelled meanwhile: its worker is told, and still has it', async () => {
    const id = await accept(queue, { machine });
    const { fence, run } = await claim();
    const gathering = await move(queue.runs, fence, run, 'gathering');
    await queue.requests.cancel(id, cancellation);
    const { approval } = (await askPeople(queue, `${machine}-other`)).run;
    if (approval === undefined) throw new Error('asks nothing');
    const saved = await move(queue.runs, fence, gathering, 'awaiting', { approval });
    expect(saved).toEqual({ ...gathering, cancellation });
    expect(await queue.runs.waiting(machine)).toEqual([]);
    expect((await queue.requests.machine(machine)).currentRunId).toBe(id);
    await move(queue.runs, fence, saved, 'done', { verdict: 'cancelled' });
  });

  it('is shown before everything that is no decision', async () => {
    await using own = await openQueue(redis.url, { prefix: '{shown}' });
    const waits = await accept(own, { machine: 'another' });
    const { run } = await askPeople(own, machine);
    const shown = async () => {
      const views = await own.views.take(10);
      await Promise.all(views.map((view) => own.views.release(view)));
      return views.map(({ id, priority }) => [id, priority]);
    };
    expect(await shown()).toEqual([
      [run.id, 'decision'],
      [waits, 'progress'],
    ]);
    await own.approvals.change(run.id, (waiting) => ({ run: waiting, entries: [] }));
    expect(await shown()).toEqual([[run.id, 'decision']]);
    await own.approvals.change(run.id, (waiting) => settled(waiting, 'denied'));
    expect(await shown()).toEqual([[run.id, 'decision']]);
  });

  it('is a member of its campaign in the state that it is in', async () => {
    const campaign = aCampaign(`c-${machine}`, [machine]);
    const { run } = await askPeople(queue, machine, { request: { campaign: campaign.id }, campaign });
    const member = async () => (await queue.requests.campaign(campaign.id))?.members[0];
    expect(await member()).toMatchObject({ runId: run.id, state: 'awaiting', verdict: 'critical' });
    await approve(run);
    expect(await member()).toMatchObject({ state: 'approved', verdict: 'critical' });
    // What is recorded of a halt shows what waits, as it is.
    await queue.halts.record('h-1', new Map([[machine, { outcome: 'pending', at: 1 }]]));
    expect(await member()).toMatchObject({ state: 'approved', verdict: 'critical' });
    await queue.requests.cancel(run.id, cancellation);
    expect(await member()).toMatchObject({ state: 'done', verdict: 'critical', inertnessUnknown: false });
  });
});

describe('a run that people approved', () => {
  it('is the next one of its machine, under a new fence', async () => {
    const { run, fence } = await askPeople(queue, machine);
    const busy = await accept(queue, { machine });
    const current = await claim();
    expect(current.run.id).toBe(busy);
    const waits = await accept(queue, { machine });
    await approve(run);
    expect(idsOf(await queue.requests.runs({ machine, limit: 10 }))).toEqual([waits, run.id, busy]);
    await finish(queue.runs, current);

    const claimed = await claim();
    expect(claimed.run).toMatchObject({ id: run.id, state: 'approved', approval: { state: 'approved' } });
    expect(claimed.fence).toBeGreaterThan(fence);
    const acting = await move(queue.runs, claimed.fence, claimed.run, 'acting');
    expect((await claim()).run).toEqual(acting);
  });

  it('wakes its machine', async () => {
    await using own = await openQueue(redis.url, { prefix: '{woken}', sweepIntervalMs: 3_600_000 });
    const driven: string[] = [];
    await own.work(
      async ({ fence, run }) => {
        driven.push(run.state);
        if (run.state === 'queued') await ask(own.runs, { fence, run });
        else await move(own.runs, fence, run, 'done');
      },
      { concurrency: 1 },
    );
    const id = await accept(own, { machine });
    await expect.poll(() => own.runs.waiting(machine)).toHaveLength(1);
    await own.approvals.change(id, (waiting) => settled(waiting, 'approved'));
    await expect.poll(async () => (await own.requests.run(id))?.state).toBe('done');
    expect(driven).toEqual(['queued', 'approved']);
  });

  it('waits while its machine is halted, and ends at once where it is cancelled there', async () => {
    const record = machineRecord({ port: 22, hostKey: 'ssh-ed25519 AAAA' }, { name: machine });
    const fleet = () => ({ machines: new Map([[machine, record]]), maintenance: [], budgets: [] });
    const halt = sampleHalt({ id: `h-${machine}`, eventId: `halt-${machine}`, selector: machine });
    const halted = await createQueue({ redisUrl: redis.url, log: silent, fleet });
    const { run } = await askPeople(queue, machine);
    await halted.halts.begin(halt, [machine]);
    // A halt is no answer to a question, also where this process drove the run that asks it.
    await halted.runs.cancelForHalt({ ...run, state: 'stopping' }, halt);
    expect(await queue.requests.run(run.id)).toEqual(run);
    await approve(run);
    expect(await halted.runs.claim(machine)).toBeUndefined();
    await halted.runs.cancelForHalt({ ...run, state: 'stopping' }, halt);
    expect(await queue.requests.machine(machine)).toMatchObject({ waiting: 1 });

    expect(await queue.requests.cancel(run.id, cancellation)).toMatchObject({
      kind: 'cancelled',
      run: { state: 'done', verdict: 'critical', cancellation, approval: { state: 'approved' } },
    });
    expect(await queue.requests.machine(machine)).toMatchObject({ waiting: 0 });
    expect((await about(run.id)).map(({ kind }) => kind).slice(-2)).toEqual(['run.cancelled', 'run.done']);
    await halted.close();
  });

  it('is asked to stop where a worker has taken it up', async () => {
    const { run } = await askPeople(queue, machine);
    await approve(run);
    const { fence, run: taken } = await claim();
    expect(await queue.requests.cancel(run.id, cancellation)).toMatchObject({
      kind: 'requested',
      run: { state: 'approved', cancellation },
    });
    expect((await move(queue.runs, fence, taken, 'done')).cancellation).toEqual(cancellation);
  });
});

describe('a run whose question is cancelled, denied or expired', () => {
  it('ends when it is cancelled, once, whoever else decides at that moment', async () => {
    const { run } = await askPeople(queue, machine, {
      request: { task: { kind: 'act', action: 'vacuum-journal', params: {} } },
    });
    const [one, two] = await Promise.all([
      queue.requests.cancel(run.id, cancellation),
      queue.requests.cancel(run.id, { ...cancellation, userId: 'U3' }),
    ]);
    expect([one.kind, two.kind].toSorted()).toEqual(['already-done', 'cancelled']);
    const stored = await queue.requests.run(run.id);
    expect(stored).toMatchObject({ state: 'done', verdict: 'cancelled', approval: { state: 'cancelled' } });
    expect([cancellation.userId, 'U3']).toContain(stored?.cancellation?.userId);
    expect(await about(run.id)).toMatchObject([
      { kind: 'request.accepted' },
      { kind: 'approval.asked' },
      { kind: 'approval.settled', state: 'cancelled' },
      { kind: 'run.cancelled' },
      { kind: 'run.done', verdict: 'cancelled' },
    ]);
    expect(await approve(run)).toEqual(stored);
  });

  it('is filed under the finished runs of its machine, and kept as long', async () => {
    const { run } = await askPeople(queue, machine);
    expect(await admin.pttl(keys.run(run.id))).toBe(-1);
    await queue.approvals.change(run.id, (waiting) => settled(waiting, 'denied'));
    expect(await admin.pttl(keys.run(run.id))).toBeGreaterThan(0);
    expect(await admin.lrange(keys.finished(machine), 0, -1)).toEqual([run.id]);
    expect(await queue.runs.waiting(machine)).toEqual([]);
  });

  it('expires once, however many workers look, and the one that ended it is told', async () => {
    let now = Date.now();
    const settings = { prefix: '{expiring}', approvalsPollIntervalMs: 20 };
    const workers = await Promise.all([1, 2].map(() => openQueue(redis.url, settings, () => now)));
    const [one] = workers;
    if (one === undefined) throw new Error('no worker');
    const { run } = await askPeople(one, machine, { question: { askedAt: now } });
    const expired = vi.fn();
    for (const worker of workers) {
      await worker.work(async () => {}, { concurrency: 1, onExpired: (ended) => expired(ended.id) });
    }
    const stored = async () => (await one.requests.run(run.id))?.approval;
    now += 20 * minuteMs;
    await expect.poll(stored).toMatchObject({ state: 'waiting', round: 0, reminded: true });
    // Nothing is due until the round ends.
    expect(await one.approvals.due(now)).toEqual([]);
    expect(await one.approvals.due(now + 10 * minuteMs)).toEqual([run.id]);
    now += 10 * minuteMs;
    await expect.poll(stored).toMatchObject({ state: 'waiting', round: 1, reminded: false });
    expect(expired).not.toHaveBeenCalled();
    now += 60 * minuteMs;
    await expect.poll(stored).toMatchObject({ state: 'expired', round: 1 });
    await expect.poll(() => expired.mock.calls).toEqual([[run.id]]);
    const told = (await one.ledger.read('', 100)).map(({ entry }) => JSON.parse(entry).kind);
    expect(told).toEqual([
      ...['request.accepted', 'approval.asked', 'approval.passed-on', 'approval.settled', 'run.done'],
    ]);
    await Promise.all(workers.map((worker) => worker.close()));
  });

  it('expires also where the record of an earlier one cannot be read', async () => {
    let now = Date.now();
    const settings = { prefix: '{unreadable}', approvalsPollIntervalMs: 20 };
    const worker = await openQueue(redis.url, settings, () => now);
    const broken = await askPeople(worker, machine, { question: { askedAt: now - minuteMs } });
    const { run } = await askPeople(worker, `${machine}-too`, { question: { askedAt: now } });
    await admin.hset(new Keys(settings.prefix).run(broken.run.id), 'body', '{}');
    now += 90 * minuteMs;
    await worker.work(async () => {}, { concurrency: 1 });
    await expect.poll(async () => (await worker.requests.run(run.id))?.approval?.state).toBe('expired');
    await worker.close();
  });

  it('expires also where Redis was away when its time came', async () => {
    const own = await startTestRedis();
    let now = Date.now();
    const worker = await openQueue(own.url, { approvalsPollIntervalMs: 20 }, () => now);
    const { run } = await askPeople(worker, machine, { question: { askedAt: now } });
    const expired = vi.fn();
    await worker.work(async () => {}, { concurrency: 1, onExpired: expired });
    await own.kill();
    now += 90 * minuteMs;
    await own.restart();
    await vi.waitFor(() => expect(expired).toHaveBeenCalledOnce(), 10_000);
    expect(await worker.requests.run(run.id)).toMatchObject({
      state: 'done',
      approval: { state: 'expired' },
    });
    await worker.close();
    await own.stop();
  });
});

describe('what is told of questions', () => {
  it('is in the ledger from the question to what became of the action', async () => {
    const { run } = await askPeople(queue, machine);
    const { digest } = actionOf(run);
    await queue.approvals.change(run.id, (waiting) => {
      if (waiting.approval === undefined) throw new Error('asks nothing');
      const decision = {
        ...{
          approval: waiting.approval.question.id,
          question: '',
          kind: 'approve' as const,
          groups: ['ops'],
        },
        ...{ by: { kind: 'person' as const, userId: 'U7', teamId: 'T1' }, at: 1, eventId: 'E' },
      };
      const votes = [{ decision, signature: '' }];
      return settled({ ...waiting, approval: { ...waiting.approval, votes } }, 'approved');
    });
    const { fence, run: approved } = await claim();
    const acting = await move(queue.runs, fence, approved, 'acting');
    const action: ActionRecord = {
      outcome: 'done',
      detail: 'done',
      stdout: '',
      stderr: '',
      effect: 'confirmed',
    };
    const verifying = await move(queue.runs, fence, acting, 'verifying', { action });
    await move(queue.runs, fence, verifying, 'done', { verdict: 'ok' });

    expect(await about(run.id)).toMatchObject([
      { kind: 'request.accepted' },
      {
        ...{ kind: 'approval.asked', approval: `a-${run.id.slice(2)}`, run: run.id, machine, digest },
        ...{ what: 'vacuum-journal size=200M', risk: 'reversible', proposedBy: 'rule' },
        question: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
      { kind: 'approval.settled', state: 'approved' },
      { kind: 'action.began', machine, fence, action: 'vacuum-journal', digest, approvedBy: ['U7'] },
      { kind: 'action.ended', outcome: 'done', effect: 'confirmed' },
      { kind: 'run.done', verdict: 'ok' },
    ]);
  });

  it('is in the gauges: how many wait, and for how long', async () => {
    let now = Date.now();
    await using own = await openQueue(redis.url, { prefix: '{gauged}' }, () => now);
    expect(await own.gauges()).toMatchObject({ approvalsWaiting: 0, oldestApprovalAgeMs: 0 });
    const { run } = await askPeople(own, machine, { question: { askedAt: now - 5_000 } });
    await askPeople(own, `${machine}-other`, { question: { askedAt: now } });
    now += 1_000;
    expect(await own.gauges()).toMatchObject({ approvalsWaiting: 2, oldestApprovalAgeMs: 6_000 });
    await own.approvals.change(run.id, (waiting) => settled(waiting, 'denied'));
    expect(await own.gauges()).toMatchObject({ approvalsWaiting: 1, oldestApprovalAgeMs: 1_000 });
  });
});

function actionOf({ approval }: Run) {
  const subject = approval?.question.subject;
  if (subject?.kind !== 'action') throw new Error('asks for no action');
  return subject;
}
