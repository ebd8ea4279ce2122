import { pino } from 'pino';
import type { Question } from '../../src/fleet/approval.ts';
import type { Campaign } from '../../src/fleet/campaign.ts';
import type { Request } from '../../src/fleet/request.ts';
import { moveRun, type Run, type RunState } from '../../src/fleet/run.ts';
import { type Settled, settle } from '../../src/fleet/settle.ts';
import { createQueue, type Queue } from '../../src/queue/create-queue.ts';
import type { QueueSettings } from '../../src/queue/queue-settings.ts';
import type { RedisRunStore } from '../../src/queue/run-store.ts';
import { noLimits } from '../support/no-limits.ts';
import { sampleApproval } from '../support/sample-question.ts';

export const silent = pino({ level: 'silent' });

/** Lets go of what it holds at the end of a test. */
export async function openQueue(
  redisUrl: string,
  settings: Partial<QueueSettings> = {},
  clock: () => number = Date.now,
): Promise<Queue & AsyncDisposable> {
  const queue = await createQueue({ redisUrl, log: silent, settings, clock });
  return { ...queue, [Symbol.asyncDispose]: queue.close };
}

let events = 0;

export function aRequest(changes: Partial<Request> = {}): Request {
  events += 1;
  return {
    eventId: `Ev${events}`,
    machine: 'web-01',
    task: { kind: 'check', check: 'disk' },
    requester: { kind: 'person', userId: 'U1', teamId: 'T1' },
    origin: { channel: 'C01' },
    acceptedAt: 1_790_000_000_000,
    ...changes,
  };
}

export function aCampaign(id: string, machines: string[]): Campaign {
  const { task, requester, origin, acceptedAt } = aRequest();
  return { id, selector: 'role=web', task, requester, origin, machines, acceptedAt };
}

/** Accepts one request and returns the id of its run. */
export async function accept(queue: Queue, changes: Partial<Request> = {}): Promise<string> {
  const { runIds } = await queue.requests.accept([aRequest(changes)], noLimits);
  return runIds[0] ?? '';
}

/** Moves a run on in the store, like the supervisor does. */
export async function move(
  runs: RedisRunStore,
  fence: number,
  run: Run,
  to: RunState,
  changes: Partial<Run> = {},
): Promise<Run> {
  return runs.save(moveRun(run, to, Date.now(), changes), run.state, fence);
}

/** Drives a claimed run to its end, the short way. */
export async function finish(runs: RedisRunStore, claim: { fence: number; run: Run }): Promise<Run> {
  const gathering = await move(runs, claim.fence, claim.run, 'gathering');
  return move(runs, claim.fence, gathering, 'done', { verdict: 'ok' });
}

/** Drives a claimed run until it asks people whether to vacuum the journal. */
export async function ask(
  runs: RedisRunStore,
  { fence, run }: { fence: number; run: Run },
  question: Partial<Question> = {},
): Promise<Run> {
  const gathering = await move(runs, fence, run, 'gathering');
  const approval = sampleApproval(gathering, { askedAt: Date.now(), ...question });
  return move(runs, fence, gathering, 'awaiting', { verdict: 'critical', approval });
}

/** A run of the machine that asks people, and the fence under which it came to that. */
export async function askPeople(
  queue: Queue,
  machine: string,
  asking: {
    readonly request?: Partial<Request>;
    readonly campaign?: Campaign;
    readonly question?: Partial<Question>;
  } = {},
): Promise<{ run: Run; fence: number }> {
  const request = aRequest({ ...asking.request, machine });
  await queue.requests.accept([request], noLimits, asking.campaign);
  const claim = await queue.runs.claim(machine);
  if (claim === undefined) throw new Error(`${machine} has nothing to claim`);
  return { run: await ask(queue.runs, claim, asking.question), fence: claim.fence };
}

/** What follows where people or time settle the question of a run. */
export function settled(run: Run, state: 'approved' | 'denied' | 'expired', at = Date.now()): Settled {
  if (run.approval === undefined) throw new Error(`${run.id} asks nothing`);
  return settle(run, run.approval, state, at);
}
