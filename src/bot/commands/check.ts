import type { InputError } from '../../fleet/errors.ts';
import { selectMachines } from '../../fleet/selector.ts';
import { checkNamesOf } from '../names-of.ts';
import { submit } from '../submit.ts';
import { type CommandContext, defineCommand, selectorAndWords, usageError } from './command.ts';
import { takeWaveFlags, waveUsage } from './wave-flags.ts';

const usage = `check <selector> <check> ${waveUsage}`;

/** Queues a check of every machine that the selector matches. */
export const check = defineCommand({
  name: 'check',
  usage,
  summary: 'measure something and have it judged',
  verb: 'check',
  parse(args) {
    const [selector, ...all] = selectorAndWords(args, usage);
    const { words, flags } = takeWaveFlags(all);
    const [name, ...more] = words;
    if (selector === undefined) throw usageError('Which machine, and which check?', usage);
    if (more.length > 0) throw usageError(`\`${more.join(' ')}\` is more than a check takes.`, usage);
    return { selector, check: name?.toLowerCase(), ...flags };
  },
  async run({ selector, check, ...flags }, context) {
    if (check === undefined) throw await whichCheck(selector, context);
    const { notice } = await submit({ selector, task: { kind: 'check', check }, ...flags }, context);
    return notice;
  },
});

/** Names the checks of the machines that were meant, as far as the person may check them. */
async function whichCheck(selector: string, { fleet, asker }: CommandContext): Promise<InputError> {
  const { allowed } = await asker.permission('check', selectMachines(fleet, selector));
  const known = checkNamesOf(allowed).map((name) => `\`${name}\``);
  const names = known.length > 0 ? ` There are: ${known.join(', ')}.` : '';
  return usageError(`Which check of \`${selector}\`?${names}`, usage);
}
