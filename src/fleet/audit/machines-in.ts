import type { Fact } from './fact.ts';

/** The machines on which a fact tells of something that was asked for or happened. */
export function machinesIn({ entry }: Fact): readonly string[] {
  if (entry.kind === 'request.accepted') return entry.runs.map(({ machine }) => machine);
  return 'machine' in entry ? [entry.machine] : [];
}
