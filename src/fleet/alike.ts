import { createHash } from 'node:crypto';
import { withoutOwnName } from './finding-shape.ts';
import { latestFindings } from './latest-findings.ts';
import type { Run } from './run.ts';

const keyCharacters = 12;
const failureMark = '!';
/** Of runs with which nothing is wrong. */
const nothing = '=';

/**
 * A key without blanks that is the same for runs that came to the same: the same findings but for numbers and the
 * machine's own name, the same failure, the same answer. '' before the evidence is judged.
 */
export function alikeOf(run: Run): string {
  if (run.verdict === undefined) return '';
  if (run.failure !== undefined) return failureMark + run.failure.code;
  if (run.verdict === 'answered') return key(['answer', general(run.diagnosis?.comment ?? '', run)]);
  const bad = latestFindings(run).filter(({ severity }) => severity !== 'ok');
  if (bad.length === 0) return nothing;
  const shapes = bad.map(({ severity, subject, text }) => [severity, subject, general(text, run)].join('\n'));
  return key(shapes.toSorted());
}

/** The code of the failure, where the key is one of a failure. */
export function failureOf(alike: string): string | undefined {
  return alike.startsWith(failureMark) ? alike.slice(failureMark.length) : undefined;
}

function general(text: string, { request: { machine } }: Run): string {
  return withoutOwnName(machine)(text).replace(/\s+/g, ' ').trim().toLowerCase();
}

function key(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, keyCharacters);
}
