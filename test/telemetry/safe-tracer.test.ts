import { RandomIdGenerator, TracerProvider } from '@opentelemetry/sdk-trace';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { Tracer } from '../../src/supervisors/ports.ts';
import { RunTracer } from '../../src/telemetry/run-tracer.ts';
import { SafeTracer } from '../../src/telemetry/safe-tracer.ts';
import { RunIds } from '../../src/telemetry/trace-ids.ts';
import { judged, sampleRun } from '../support/sample-run.ts';

const run = sampleRun('r-00000000aaaa', 'done', judged);
const { traceId, rootSpanId } = run.trace;

/** A tracer whose redactor fails from a moment on, as one that runs out of stack would. */
function startTracer() {
  const logged: { msg: string; run: string }[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => logged.push(JSON.parse(line)) });
  const ids = new RunIds(new RandomIdGenerator());
  const provider = new TracerProvider({ idGenerator: ids });
  let broken = false;
  const redact = (text: string) => {
    if (broken) throw new RangeError('Maximum call stack size exceeded');
    return text;
  };
  const inner = new RunTracer({
    tracer: provider.getTracer('test'),
    ids,
    redact,
    clock: Date.now,
    records: true,
  });
  const tracer: Tracer = new SafeTracer(inner, log);
  const breakIt = () => {
    broken = true;
  };
  return { tracer, logged, breakIt };
}

it('a run goes on without the parts of its trace that could not be recorded, and the log says so', () => {
  const { tracer, logged, breakIt } = startTracer();
  breakIt();
  const step = tracer.step(run, 'evidence');
  tracer.hostWork(run, step, judged.evidence.outputs);
  step.set({ verdict: 'critical' });
  step.end();
  tracer.agentWork(run, step, { text: 'Full.', toolCalls: [], model: 'default/small' });
  tracer.finish(run);
  const line = { msg: expect.stringContaining('a part of a trace is lost'), run: run.id };
  // The step, the work of host and agent in it, the end; what is done to a lost step is lost with it.
  expect(logged).toMatchObject([line, line, line, line]);
});

it('what belongs to a lost step goes under the root, and the machine need not record it', () => {
  const { tracer, breakIt } = startTracer();
  breakIt();
  expect(tracer.step(run, 'agent.task').traceparent).toBe(`00-${traceId}-${rootSpanId}-00`);
});

it('a step that breaks on the way can still be ended', () => {
  const { tracer, logged, breakIt } = startTracer();
  const step = tracer.step(run, 'agent.task');
  expect(step.traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
  breakIt();
  step.set({ note: 'text' });
  step.end(new Error('the agent failed'));
  expect(logged).toHaveLength(2);
});

it('what a machine is asked to do has a traceparent of its own, the same in every process, also where all breaks', () => {
  const { tracer, breakIt } = startTracer();
  const traceparent = tracer.actionTraceparent(run);
  expect(traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
  expect(traceparent).not.toContain(rootSpanId);
  expect(startTracer().tracer.actionTraceparent(run)).toBe(traceparent);
  breakIt();
  expect(tracer.actionTraceparent(run)).toBe(traceparent);
});
