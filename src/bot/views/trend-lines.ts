import type { Finding } from '../../fleet/finding.ts';
import { formatMoment, formatNumber } from '../../fleet/format.ts';
import { latestFindings } from '../../fleet/latest-findings.ts';
import type { Run } from '../../fleet/run.ts';
import { verdictSquares } from './campaign-strip.ts';
import { codeSpan, prose } from './safe-text.ts';
import { worstFirst } from './words.ts';

/** How many verdicts of a check are told. */
const shownVerdicts = 12;
const nameChars = 64;

/** How the checks of a machine went lately, a line each: their verdicts, oldest first, and their main number. */
export function trendLines(latest: readonly Run[]): readonly string[] {
  const byCheck = Map.groupBy(
    latest.filter(({ state, verdict }) => state === 'done' && verdict !== undefined),
    ({ request: { task } }) => (task.kind === 'check' ? task.check : undefined),
  );
  return [...byCheck].flatMap(([check, runs]) => {
    // One verdict is no trend.
    if (check === undefined || runs.length < 2) return [];
    const shown = runs.slice(0, shownVerdicts).toReversed();
    const strip = shown.map(({ verdict = 'inconclusive' }) => verdictSquares[verdict]).join('');
    return [`• ${codeSpan(check, nameChars)} ${strip}${numberWords(shown)}`];
  });
}

type Measured = Finding & { readonly measure: NonNullable<Finding['measure']> };

/** The number of what is worst now, and what it was in the oldest of the runs that has it. */
function numberWords(oldestFirst: readonly Run[]): string {
  const newest = oldestFirst.at(-1);
  const main = newest && worstFirst(latestFindings(newest)).find(isMeasured);
  if (main === undefined) return '';
  const { subject, measure } = main;
  for (const run of oldestFirst.slice(0, -1)) {
    const same = latestFindings(run).find(
      (each) => each.subject === subject && each.measure?.unit === measure.unit,
    );
    if (same !== undefined && isMeasured(same)) {
      const since = formatMoment(run.request.acceptedAt).slice(0, 'YYYY-MM-DD HH:MM'.length);
      return ` ${prose(subject, nameChars)}: ${amount(same)} at ${since} → ${amount(main)}`;
    }
  }
  return '';
}

function isMeasured(finding: Finding): finding is Measured {
  return finding.measure !== undefined;
}

function amount({ measure: { value, unit } }: Measured): string {
  return `${formatNumber(value)}${unit.startsWith('%') ? '' : ' '}${prose(unit, nameChars)}`;
}
