import { submit } from '../submit.ts';
import { defineCommand, selectorAndWords, usageError } from './command.ts';

const usage = 'check <selector> <check>';

/** Queues a check of every machine that the selector matches. */
export const check = defineCommand({
  name: 'check',
  usage,
  summary: 'measure something and have it judged',
  verb: 'check',
  parse(args) {
    const [selector, name, ...more] = selectorAndWords(args, usage);
    if (selector === undefined) throw usageError('Which machine, and which check?', usage);
    if (name === undefined) throw usageError(`Which check of \`${selector}\`?`, usage);
    if (more.length > 0) throw usageError(`\`${more.join(' ')}\` is more than a check takes.`, usage);
    return { selector, check: name.toLowerCase() };
  },
  async run({ selector, check }, context) {
    const { notice } = await submit({ selector, task: { kind: 'check', check } }, context);
    return notice;
  },
});
