import type { LoadedMachine } from './check-meaning.ts';
import { checkSelectors } from './check-selectors.ts';
import type { LocatedProblem } from './describe-issue.ts';
import { peerRulesSchema } from './peer-rules.ts';
import type { Path } from './read-yaml.ts';
import { suggest } from './suggest.ts';
import { unknownName } from './unknown-name.ts';

const at: Path = ['peers', 'rules'];

/**
 * Reports rules for peers that name a check, a label or a machine that is nowhere in the file, and those that do not
 * say whom to ask.
 * @param peers the file's section as it was read; one that is not well formed was reported and is not judged
 * @param checks every check of the file; undefined where they are not all known
 */
export function checkPeers(
  peers: unknown,
  loaded: readonly LoadedMachine[],
  checks: readonly string[] | undefined,
  report: (problem: LocatedProblem) => void,
): void {
  const read = peerRulesSchema.safeParse(peers).data;
  if (read === undefined) return;
  const { rules, agentsMayAskSame } = read;
  checkLabel(agentsMayAskSame, ['peers', 'agentsMayAskSame'], loaded, report);
  for (const [index, { check, same, among }] of rules.entries()) {
    const unknown = checks && unknownName('check', check, checks);
    if (unknown !== undefined) report({ path: [...at, index, 'check'], ...unknown });
    checkLabel(same, [...at, index, 'same'], loaded, report);
    if (same === undefined && among === undefined) {
      const cure = 'Write "same: role" or another label, or "among" with a selector';
      report({ path: [...at, index], problem: 'does not say which machines are asked', cure });
    }
  }
  const rows = rules.map((readable, index) => ({ index, readable }));
  checkSelectors(at, rows, loaded, report);
  checkSelectors(at, rows, loaded, report, 'among');
}

function checkLabel(
  name: string | undefined,
  path: Path,
  loaded: readonly LoadedMachine[],
  report: (problem: LocatedProblem) => void,
): void {
  if (name === undefined || loaded.length === 0 || loaded.some(({ unread }) => unread.has('labels'))) return;
  const known = ['role', ...new Set(loaded.flatMap(({ draft }) => Object.keys(draft.labels)))];
  if (known.includes(name)) return;
  const meant = suggest(name, known);
  const cure = meant === undefined ? `Write one of ${known.join(', ')}` : `Did you mean "${meant}"?`;
  report({ path, problem: `no machine has the label "${name}"`, cure });
}
