import type { Approval } from '../fleet/approval.ts';
import type { Failure } from '../fleet/errors.ts';
import type { Run } from '../fleet/run.ts';
import type { Attributes } from './attributes.ts';
import {
  actionAttributes,
  approvalAttributes,
  completedAttributes,
  queuedAttributes,
  rootAttributes,
  voteAttributes,
} from './record-attributes.ts';
import { spanIdOf } from './trace-ids.ts';

/** A span that follows from a run's record alone. */
export interface RecordedSpan {
  readonly name: string;
  readonly spanId: string;
  /** Absent for the root. */
  readonly parentSpanId?: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: Attributes;
  /** Why it is marked failed, where it is. */
  readonly failure?: Partial<Failure> | undefined;
}

type Moments = Pick<RecordedSpan, 'startedAt' | 'endedAt'>;

/**
 * What the record of a run that is done says of it, as spans in the order in which they are sent: the root last,
 * because MLflow takes a trace's state from its root and freezes it. The same record gives the same spans, ids and
 * times included: whoever ends the trace, and however often, changes nothing.
 *
 * Each lies within the root, which is from acceptance to the end: moments of the record come from processes whose
 * clocks differ.
 */
export function spansOfRecord(run: Run): readonly RecordedSpan[] {
  const { acceptedAt } = run.request;
  const endedAt = Math.max(acceptedAt, ...run.timeline.map(({ at }) => at));
  const within = (at: number) => Math.min(Math.max(at, acceptedAt), endedAt);
  const child = (name: string, span: Moments & Pick<RecordedSpan, 'attributes'>): RecordedSpan => ({
    ...{ name, spanId: spanIdOf(run, name), parentSpanId: run.trace.rootSpanId },
    ...span,
    startedAt: within(span.startedAt),
    endedAt: within(Math.max(span.startedAt, span.endedAt)),
  });
  const takenUpAt = run.timeline.find(({ state }) => state !== 'queued')?.at ?? endedAt;
  const whole = { startedAt: acceptedAt, endedAt };
  return [
    child('message.queued', { startedAt: acceptedAt, endedAt: takenUpAt, attributes: queuedAttributes() }),
    ...(run.approval ? approvalSpans(run, run.approval, endedAt, child) : []),
    ...actionSpans(run, endedAt, child),
    child('run.completed', {
      ...{ startedAt: endedAt, endedAt },
      attributes: completedAttributes(run, endedAt - acceptedAt),
    }),
    {
      ...{ name: 'message.processed', spanId: run.trace.rootSpanId, ...whole },
      attributes: rootAttributes(run),
      failure: run.failure ?? (run.verdict === 'failed' ? {} : undefined),
    },
  ];
}

type Child = (name: string, span: Moments & Pick<RecordedSpan, 'attributes'>) => RecordedSpan;

/** What people were asked, and under it what each of them said. */
function approvalSpans(run: Run, approval: Approval, endedAt: number, child: Child): readonly RecordedSpan[] {
  const { question, settledAt = endedAt, votes } = approval;
  const asked = child('approval', {
    ...{ startedAt: question.askedAt, endedAt: settledAt },
    attributes: approvalAttributes(approval),
  });
  const said = votes.map(({ decision }, nth) => ({
    ...child('approval.vote', {
      ...{ startedAt: decision.at, endedAt: decision.at },
      attributes: voteAttributes(decision),
    }),
    ...{ spanId: spanIdOf(run, `approval.vote ${nth}`), parentSpanId: asked.spanId },
  }));
  return [asked, ...said];
}

/** What was changed, if anything, under the id that the machine was given for it. */
function actionSpans(run: Run, end: number, child: Child): readonly RecordedSpan[] {
  const { action, approval } = run;
  if (action?.begunAt === undefined || !approval) return [];
  const { begunAt, endedAt = end, outcome, detail } = action;
  const attributes = actionAttributes(run, approval, action);
  return [
    {
      ...child('action', { startedAt: begunAt, endedAt, attributes }),
      failure: outcome === 'done' ? undefined : { message: detail },
    },
  ];
}
