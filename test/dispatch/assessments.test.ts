import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type AssessmentSettings, assessmentsDuty } from '../../src/dispatch/assessments.ts';
import type { Duty } from '../../src/dispatch/create-dispatcher.ts';
import type { Assessor } from '../../src/dispatch/ports.ts';
import type { Assessment } from '../../src/fleet/assessment.ts';
import type { LedgerEntry } from '../../src/fleet/ledger-entry.ts';
import { createQueue, type Queue } from '../../src/queue/create-queue.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';

/** The duty on the ledger in Redis, before an MLflow that the test commands. */
const day = 24 * 3_600_000;
const settings: AssessmentSettings = {
  ...{ batchEntries: 3, dueAtOnce: 10, putOffMost: 2, awayPauseMs: 1, triesInARow: 3 },
  ...{ firstPauseMs: 5_000, longestPauseMs: 60_000, givenUpAfterMs: 7 * day },
};
let server: TestRedis;
let redis: Redis;
let queue: Queue;
let now = 0;
/** Ids of the traces that MLflow knows; undefined: it does not answer. */
let known: Set<string> | undefined;
/** A trace with which alone MLflow fails. */
const broken = 'broken';
/** What stands with the traces, in order. */
let standing: Assessment[];
let tries: number;
let counted: string[];
let logged: string[];

beforeAll(async () => {
  server = await startTestRedis();
  redis = new Redis(server.url);
  queue = await createQueue({ redisUrl: server.url, log: pino({ enabled: false }), clock: () => now });
});
beforeEach(async () => {
  await redis.flushall();
  now = 1_800_000_000_000;
  known = new Set(['trace-1', 'trace-2']);
  standing = [];
  tries = 0;
  counted = [];
  logged = [];
});
afterAll(async () => {
  await queue.close();
  redis.disconnect();
  await server.stop();
});

const assessor: Assessor = {
  async assess(assessment) {
    tries += 1;
    if (known === undefined || assessment.trace === broken) throw new Error('MLflow is away');
    if (!known.has(assessment.trace)) return { later: 'it knows no such trace' };
    standing.push(assessment);
    return { result: 'created' };
  },
};

/** One look of one process at what is due. */
async function look(): Promise<void> {
  await leader().run(new AbortController().signal);
}

function leader(): Duty {
  const log = pino({ base: null }, { write: (line: string) => logged.push(line) });
  const meter = { brought: (result: string) => counted.push(result) };
  return assessmentsDuty({
    ...{ ledger: queue.ledgerTail, assessor, meter, clock: () => now, log, settings },
  });
}

const by = { kind: 'person', userId: 'U1', teamId: 'T1' } as const;
const rated = (trace: string, rating: 'good' | 'bad', reason?: string): LedgerEntry => ({
  ...{ kind: 'feedback.given', at: now, by, run: 'r-1', machine: 'web-01', trace, rating },
  ...(reason !== undefined && { reason }),
});
const decided = (trace?: string): LedgerEntry => ({
  ...{ kind: 'approval.decided', at: now, by, approval: 'a-1', machine: 'web-01', decision: 'deny' },
  ...{ groups: [], reason: 'not now' },
  ...(trace !== undefined && { trace, run: 'r-1' }),
});
const other: LedgerEntry = { kind: 'silence.ended', at: 1, silence: 's-1' };

async function append(...entries: LedgerEntry[]): Promise<void> {
  for (const entry of entries) await queue.ledger.append(entry);
}
const traces = () => standing.map(({ trace }) => trace);

it('brings ratings and decisions to their traces, once, and nothing else of the ledger', async () => {
  await append(
    other,
    rated('trace-1', 'bad', 'too slow'),
    other,
    other,
    decided('trace-2'),
    decided(),
    other,
  );
  await look();
  await look();
  expect(standing).toMatchObject([
    { name: 'operator_rating', trace: 'trace-1', value: false, person: 'U1', reason: 'too slow' },
    { name: 'approval', trace: 'trace-2', value: 'denied', person: 'U1', reason: 'not now' },
  ]);
  expect(counted).toEqual(['created', 'created']);
  expect(await queue.ledgerTail.next(10)).toEqual([]);
});

it('gives later words later ids', async () => {
  await append(...Array.from({ length: 12 }, () => rated('trace-1', 'good')));
  await look();
  const ids = standing.map(({ id }) => id);
  expect(ids).toHaveLength(12);
  expect(ids.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))).toEqual(ids);
});

