import { LimitError } from '../fleet/errors.ts';

/** What `accept` answers when a limit is reached. */
export type LimitedReply = ['limited', 'person', number] | ['limited', 'waiting' | 'rate', ...string[]];

const secondMs = 1_000;
/** A message to a person names this many machines. */
const namedMachines = 10;

/** The error for a request that is over a limit, in words for the person. */
export function limitError(reply: LimitedReply): LimitError {
  if (reply[1] === 'person') {
    const seconds = Math.ceil(reply[2] / secondMs);
    return new LimitError(
      `You asked as often as one person may in a minute (perPerson.requestsPerMinute in the fleet file), so nothing was stored. Try again in ${seconds} s.`,
      'person',
    );
  }
  const [, kind, ...machines] = reply;
  const named = machines.slice(0, namedMachines).join(', ');
  const more = machines.length > namedMachines ? ` and ${machines.length - namedMachines} more` : '';
  return new LimitError(
    kind === 'waiting'
      ? `Too many requests wait for ${named}${more} already, so nothing was stored there. Look at \`/fleet runs\`, and try again when some are done.`
      : `${named}${more} got as many requests as a machine may in a minute, so nothing was stored there. Try again in a minute.`,
    kind,
    machines,
  );
}
