import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { assessmentsDuty, defaultAssessmentSettings } from '../../src/dispatch/assessments.ts';
import type { LedgerEntry } from '../../src/fleet/ledger-entry.ts';
import { createQueue, type Queue } from '../../src/queue/create-queue.ts';
import { createAssessor } from '../../src/telemetry/mlflow/assessor.ts';
import { createMlflowClient } from '../../src/telemetry/mlflow/client.ts';
import { type MlflowRest, startMlflowRest } from '../support/mlflow-rest.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';

/** From the ledger in Redis to a server that speaks MLflow's REST. */
const log = pino({ enabled: false });
const settings = { ...defaultAssessmentSettings, awayPauseMs: 1, firstPauseMs: 0 };
const trace = 'a'.repeat(32);
let server: TestRedis;
let redis: Redis;
let queue: Queue;
let mlflow: MlflowRest;
let counted: string[];

beforeAll(async () => {
  server = await startTestRedis();
  redis = new Redis(server.url);
  queue = await createQueue({ redisUrl: server.url, log });
  mlflow = await startMlflowRest();
});
beforeEach(async () => {
  await redis.flushall();
  mlflow.traces.clear();
  mlflow.traces.set(`tr-${trace}`, []);
  mlflow.refusal = undefined;
  mlflow.stored = () => {};
  counted = [];
});
afterAll(async () => {
  await queue.close();
  redis.disconnect();
  await server.stop();
  await mlflow.close();
});

const standing = () => mlflow.traces.get(`tr-${trace}`);

/** A leader of its own. */
function leader() {
  return assessmentsDuty({
    ledger: queue.ledgerTail,
    assessor: createAssessor(createMlflowClient({ trackingUri: mlflow.url })),
    meter: { brought: (result) => counted.push(result) },
    ...{ clock: Date.now, log, settings },
  });
}
const look = () => leader().run(new AbortController().signal);

async function rate(rating: 'good' | 'bad', userId: string, reason?: string): Promise<void> {
  const entry: LedgerEntry = {
    ...{ kind: 'feedback.given', at: Date.now(), run: 'r-1', machine: 'web-01', trace, rating },
    by: { kind: 'person', userId, teamId: 'T1' },
    ...(reason !== undefined && { reason }),
  };
  await queue.ledger.append(entry);
}

it('keeps the last word of each person, and what others and other programs said', async () => {
  const foreign = {
    ...{ assessment_id: 'a-else', assessment_name: 'operator_rating', feedback: { value: false } },
    source: { source_type: 'HUMAN', source_id: 'UANN' },
  };
  standing()?.push(foreign);
  await rate('bad', 'UANN', 'too slow');
  await rate('good', 'UBEN');
  await look();
  await rate('good', 'UANN');
  await look();
  expect(standing()).toEqual([
    foreign,
    expect.objectContaining({
      ...{ assessment_name: 'operator_rating', feedback: { value: true }, rationale: '' },
      source: { source_type: 'HUMAN', source_id: 'UANN' },
      metadata: { 'fleet.id': expect.stringMatching(/^\d+-\d+$/) },
    }),
    expect.objectContaining({
      source: { source_type: 'HUMAN', source_id: 'UBEN' },
      feedback: { value: true },
    }),
  ]);
  expect(counted).toEqual(['created', 'created', 'updated']);
});

it('keeps approval and rating of one person apart, with the reason', async () => {
  await rate('good', 'UANN');
  await queue.ledger.append({
    ...{ kind: 'approval.decided', at: 1, approval: 'a-1', machine: 'web-01', run: 'r-1', trace },
    ...{
      by: { kind: 'person', userId: 'UANN', teamId: 'T1' },
      decision: 'deny',
      groups: [],
      reason: 'not now',
    },
  });
  await look();
  expect(standing()).toMatchObject([
    { assessment_name: 'operator_rating', feedback: { value: true } },
    { assessment_name: 'approval', feedback: { value: 'denied' }, rationale: 'not now' },
  ]);
});

it('killed between MLflow and the ledger makes no second one, and loses nothing', async () => {
  await rate('bad', 'UANN', 'first');
  await rate('good', 'UANN', 'second');
  await rate('good', 'UBEN');
  // Killed once MLflow has stored the first word, then the second one, before fleetbot hears of it.
  for (const _kill of [1, 2]) {
    const program = join(import.meta.dirname, '../support/assessing-process.ts');
    const child = fork(program, [server.url, mlflow.url]);
    mlflow.stored = () => child.kill('SIGKILL');
    const [, signal] = await once(child, 'exit');
    expect(signal).toBe('SIGKILL');
  }
  mlflow.stored = () => {};
  expect(standing()).toMatchObject([{ feedback: { value: true }, rationale: 'second' }]);
  await look();
  expect(counted).toEqual(['there', 'created']);
  expect(standing()).toMatchObject([
    { source: { source_id: 'UANN' }, feedback: { value: true }, rationale: 'second' },
    { source: { source_id: 'UBEN' }, feedback: { value: true } },
  ]);
});

it('brought by two leaders at the same moment is one', async () => {
  await rate('good', 'UANN');
  await Promise.allSettled([look(), look()]);
  expect(standing()).toHaveLength(1);
  await look();
  expect(standing()).toHaveLength(1);
});

it('does not go back to an earlier word that comes again', async () => {
  await rate('bad', 'UANN', 'first');
  await rate('good', 'UANN', 'second');
  await look();
  // A leader that lost its lease moves the place back.
  await redis.del('{fleetbot}:ledger:cursors');
  await look();
  expect(counted).toEqual(['created', 'updated', 'there', 'there']);
  expect(standing()).toMatchObject([{ rationale: 'second' }]);
});

it.each([
  [401, 'UNAUTHENTICATED', 'MLflow wants other credentials'],
  [403, 'PERMISSION_DENIED', 'EDIT permission'],
  [503, 'TEMPORARILY_UNAVAILABLE', 'answered 503'],
])('waits in the ledger while MLflow answers %i', async (status, code, message) => {
  await rate('good', 'UANN');
  mlflow.refusal = { status, code };
  await expect(look()).rejects.toThrow(message);
  mlflow.refusal = undefined;
  await look();
  expect(standing()).toHaveLength(1);
});

it('waits aside where MLflow refuses it, and where it does not know the trace yet', async () => {
  await rate('good', 'UANN');
  mlflow.traces.clear();
  await look();
  expect(await queue.ledgerTail.next(10)).toEqual([]);
  mlflow.traces.set(`tr-${trace}`, []);
  mlflow.refusal = { status: 400, code: 'INVALID_PARAMETER_VALUE' };
  await look();
  expect(counted).toEqual([]);
  mlflow.refusal = undefined;
  await vi.waitFor(async () => {
    await look();
    expect(standing()).toHaveLength(1);
  });
});
