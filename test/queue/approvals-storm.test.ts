import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { StaleFenceError, StoreUnavailableError } from '../../src/fleet/errors.ts';
import type { Run } from '../../src/fleet/run.ts';
import type { Queue } from '../../src/queue/create-queue.ts';
import type { Claim } from '../../src/queue/run-store.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { accept, ask, move, openQueue, settled } from './support.ts';
import { whereRunsAre } from './where-runs-are.ts';

const machines = ['m-0', 'm-1', 'm-2', 'm-3'];
const kills = 4;
const betweenKillsMs = 400;

let redis: TestRedis;
let clients: Queue[];

beforeAll(async () => {
  redis = await startTestRedis();
  const settings = { finishedRunsPerMachine: 1_000_000 };
  clients = await Promise.all([1, 2, 3].map(() => openQueue(redis.url, settings)));
});
afterAll(async () => {
  await Promise.all((clients ?? []).map((client) => client.close()));
  await redis?.stop();
});

/** Does it over and over until told to end; what another was faster with, or Redis could not do, is part of the game. */
async function overAndOver(ended: AbortSignal, work: () => Promise<unknown>): Promise<void> {
  while (!ended.aborted) {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof StaleFenceError || error instanceof StoreUnavailableError)) throw error;
    }
    await sleep(Math.random() * 5);
  }
}

/** Drives a claimed run one turn, as a worker does. */
async function drive(queue: Queue, { fence, run }: Claim): Promise<void> {
  if (run.state === 'approved') {
    const acting = await move(queue.runs, fence, run, 'acting');
    await move(queue.runs, fence, await move(queue.runs, fence, acting, 'verifying'), 'done');
  } else if (run.state === 'queued') {
    const saved = await ask(queue.runs, { fence, run });
    if (saved.state === 'gathering') await move(queue.runs, fence, saved, 'done');
  } else {
    // Left by a worker that was interrupted.
    await move(queue.runs, fence, run.state === 'acting' ? await verified(queue, fence, run) : run, 'done');
  }
}

function verified(queue: Queue, fence: number, run: Run): Promise<Run> {
  return move(queue.runs, fence, run, 'verifying');
}

it('with many processes at work at once and Redis killed again and again, no run is lost or in two places', async () => {
  const ended = new AbortController();
  const accepted: string[] = [];
  const any = <Value>(values: readonly Value[]) => values[Math.floor(Math.random() * values.length)];
  const loops = clients.flatMap((queue) => [
    overAndOver(ended.signal, async () => {
      accepted.push(await accept(queue, { machine: any(machines) ?? '' }));
    }),
    ...machines.map((machine) =>
      overAndOver(ended.signal, async () => {
        const claim = await queue.runs.claim(machine);
        if (claim !== undefined) await drive(queue, claim);
      }),
    ),
    ...(['approved', 'denied', 'expired'] as const).map((state) =>
      overAndOver(ended.signal, async () => {
        const waiting = any(await queue.approvals.waiting(1_000));
        if (waiting) await queue.approvals.change(waiting.id, (run) => settled(run, state));
      }),
    ),
    overAndOver(ended.signal, async () => {
      await queue.requests.cancel(any(accepted) ?? '', { userId: 'U2', at: 1 });
    }),
  ]);
  for (let kill = 0; kill < kills; kill += 1) {
    await sleep(betweenKillsMs);
    await redis.kill();
    await redis.restart();
  }
  await sleep(betweenKillsMs);
  ended.abort();
  await Promise.all(loops);

  const admin = new Redis(redis.url);
  const found = await whereRunsAre(admin, machines, accepted);
  const inState = (...states: string[]) =>
    Object.entries(found.states).flatMap(([id, state]) => (states.includes(state) ? id : []));
  const waiting = found.awaiting.flat().toSorted();
  expect(found.due).toEqual(waiting);
  expect(found.asked).toEqual(waiting);
  // What Redis stored and could not say is not known here, but is somewhere too.
  const others = waiting.filter((id) => !(id in found.states));
  expect([...inState('awaiting'), ...others].toSorted()).toEqual(waiting);
  const atWork = new Set([...found.inboxes.flat(), ...found.current]);
  for (const id of inState('queued', 'approved')) expect(atWork).toContain(id);
  for (const id of inState('done', 'awaiting')) expect(atWork).not.toContain(id);
  expect(found.inboxes.flat()).toHaveLength(new Set(found.inboxes.flat()).size);
  expect(found.finished.flat()).toEqual(expect.arrayContaining(inState('done')));
  expect(inState('gone')).toEqual([]);
  expect(found.forgotten).toEqual([]);
  expect(inState('done').length).toBeGreaterThan(0);
  admin.disconnect();
}, 60_000);
