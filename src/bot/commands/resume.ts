import { selectAll } from '../../fleet/selector.ts';
import { resumeWork } from '../resume-work.ts';
import { defineCommand, selectorAndWords, usageError } from './command.ts';

const usage = 'resume [selector or halt]';

/** Lifts halts from machines, as far as the person may; agrees to what another person wanted to resume. */
export const resume = defineCommand({
  name: 'resume',
  usage,
  summary: 'let halted machines work again',
  verb: 'resume',
  parse(args) {
    const [target = selectAll, ...more] = selectorAndWords(args, usage);
    if (more.length > 0) throw usageError('One selector or halt at a time.', usage);
    return { target };
  },
  run: ({ target }, { fleet, asker, eventId, services }) =>
    resumeWork(target, { fleet, asker, eventId, services }),
});
