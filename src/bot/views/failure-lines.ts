import type { Failure } from '../../fleet/errors.ts';
import { explainFailure } from '../../fleet/explain-error.ts';
import { notice, prose } from './safe-text.ts';

const explanationChars = 600;
const detailChars = 500;

/** How `edge-client/readiness.ts` says that the agent's unit ended before its gateway was ready. */
const diedAtStart = /died while it was starting/;

function explanationOf(failure: Failure): string {
  return failure.code === 'agent-not-ready' && diedAtStart.test(failure.message)
    ? "The agent ended before it was ready. Ask an operator to look at the agent's journal on the machine."
    : explainFailure(failure);
}

/**
 * A failure of a record: what it means for a person, and the record's own sentence, which names address and
 * cause. That sentence is redacted before it is stored; of a failure inside the bot it is not for people.
 */
export function failureLines(failure: Failure): readonly string[] {
  const explanation = explanationOf(failure);
  const internal = explainFailure({ code: 'internal', message: '' });
  const told = failure.message === '' || failure.message === explanation || explanation === internal;
  return [
    notice(explanation, explanationChars),
    ...(told ? [] : [`In detail: ${prose(failure.message, detailChars)}`]),
  ];
}
