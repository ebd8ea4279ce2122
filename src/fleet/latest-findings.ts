import type { Finding } from './finding.ts';
import type { Run } from './run.ts';

/** What was found last: of a run that acted what was found afterwards, because its verdict is of then. */
export function latestFindings({ action, findings }: Pick<Run, 'action' | 'findings'>): readonly Finding[] {
  return action?.after?.findings ?? findings;
}
