import { questionMaxCharacters } from '../../fleet/request.ts';
import { submit } from '../submit.ts';
import { defineCommand, selectorAndWords, usageError } from './command.ts';
import { takeWaveFlags, unquote, waveUsage } from './wave-flags.ts';

const usage = `ask <selector> <question> ${waveUsage}`;

/** Queues a question to the agent of every machine that the selector matches. */
export const ask = defineCommand({
  name: 'ask',
  usage,
  summary: "ask a machine's agent",
  verb: 'ask',
  parse(args) {
    const [selector, ...all] = selectorAndWords(args, usage);
    const { words, flags } = takeWaveFlags(all);
    if (selector === undefined) throw usageError('Which machine, and what do you want to ask?', usage);
    const question = unquote(words.join(' '));
    if (question === '') throw usageError(`What do you want to ask \`${selector}\`?`, usage);
    if (question.length > questionMaxCharacters) {
      throw usageError(
        `A question may have ${questionMaxCharacters} characters; yours has ${question.length}.`,
        usage,
      );
    }
    return { selector, question, ...flags };
  },
  async run({ selector, question, ...flags }, context) {
    const { notice } = await submit({ selector, task: { kind: 'ask', question }, ...flags }, context);
    return notice;
  },
});
