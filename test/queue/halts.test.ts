import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Halt } from '../../src/fleet/halt.ts';
import type { Machine } from '../../src/fleet/machine.ts';
import { createQueue, type Queue } from '../../src/queue/create-queue.ts';
import { machineRecord } from '../support/machine-record.ts';
import { noLimits } from '../support/no-limits.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { accept, aRequest, finish, silent } from './support.ts';

let redis: TestRedis;
let queue: Queue;
let tests = 0;
let machine = '';
const machines = new Map<string, Machine>();

const open = (): Promise<Queue> =>
  createQueue({
    redisUrl: redis.url,
    log: silent,
    fleet: () => ({ machines, maintenance: [], budgets: [] }),
    settings: { haltsPollIntervalMs: 100, sweepIntervalMs: 60_000 },
  });

beforeAll(async () => {
  redis = await startTestRedis();
  queue = await open();
});
afterAll(async () => {
  await queue.close();
  await redis.stop();
});
beforeEach(() => {
  tests += 1;
  machine = `m-${tests}`;
  for (const name of [machine, 'other']) {
    machines.set(name, machineRecord({ port: 22, hostKey: 'ssh-ed25519 AAAA' }, { name }));
  }
});

const by = (userId: string) => ({ kind: 'person', userId, teamId: 'T1' }) as const;
function aHalt(changes: Partial<Halt> = {}): Halt {
  return {
    ...{ id: `h-${tests}`, eventId: `halt-${tests}`, selector: machine, reason: 'fire', by: by('UHALT') },
    ...{ origin: { channel: 'C01' }, at: Date.now(), releases: [], ...changes },
  };
}
const begin = (halt: Halt = aHalt()) => queue.halts.begin(halt, [machine]);
async function release(id = `h-${tests}`): Promise<void> {
  await queue.halts.release(id, { selector: 'all', by: by('UGO'), at: 5 }, `go-${tests}`);
}
const unlock = () => queue.halts.record(`h-${tests}`, new Map([[machine, { outcome: 'unlocked', at: 6 }]]));

describe('a halted machine', () => {
  it('gets no new run until it is released, also from a process that has not heard of it', async () => {
    const stranger = await open();
    const id = await accept(queue, { machine });
    await begin();
    expect(await queue.runs.claim(machine)).toBeUndefined();
    expect(await stranger.runs.claim(machine)).toBeUndefined();
    expect(await queue.requests.machine(machine)).toMatchObject({ waiting: 1 });
    await release();
    await unlock();
    expect((await stranger.runs.claim(machine))?.run.id).toBe(id);
    await stranger.close();
  });

  it('gives out the run that it has, cancelled by the halt', async () => {
    const id = await accept(queue, { machine });
    await queue.runs.claim(machine);
    await begin();
    const claim = await queue.runs.claim(machine);
    const cancellation = { userId: 'UHALT', halt: `h-${tests}` };
    expect(claim?.run).toMatchObject({ id, cancellation });
    expect(await queue.requests.run(id)).toMatchObject({ cancellation });
    if (claim) await finish(queue.runs, claim);
    expect(await queue.runs.claim(machine)).toBeUndefined();
  });

  it('is one that joins the fleet later, too', async () => {
    await begin(aHalt({ selector: 'all' }));
    const late = `late-${tests}`;
    machines.set(late, machineRecord({ port: 22, hostKey: 'ssh-ed25519 AAAA' }, { name: late }));
    await accept(queue, { machine: late });
    expect(await queue.runs.claim(late)).toBeUndefined();
    await release();
    expect(await queue.runs.claim(late)).toBeDefined();
  });

  it('does not hold up others', async () => {
    await begin();
    await accept(queue, { machine: 'other' });
    const claim = await queue.runs.claim('other');
    expect(claim).toBeDefined();
    if (claim) await finish(queue.runs, claim);
    await release();
  });
});

it('a machine gets nothing before the lock of a lifted halt is gone, and goes on then', async () => {
  const id = await accept(queue, { machine });
  await begin();
  const become = (outcome: 'inactive' | 'unreachable' | 'unlocked') =>
    queue.halts.record(`h-${tests}`, new Map([[machine, { outcome, at: 1 }]]));
  await become('inactive');
  await release();
  expect(await queue.runs.claim(machine)).toBeUndefined();
  await become('unlocked');
  expect((await queue.runs.claim(machine))?.run.id).toBe(id);
});

