import type { Deed } from './deeds.ts';
import { peopleOf } from './fact.ts';
import { machineOf, machinesOfCampaign, selectorOf } from './may-see.ts';

/** What somebody asks an audit for; what is absent does not matter. */
export interface Question {
  readonly machines?: {
    readonly has: (machine: string) => boolean;
    /** Whether one of them may be among those that a selector matches. */
    readonly meets: (selector: string) => boolean;
  };
  /** Slack id of somebody who took part. */
  readonly person?: string | undefined;
}

/** Whether the deed is an answer to the question. Ask before `seenBy`, which changes selectors. */
export function concerns({ machines, person }: Question, deed: Deed): boolean {
  const tookPart = person === undefined || deed.facts.some(({ entry }) => peopleOf(entry).includes(person));
  return tookPart && (machines === undefined || namesOneOf(machines, deed));
}

function namesOneOf({ has, meets }: NonNullable<Question['machines']>, { subject, facts }: Deed): boolean {
  switch (subject.kind) {
    case 'run':
    case 'machine': {
      const machine = machineOf(facts);
      return machine !== undefined && has(machine);
    }
    case 'campaign':
      return machinesOfCampaign(facts).some(has);
    case 'halt':
    case 'silence':
    case 'schedule':
      return facts.some(({ entry }) => {
        const selector = selectorOf(entry);
        return selector !== undefined && meets(selector);
      });
    case 'refusal':
      // The command as it was typed; a machine that it names stands in it as a word.
      return facts.some(({ entry }) => 'target' in entry && entry.target.split(/[\s,]+/).some(has));
    case 'incident':
    case 'policy':
    case 'budget':
      return false;
  }
}
