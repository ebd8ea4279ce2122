import { alertRulesSchema } from './alert-rules.ts';
import type { LoadedMachine } from './check-meaning.ts';
import { checkSelectors } from './check-selectors.ts';
import type { LocatedProblem } from './describe-issue.ts';
import type { Path } from './read-yaml.ts';
import { unknownName } from './unknown-name.ts';

/**
 * Reports rules for alerts that name a check or a machine that is nowhere in the file, that hide every rule below
 * them, and channels that stand there twice.
 * @param alerts the file's section as it was read; one that is not well formed was reported and is not judged
 * @param checks every check of the file; undefined where they are not all known
 */
export function checkAlerts(
  alerts: unknown,
  loaded: readonly LoadedMachine[],
  checks: readonly string[] | undefined,
  lineOf: (path: Path) => number,
  report: (problem: LocatedProblem) => void,
): void {
  const read = alertRulesSchema.safeParse(alerts).data;
  if (read === undefined) return;
  const { rules, otherwise, channels } = read;
  const checkKnown = (path: Path, name: string): void => {
    const found = checks && unknownName('check', name, checks);
    if (found !== undefined) report({ path, ...found });
  };
  for (const [index, { check }] of rules.entries()) checkKnown(['alerts', 'rules', index, 'check'], check);
  if (otherwise !== undefined) checkKnown(['alerts', 'otherwise'], otherwise);
  const catchAll = rules.findIndex(
    ({ match = {}, text, machines }) =>
      Object.keys(match).length === 0 && text === undefined && machines === undefined,
  );
  if (catchAll >= 0 && catchAll < rules.length - 1) {
    report({
      path: ['alerts', 'rules', catchAll],
      problem: 'fits every alert, so the rules below it never count',
      cure: 'Say what it fits (match, text, machines), or write its check as alerts.otherwise',
    });
  }
  const seen = new Map<string, number>();
  for (const [index, { channel }] of channels.entries()) {
    const first = seen.get(channel);
    if (first === undefined) seen.set(channel, index);
    else {
      report({
        path: ['alerts', 'channels', index, 'channel'],
        problem: `"${channel}" stands on line ${lineOf(['alerts', 'channels', first, 'channel'])} already`,
        cure: 'Write all apps of a channel in one entry',
      });
    }
  }
  checkSelectors(
    ['alerts', 'rules'],
    rules.map((readable, index) => ({ index, readable })),
    loaded,
    report,
  );
}
