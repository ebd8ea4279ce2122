import type { ActionOutcome, ActionRecord, Effect } from '../../fleet/run.ts';
import { verdictWords } from './words.ts';

const outcomeWords: Readonly<Record<ActionOutcome, string>> = {
  done: ':white_check_mark: *carried out*',
  failed: ':x: *failed*: it ran and did not go well',
  refused: ':no_entry_sign: *refused*: nothing was changed',
  'not-needed': ':zzz: *not needed any more*: nothing was changed',
  'not-begun': ':no_entry_sign: *never began*: nothing was changed',
  unknown: ':grey_question: *unknown*: nobody can say whether it ran. It is not repeated',
};

const effectWords: Readonly<Record<Effect, string>> = {
  confirmed: 'it helped',
  better: 'it helped in part',
  unchanged: 'it did not help',
  worse: '*it is worse now*',
  inconclusive: 'whether it helped could not be measured',
};

/** What became of the action, as far as it is known; undefined before. */
export function outcomeLine({ outcome }: ActionRecord): string | undefined {
  return outcome === undefined ? undefined : outcomeWords[outcome];
}

/** The verdicts before and after, and what that says; undefined where nothing was measured afterwards. */
export function beforeAfterLine({ before, after, effect }: ActionRecord): string | undefined {
  if (after === undefined) return undefined;
  const first = before === undefined ? 'not measured' : verdictWords[before.verdict];
  const words = effect === undefined ? '' : `: ${effectWords[effect]}`;
  return `before ${first} → after ${verdictWords[after.verdict]}${words}`;
}
