import { endOfAction } from './action-ending.ts';
import type { Drive } from './context.ts';
import type { Gathered } from './gathered.ts';
import { measureNeed } from './measure-need.ts';
import type { Step } from './ports.ts';

/** Measures what an action that a person asks for is about. Where it must not begin, the run ends with that. */
export async function gatherForAction(
  drive: Drive,
  step: Step,
  name: string,
  clockSkewMs: number,
): Promise<Gathered> {
  const need = await measureNeed(drive, step, name, clockSkewMs);
  const { evidence, findings = [] } = need.before ?? {};
  const gathered = { findings, ...(evidence && { evidence }) };
  if ('action' in need) return gathered;
  const { failure, ...changes } = need;
  return { ...gathered, ...endOfAction(drive.held.run, changes, { failure }) };
}
