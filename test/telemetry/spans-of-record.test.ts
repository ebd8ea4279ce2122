import { describe, expect, it } from 'vitest';
import { questionDigest, type Vote } from '../../src/fleet/approval.ts';
import type { Requester } from '../../src/fleet/requester.ts';
import type { Run } from '../../src/fleet/run.ts';
import { type RecordedSpan, spansOfRecord } from '../../src/telemetry/spans-of-record.ts';
import { sampleApproval, sampleQuestion } from '../support/sample-question.ts';
import { acceptedAt, diagnosed, judged, sampleRun } from '../support/sample-run.ts';

const endedAt = acceptedAt + 60_000;

function voteOf(run: Run, userId: string, kind: 'approve' | 'deny', at: number, reason?: string): Vote {
  const question = sampleQuestion(run);
  return {
    decision: {
      ...{ approval: question.id, question: questionDigest(question), kind, groups: ['S0OPS'] },
      by: { kind: 'person', userId, teamId: 'T1' },
      ...(reason !== undefined && { reason }),
      ...{ at, eventId: `e-${userId}` },
    },
    signature: 'signed',
  };
}

/** A run that was approved by one, denied by none, and carried out. */
function actedRun(changes: Partial<Run> = {}): Run {
  const run = sampleRun('r-00000000aaaa', 'done', { ...judged, ...diagnosed });
  const votes = [voteOf(run, 'U0BOB', 'approve', acceptedAt + 20_000)];
  return {
    ...run,
    timeline: [
      { state: 'queued', at: acceptedAt },
      { state: 'gathering', at: acceptedAt + 1_000 },
      { state: 'awaiting', at: acceptedAt + 10_000 },
      { state: 'approved', at: acceptedAt + 20_000 },
      { state: 'done', at: endedAt },
    ],
    approval: {
      ...sampleApproval(run, { askedAt: acceptedAt + 10_000 }),
      ...{ state: 'approved', votes, settledAt: acceptedAt + 20_000 },
    },
    action: {
      ...{ begunAt: acceptedAt + 30_000, endedAt: acceptedAt + 40_000, outcome: 'done', detail: 'Done.' },
      ...{ stdout: '', stderr: '' },
    },
    ...changes,
  };
}

const named = (spans: readonly RecordedSpan[], name: string) => spans.filter((span) => span.name === name);
const rootOf = (run: Run): RecordedSpan => {
  const [root] = named(spansOfRecord(run), 'message.processed');
  if (!root) throw new Error('no root');
  return root;
};

