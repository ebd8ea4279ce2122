import type { Check } from '../check.ts';
import type { Finding, Severity } from '../finding.ts';
import { formatNumber } from '../format.ts';
import type { CustomCheck } from '../machine.ts';
import { composeQuestion } from './compose-question.ts';
import { matchWithin, patternTimeoutMs } from './match-within.ts';
import { inconclusive, readOutput } from './read-output.ts';

/** A check that the fleet file defines: one command, judged by patterns and a number. */
export function customCheck(name: string, spec: CustomCheck): Check {
  return {
    name,
    summary: spec.summary,
    ...(spec.root && { root: true }),
    commands: () => [spec.command],
    judge: (_machine, outputs) => {
      const { text, problem } = readOutput(outputs, 0, spec.exitCodes);
      if (text === undefined || problem !== undefined) {
        return [inconclusive(name, problem ?? 'there is no output', 0)];
      }
      return [
        ...judgePattern(name, text, spec.mustMatch, true),
        ...judgePattern(name, text, spec.mustNotMatch, false),
        ...judgeNumber(name, text, spec.number),
      ];
    },
    question: (machine, findings) =>
      composeQuestion(
        machine,
        findings,
        `check "${name}" (${spec.summary})`,
        () => 'Find out why, and say what would help and how sure you are. Change nothing.',
        'Look whether anything around it needs attention. Change nothing.',
      ),
  };
}

function judgePattern(name: string, text: string, pattern: string | undefined, wanted: boolean): Finding[] {
  if (pattern === undefined) return [];
  const match = matchWithin(pattern, text);
  if (match === undefined) return [tooSlow(name, pattern)];
  const found = match !== null;
  return [
    {
      severity: found === wanted ? 'ok' : 'critical',
      subject: name,
      text: `${name}: the output ${found ? 'matches' : 'does not match'} /${pattern}/ (it ${wanted ? 'must' : 'must not'})`,
      output: 0,
    },
  ];
}

function judgeNumber(name: string, text: string, spec: CustomCheck['number']): Finding[] {
  if (spec === undefined) return [];
  const match = matchWithin(spec.pattern, text);
  if (match === undefined) return [tooSlow(name, spec.pattern)];
  const group = match?.[1];
  const value = group === undefined || group.trim() === '' ? Number.NaN : Number(group);
  if (!Number.isFinite(value)) {
    return [inconclusive(name, `the output holds no number at /${spec.pattern}/`, 0)];
  }
  const { criticalAbove, criticalBelow, warnAbove, warnBelow } = spec;
  // Worst first, so that the first one crossed decides.
  const limits = [
    limit('critical', 'above', criticalAbove, (l) => value > l),
    limit('critical', 'below', criticalBelow, (l) => value < l),
    limit('warning', 'above', warnAbove, (l) => value > l),
    limit('warning', 'below', warnBelow, (l) => value < l),
  ].flat();
  const worst = limits.find((l) => l.crossed);
  const named = (worst === undefined ? limits : [worst]).map((l) => l.text);
  const amount = `${formatNumber(value)} ${spec.unit}`.trim();
  return [
    {
      severity: worst?.severity ?? 'ok',
      subject: name,
      text: `${name}: ${amount}${named.length === 0 ? '' : ` (${named.join(', ')})`}`,
      output: 0,
      measure: { value, unit: spec.unit },
    },
  ];
}

function limit(
  severity: Severity,
  side: 'above' | 'below',
  value: number | undefined,
  crosses: (limit: number) => boolean,
): { severity: Severity; text: string; crossed: boolean }[] {
  if (value === undefined) return [];
  return [{ severity, text: `${severity} ${side} ${formatNumber(value)}`, crossed: crosses(value) }];
}

function tooSlow(name: string, pattern: string): Finding {
  return inconclusive(name, `/${pattern}/ did not come to an end within ${patternTimeoutMs} ms`, 0);
}
