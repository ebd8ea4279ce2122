import { InputError } from '../../fleet/errors.ts';
import { parseSelector } from '../../fleet/selector.ts';
import { type Ending, endSilence } from '../end-silence.ts';
import { defineCommand, usageError, wordsOf } from './command.ts';

const usage = 'unsilence <silence>';
const idPattern = /^s-[0-9a-z]{12}$/;

/** Ends a silence before its time. */
export const unsilence = defineCommand({
  name: 'unsilence',
  usage,
  summary: 'end a silence before its time',
  verb: 'silence',
  parse(args) {
    const [typed, ...more] = wordsOf(args);
    if (typed === undefined) throw usageError('Which silence? `/fleet silences` lists them.', usage);
    if (more.length > 0) throw usageError('One silence at a time.', usage);
    const id = typed.toLowerCase();
    if (id.startsWith('w-')) {
      throw new InputError('A maintenance window ends when the fleet file says so: change it there.');
    }
    return { id, typed };
  },
  async run({ id, typed }, { fleet, asker, services }) {
    if (!idPattern.test(id)) throw await noSilence(typed, { fleet, asker, services });
    return endSilence(id, { fleet, asker, services });
  },
});

/** What was typed is no silence; where it names a machine that the person may view, which silences hold for that. */
async function noSilence(typed: string, { fleet, asker, services }: Ending): Promise<InputError> {
  const machine = fleet.machines.get(typed);
  const { allowed } = await asker.permission('view', machine === undefined ? [] : [machine]);
  const [visible] = allowed;
  const holding = visible === undefined ? [] : await services.silences.holding(visible);
  const ids = holding.flatMap(({ id, machines }) =>
    visible !== undefined && parseSelector(machines)(visible) ? [`\`${id}\``] : [],
  );
  const those = ids.length === 0 ? '' : ` It is silenced by ${ids.join(', ')}.`;
  return usageError(
    `\`${typed}\` is no silence: one is called \`s-…\`.${those} \`/fleet silences\` lists them.`,
    usage,
  );
}