describe('the spans that follow from the record of a run', () => {
  it('are the same whoever makes them, and no two have one id', () => {
    const spans = spansOfRecord(actedRun());
    expect(spansOfRecord(structuredClone(actedRun()))).toEqual(spans);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
    for (const { spanId } of spans) expect(spanId).toMatch(/^[0-9a-f]{16}$/);
  });

  it('end with the root, which has the id of the record and ends when the run did', () => {
    const run = actedRun();
    expect(spansOfRecord(run).map(({ name }) => name)).toEqual([
      ...['message.queued', 'approval', 'approval.vote', 'action', 'run.completed', 'message.processed'],
    ]);
    expect(rootOf(run)).toMatchObject({
      ...{ spanId: run.trace.rootSpanId, startedAt: acceptedAt, endedAt },
    });
    expect(rootOf(run).parentSpanId).toBeUndefined();
  });

  it('lie within the root, whatever the clocks said of those who asked, decided and acted', () => {
    const run = actedRun();
    const approval = run.approval && {
      ...run.approval,
      question: { ...run.approval.question, askedAt: acceptedAt - 5_000 },
      votes: [voteOf(run, 'U0BOB', 'approve', endedAt + 7_000)],
      settledAt: endedAt + 7_000,
    };
    const action = run.action && {
      ...run.action,
      begunAt: acceptedAt + 30_000,
      endedAt: acceptedAt + 29_000,
    };
    const ahead = { ...run, ...(approval && { approval }), ...(action && { action }) };
    const root = rootOf(ahead);
    for (const span of spansOfRecord(ahead)) {
      expect(span.startedAt).toBeGreaterThanOrEqual(root.startedAt);
      expect(span.endedAt).toBeGreaterThanOrEqual(span.startedAt);
      expect(span.endedAt).toBeLessThanOrEqual(root.endedAt);
    }
    expect(root).toMatchObject({ startedAt: acceptedAt, endedAt });
  });

  it('are marked failed at the root where the run failed, and only there', () => {
    const failure = { code: 'unreachable', message: 'No route.' } as const;
    expect(rootOf(actedRun({ failure })).failure).toEqual(failure);
    expect(rootOf(actedRun({ verdict: 'failed' })).failure).toEqual({});
    expect(rootOf(actedRun({ verdict: 'critical' })).failure).toBeUndefined();
  });

  it('tell of every vote who, what, when and why, under the question', () => {
    const run = actedRun();
    const votes = [
      voteOf(run, 'U0BOB', 'approve', acceptedAt + 15_000),
      voteOf(run, 'U0EVA', 'deny', acceptedAt + 18_000, 'Not during the day.'),
    ];
    const spans = spansOfRecord({
      ...run,
      ...(run.approval && { approval: { ...run.approval, state: 'denied', votes } }),
    });
    const [approval] = named(spans, 'approval');
    expect(named(spans, 'approval.vote')).toMatchObject([
      {
        ...{ parentSpanId: approval?.spanId, startedAt: acceptedAt + 15_000, endedAt: acceptedAt + 15_000 },
        attributes: { 'fleet.person': 'U0BOB', 'fleet.decision': 'approve', 'mlflow.spanOutputs': 'approve' },
      },
      {
        ...{ parentSpanId: approval?.spanId, startedAt: acceptedAt + 18_000 },
        attributes: {
          'fleet.person': 'U0EVA',
          'fleet.decision': 'deny',
          'fleet.reason': 'Not during the day.',
          'fleet.groups': 'S0OPS',
        },
      },
    ]);
  });

  it('of one that ended in the queue are its waiting and its end, and who ended it', () => {
    const run = sampleRun('r-00000000aaab', 'queued', {
      state: 'done',
      timeline: [
        { state: 'queued', at: acceptedAt },
        { state: 'done', at: endedAt },
      ],
      verdict: 'cancelled',
      cancellation: { userId: 'U0EVA', at: endedAt, halt: 'h-1' },
    });
    const spans = spansOfRecord(run);
    expect(spans.map(({ name }) => name)).toEqual(['message.queued', 'run.completed', 'message.processed']);
    expect(spans[0]).toMatchObject({ startedAt: acceptedAt, endedAt });
    expect(spans[1]?.attributes).toMatchObject({ 'fleet.cancelled_by': 'U0EVA', 'fleet.halt': 'h-1' });
    expect(rootOf(run).attributes).toMatchObject({ 'mlflow.traceTag.fleet.cancelled_by': 'U0EVA' });
  });
});

describe('the tags of a trace', () => {
  const trace = { traceId: 'c'.repeat(32), rootSpanId: 'd'.repeat(16) };
  const ann = { kind: 'person', userId: 'U0ANN', teamId: 'T1' } as const;
  it.each<[Requester, Record<string, string>]>([
    [ann, { person: 'U0ANN' }],
    [{ kind: 'alert', incident: 'i-1' }, { incident: 'i-1' }],
    [
      { kind: 'schedule', schedule: 'nightly', by: ann },
      { schedule: 'nightly', person: 'U0ANN' },
    ],
    [{ kind: 'schedule', schedule: 'weekly' }, { schedule: 'weekly' }],
    [
      { kind: 'supervisor', machine: 'rhel-02', run: 'r-first', hops: 1, trace },
      { asked_by_machine: 'rhel-02', asked_by_run: 'r-first' },
    ],
  ])('say because of what it was asked: %o', (requester, expected) => {
    const run = sampleRun('r-00000000aaac', 'done', judged);
    const { attributes } = rootOf({ ...run, request: { ...run.request, requester } });
    const because = ['person', 'incident', 'schedule', 'asked_by_machine', 'asked_by_run'].flatMap((name) => {
      const value = attributes[`mlflow.traceTag.fleet.${name}`];
      return value === undefined ? [] : [[name, value]];
    });
    expect(Object.fromEntries(because)).toEqual(expected);
  });
});