it('waits while MLflow is away, and goes on where it was', async () => {
  await append(rated('trace-1', 'good'), other, rated('trace-2', 'good'));
  known = undefined;
  await expect(look()).rejects.toThrow('MLflow is away');
  expect(await queue.ledgerTail.next(10)).toHaveLength(3);
  known = new Set(['trace-1', 'trace-2']);
  await look();
  expect(traces()).toEqual(['trace-1', 'trace-2']);
});

it('holds nothing else up for a trace that MLflow does not know yet, and tries it again', async () => {
  await append(rated('late', 'good'), rated('trace-1', 'good'));
  await look();
  expect(traces()).toEqual(['trace-1']);
  expect((await queue.gauges()).assessmentsWaiting).toBe(1);
  known?.add('late');
  await look();
  expect(traces()).toEqual(['trace-1']);
  now += settings.firstPauseMs;
  await look();
  expect(traces()).toEqual(['trace-1', 'late']);
  expect((await queue.gauges()).assessmentsWaiting).toBe(0);
});

it('holds nothing up for long for a trace with which MLflow fails each time', async () => {
  await append(rated(broken, 'good'), rated('trace-1', 'good'));
  const duty = leader();
  const run = () => duty.run(new AbortController().signal);
  await expect(run()).rejects.toThrow('MLflow is away');
  await expect(run()).rejects.toThrow('MLflow is away');
  expect(traces()).toEqual([]);
  await run();
  expect(traces()).toEqual(['trace-1']);
  expect((await queue.gauges()).assessmentsWaiting).toBe(1);

  await append(rated('trace-2', 'good'));
  now += settings.firstPauseMs;
  await expect(run()).rejects.toThrow('MLflow is away');
  await run();
  expect(traces()).toEqual(['trace-1', 'trace-2']);
  now += settings.givenUpAfterMs;
  await expect(run()).rejects.toThrow('MLflow is away');
  expect(counted).toEqual(['created', 'created', 'given-up']);
  expect((await queue.gauges()).assessmentsWaiting).toBe(0);
});

it('tries the more seldom the longer it has waited, and gives up after days, with a line in the log', async () => {
  await append(rated('never', 'bad'));
  const triedAfter = async (ms: number): Promise<boolean> => {
    const before = tries;
    now += ms;
    await look();
    return tries > before;
  };
  expect(await triedAfter(0)).toBe(true);
  expect(await triedAfter(settings.firstPauseMs - 1)).toBe(false);
  expect(await triedAfter(1)).toBe(true);
  expect(await triedAfter(40_000)).toBe(true);
  // A quarter of the 45 s so far.
  expect(await triedAfter(11_249)).toBe(false);
  expect(await triedAfter(1)).toBe(true);
  expect(await triedAfter(day)).toBe(true);
  expect(await triedAfter(settings.longestPauseMs)).toBe(true);
  expect(counted).toEqual([]);
  expect(await triedAfter(6 * day)).toBe(true);
  expect(counted).toEqual(['given-up']);
  expect(logged.join('')).toContain('"trace":"never"');
  expect(await triedAfter(day)).toBe(false);
});

it('lets the ledger wait where too many were put off, and loses none', async () => {
  await append(
    rated('late-1', 'good'),
    rated('late-2', 'good'),
    rated('late-3', 'good'),
    rated('trace-1', 'good'),
  );
  await expect(look()).rejects.toThrow('traces cannot be told to MLflow yet (it knows no such trace)');
  expect(await queue.ledgerTail.next(10)).toHaveLength(2);
  for (const trace of ['late-1', 'late-2', 'late-3']) known?.add(trace);
  now += settings.firstPauseMs;
  await look();
  expect(traces().toSorted()).toEqual(['late-1', 'late-2', 'late-3', 'trace-1']);
});

it('leaves the rest to the next leader when it leads no more', async () => {
  await append(rated('trace-1', 'good'));
  const ended = AbortSignal.abort();
  const silent = pino({ enabled: false });
  const meter = { brought: () => {} };
  await assessmentsDuty({ ledger: queue.ledgerTail, assessor, meter, clock: () => now, log: silent }).run(
    ended,
  );
  expect(standing).toEqual([]);
  await look();
  expect(traces()).toEqual(['trace-1']);
});
