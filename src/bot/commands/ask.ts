import { questionMaxCharacters } from '../../fleet/request.ts';
import { submit } from '../submit.ts';
import { defineCommand, selectorAndWords, usageError } from './command.ts';

const usage = 'ask <selector> <question>';

/** Queues a question to the agent of every machine that the selector matches. */
export const ask = defineCommand({
  name: 'ask',
  usage,
  summary: "ask a machine's agent",
  verb: 'ask',
  parse(args) {
    const [selector, ...words] = selectorAndWords(args, usage);
    if (selector === undefined) throw usageError('Which machine, and what do you want to ask?', usage);
    const question = unquote(words.join(' '));
    if (question === '') throw usageError(`What do you want to ask \`${selector}\`?`, usage);
    if (question.length > questionMaxCharacters) {
      throw usageError(
        `A question may have ${questionMaxCharacters} characters; yours has ${question.length}.`,
        usage,
      );
    }
    return { selector, question };
  },
  async run({ selector, question }, context) {
    const { notice } = await submit({ selector, task: { kind: 'ask', question } }, context);
    return notice;
  },
});

/** Removes one pair of quotes around the whole question. */
function unquote(text: string): string {
  return (/^"([^"]*)"$/.exec(text)?.[1] ?? text).trim();
}
