import { expect } from 'vitest';
import type { Run } from '../../../../src/fleet/run.ts';
import type { StoredSpan, StoredTrace } from '../../parts/mlflow-traces.ts';

const root = 'message.processed';

/** Under which steps each step may stand. */
const parents: Readonly<Record<string, readonly string[]>> = {
  'message.queued': [root],
  evidence: [root],
  judgement: ['evidence', 'action.verify'],
  'agent.start': [root],
  'agent.ready': [root],
  'agent.task': [root],
  'agent.run': ['agent.task'],
  'model.inference': ['agent.run'],
  'tool.execution': ['evidence', 'agent.run', 'action.verify'],
  'agent.stop': [root],
  approval: [root],
  'approval.vote': ['approval'],
  'action.sign': [root],
  action: [root],
  'action.verify': [root],
  'run.completed': [root],
};

/** Milliseconds are what fleetbot counts in; an agent's gateway tells of some things a moment late. */
const ownToleranceMs = 1;
const machineToleranceMs = 250;

/** The spans that came from the machine itself, through both collectors. */
export function machineSpansOf({ spans }: StoredTrace): readonly StoredSpan[] {
  return spans.filter(({ attributes }) => attributes['deployment.environment'] === 'edge');
}

/** Steps as `parent > name`, in the order of their names. */
export function stepsOf({ spans }: StoredTrace): string[] {
  return spans.map(({ name, parent }) => `${parent} > ${name}`).toSorted();
}

/** Whether fleetbot was killed in this step. */
export function wasCutOff({ status }: StoredSpan): boolean {
  return status.includes('was killed in this step');
}

/** Asserts that it is the trace of the run, that every step stands where it belongs, and in its parent's time. */
export function expectWhole(trace: StoredTrace, run: Run): void {
  const { spans } = trace;
  expect(trace.tags).toMatchObject({ 'fleet.run': run.id, 'fleet.machine': run.request.machine });
  const roots = spans.filter(({ parentId }) => parentId === undefined);
  expect(roots.map(({ id, name }) => ({ id, name }))).toEqual([{ id: run.trace.rootSpanId, name: root }]);
  expect(new Set(spans.map(({ id }) => id)).size).toBe(spans.length);
  const last = Math.max(...spans.map(({ endNs }) => endNs));
  expect(roots[0]?.endNs).toBe(last);

  const byId = new Map(spans.map((span) => [span.id, span]));
  for (const span of spans.filter((each) => each !== roots[0])) {
    const step = `${span.parent} > ${span.name}`;
    expect(parents[span.name]?.map((parent) => `${parent} > ${span.name}`)).toContain(step);
    const parent = byId.get(span.parentId ?? '');
    if (parent) expectWithin(step, span, parent);
  }
  for (const { name, attributes } of machineSpansOf(trace)) {
    expect({ name, host: attributes['host.name'] }).toEqual({ name, host: run.request.machine });
  }
}

function expectWithin(step: string, span: StoredSpan, parent: StoredSpan): void {
  const fromMachine = span.attributes['deployment.environment'] === 'edge';
  const toleranceMs = fromMachine ? machineToleranceMs : ownToleranceMs;
  const beforeMs = (parent.startNs - span.startNs) / 1e6;
  // What was killed in a step knows no more when the step ends: the machine goes on until its agent is stopped.
  const afterMs = wasCutOff(parent) ? 0 : (span.endNs - parent.endNs) / 1e6;
  expect(`${step} ${Math.max(beforeMs, afterMs) <= toleranceMs ? 'in' : 'out of'} its parent's time`).toBe(
    `${step} in its parent's time`,
  );
  expect(span.endNs).toBeGreaterThanOrEqual(span.startNs);
}
