import type { Verb } from './fleet.ts';

/** What somebody may do or not with a machine, as it stands after "may" in a sentence. */
export function verbWords(verb: Verb, machine: string): string {
  return verb === 'act' ? `ask for actions on ${machine}` : `${verb} ${machine}`;
}
