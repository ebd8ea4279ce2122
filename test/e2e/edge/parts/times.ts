import type { Run, RunState } from '../../../../src/fleet/run.ts';
import type { ReceivedSpan } from '../../../support/otlp-receiver.ts';

/** What a whole check took, step by step, in milliseconds, from its spans and its record. */
export function stepsOf(
  run: Run,
  spans: readonly ReceivedSpan[],
  verdictPostedAt: number,
): Record<string, number> {
  const mine = spans.filter(({ traceId }) => traceId === run.trace.traceId);
  const sum = (name: string, of = mine) =>
    of.filter((span) => span.name === name).reduce((total, { startMs, endMs }) => total + endMs - startMs, 0);
  const entered = (state: RunState) => run.timeline.find((each) => each.state === state)?.at;
  const evidence = mine.find(({ name }) => name === 'evidence');
  const gathered = entered('starting') ?? entered('done') ?? Number.NaN;
  const tools =
    run.diagnosis?.toolCalls.reduce((total, { startedAt, endedAt }) => total + endedAt - startedAt, 0) ?? 0;
  const model = sum(
    'model.inference',
    mine.filter(({ attributes }) => attributes['host.name'] !== undefined),
  );
  const steps = {
    queue: (entered('gathering') ?? Number.NaN) - run.request.acceptedAt,
    SSH: (evidence?.startMs ?? Number.NaN) - (entered('gathering') ?? Number.NaN),
    evidence: sum('evidence'),
    judging: Math.max(0, gathered - (evidence?.endMs ?? Number.NaN)),
    'agent boot': sum('agent.start') + sum('agent.ready'),
    model,
    tools,
    'agent, rest': sum('agent.task') - model - tools,
    stop: sum('agent.stop'),
  };
  return {
    ...steps,
    'verdict posted': verdictPostedAt - run.request.acceptedAt,
    whole: (entered('done') ?? Number.NaN) - run.request.acceptedAt,
  };
}

/** A table: a line for each step, a column for each check. */
export function tableOf(columns: Readonly<Record<string, Readonly<Record<string, number>>>>): string {
  const names = Object.keys(columns);
  const steps = new Set(Object.values(columns).flatMap((column) => Object.keys(column)));
  const line = (first: string, rest: readonly string[]) =>
    [first.padEnd(16), ...rest.map((cell) => cell.padStart(20))].join('');
  const lines = [...steps].map((step) =>
    line(
      step,
      names.map((name) => `${((columns[name]?.[step] ?? 0) / 1_000).toFixed(2)} s`),
    ),
  );
  return [line('', names), ...lines].join('\n');
}