it('what waits for a machine is shown anew when its halt is confirmed', async () => {
  const id = await accept(queue, { machine });
  const { views } = queue;
  for (const view of await views.take(1_000)) await views.release(view);
  await begin();
  await queue.halts.record(`h-${tests}`, new Map([[machine, { outcome: 'inactive', at: 1 }]]));
  expect((await views.take(1_000)).map((view) => view.id)).toContain(id);
  await queue.halts.record(`h-${tests}`, new Map([[machine, { outcome: 'unlocked', at: 2 }]]));
  await release();
});

describe('a halt', () => {
  it('is begun once, whatever Slack repeats', async () => {
    const halt = aHalt();
    expect(await begin(halt)).toEqual({ duplicate: false, id: halt.id });
    expect(await begin({ ...halt, id: 'h-again' })).toEqual({ duplicate: true, id: halt.id });
    expect((await queue.halts.active()).filter(({ eventId }) => eventId === halt.eventId)).toHaveLength(1);
    await release();
  });

  it('remembers what became of each machine, and a wish to resume until it is released', async () => {
    await begin();
    const id = `h-${tests}`;
    const inactive = { outcome: 'inactive', at: 7 } as const;
    await queue.halts.record(id, new Map([[machine, inactive]]));
    await queue.halts.wish(id, { selector: 'all', by: by('UGO'), at: 8 });
    expect(await queue.halts.halt(id)).toMatchObject({ halt: { resumeWish: { by: by('UGO') } } });
    expect((await queue.halts.halt(id))?.members.get(machine)).toEqual(inactive);
    await Promise.all([release(), release()]);
    const after = await queue.halts.halt(id);
    expect(after?.halt.releases).toHaveLength(1);
    expect(after?.halt.resumeWish).toBeUndefined();
  });

  it('that is closed holds nothing, and can still be read', async () => {
    await begin();
    await queue.halts.close(`h-${tests}`);
    expect((await queue.halts.active()).map(({ id }) => id)).not.toContain(`h-${tests}`);
    expect(await queue.halts.halt(`h-${tests}`)).toBeDefined();
    await accept(queue, { machine });
    expect(await queue.runs.claim(machine)).toBeDefined();
  });

  it('makes its message dirty with the best priority', async () => {
    await queue.views.take(1_000);
    await begin();
    await queue.requests.accept([aRequest({ machine: 'other' })], noLimits);
    expect(await queue.views.take(1)).toMatchObject([
      { kind: 'halt', id: `h-${tests}`, priority: 'decision' },
    ]);
    await release();
  });

  it('is in the ledger before anybody can act on it, and so is its end', async () => {
    await begin();
    await release();
    const kinds = (await queue.ledger.read('', 10_000))
      .filter(({ entry }) => entry.includes(`"h-${tests}"`))
      .map(({ entry }) => JSON.parse(entry).kind);
    expect(kinds).toEqual(['halt.began', 'halt.released']);
  });
});

it('workers that drive a run hear of a halt at once, and of its end', async () => {
  const worker = await open();
  const driven: string[] = [];
  const cancelled = Promise.withResolvers<string>();
  await worker.work(
    async (claim) => {
      // Earlier tests left work for other machines.
      if (claim.run.request.machine === machine) driven.push(claim.run.id);
      if (claim.run.id === driven[0] && driven.length === 1) {
        const heard = Promise.withResolvers<void>();
        worker.runs.onCancelled(claim.run.id, ({ halt }) => {
          cancelled.resolve(halt ?? '');
          heard.resolve();
        });
        await heard.promise;
      }
      await finish(worker.runs, claim);
    },
    { concurrency: 5 },
  );
  const first = await accept(queue, { machine });
  await expect.poll(() => driven).toEqual([first]);
  await begin();
  expect(await cancelled.promise).toBe(`h-${tests}`);
  await expect.poll(async () => (await queue.requests.run(first))?.state).toBe('done');
  const second = await accept(queue, { machine });
  await release();
  await unlock();
  await expect.poll(() => driven, { timeout: 5_000 }).toEqual([first, second]);
  await worker.close();
});
