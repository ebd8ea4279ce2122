import { InputError } from '../../fleet/errors.ts';
import { endSilence } from '../end-silence.ts';
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
    if (!idPattern.test(id)) throw usageError(`\`${typed}\` is no silence: one is called \`s-…\`.`, usage);
    return { id };
  },
  run: ({ id }, { fleet, asker, services }) => endSilence(id, { fleet, asker, services }),
});
