import { cancelWork } from '../cancel-work.ts';
import { defineCommand, usageError, wordsOf } from './command.ts';

const usage = 'cancel <run>';

/** Ends a run, or a campaign with all of its runs. */
export const cancel = defineCommand({
  name: 'cancel',
  usage,
  summary: 'end a run that is queued or at work',
  verb: 'cancel',
  parse(args) {
    const [id, ...more] = wordsOf(args);
    if (id === undefined) throw usageError('Which run? Its message tells its id.', usage);
    if (more.length > 0) throw usageError('One run at a time.', usage);
    return { id: id.toLowerCase() };
  },
  run: ({ id }, { asker, services, fleet }) => cancelWork(id, { asker, services, fleet }),
});
