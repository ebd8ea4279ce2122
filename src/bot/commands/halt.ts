import { InputError, StoreUnavailableError } from '../../fleet/errors.ts';
import { type Halt, haltReasonMaxCharacters } from '../../fleet/halt.ts';
import { selectMachines, unmatchedAlternatives } from '../../fleet/selector.ts';
import { deniedAll, deniedMachines } from '../denied.ts';
import { namesOf } from '../names-of.ts';
import type { Asker } from '../people.ts';
import { type HaltWords, haltAllHint, readHalt } from '../read-halt.ts';
import type { Services } from '../services.ts';
import { tidyReason } from '../tidy-reason.ts';
import { noticeView } from '../views/notice.ts';
import type { View } from '../views/view.ts';
import { defineCommand, usageError } from './command.ts';

const usage = 'halt [selector] <reason>';

/**
 * Stops machines and lets them do nothing until somebody resumes them. Whether the bot is in the channel is not
 * looked up: the halt matters more than its message.
 */
export const halt = defineCommand({
  name: 'halt',
  usage,
  summary: 'stop machines, all of them if you name none, until somebody resumes them',
  verb: 'halt',
  parse(args) {
    if (args === '') throw usageError('What shall be halted, and why?', usage);
    return { text: args };
  },
  async run({ text }, { fleet, asker, origin, eventId, services }) {
    const words = readHalt(text, fleet);
    if ('unmatched' in words) throw await unclear(words, text, asker);
    const { selector } = words;
    const matched = selectMachines(fleet, selector);
    if (matched.length === 0) throw new InputError('The fleet file has no machines yet.');
    const { allowed, denied } = await asker.permission('halt', matched);
    if (allowed.length === 0) throw await deniedAll({ verb: 'halt', selector, denied }, fleet, asker);
    const reason = tidyReason(services.redact(words.reason), haltReasonMaxCharacters);
    if (reason === '') throw usageError('Why? A halt needs a reason that can be read.', usage);

    const names = namesOf(allowed);
    const wanted: Halt = {
      id: services.newHaltId(),
      eventId,
      // As it was typed it covers machines that join later; where some may not be halted, it must not.
      selector: denied.length === 0 ? selector : names.join(','),
      reason,
      by: asker.requester,
      origin,
      at: services.clock(),
      releases: [],
    };
    const id = await begin(wanted, names, services);
    if (id === undefined) return notHaltedView();
    const forbidden = await deniedMachines(denied, asker);
    return begunView(id, names.length, forbidden, unmatchedAlternatives(fleet, selector));
  },
});

/** @returns the id under which it is stored; undefined where the store does not answer */
async function begin(
  wanted: Halt,
  names: readonly string[],
  { halts, log }: Services,
): Promise<string | undefined> {
  try {
    return (await halts.begin(wanted, names)).id;
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    log.error({ err: error, selector: wanted.selector }, 'a halt could not be stored');
    return undefined;
  }
}

/** Suggests only a machine that the person may halt, by its name or by what it is. */
async function unclear(
  { unmatched, meant }: Extract<HaltWords, { readonly unmatched: string }>,
  text: string,
  asker: Asker,
): Promise<InputError> {
  const { allowed } = await asker.permission('halt', meant === undefined ? [] : [meant.machine]);
  const hint = meant === undefined || allowed.length === 0 ? '' : ` Did you mean \`${meant.selector}\`?`;
  return new InputError(
    `No machine matches \`${unmatched}\`, so nothing was halted.${hint}${haltAllHint(text)}`,
  );
}

function begunView(
  id: string,
  count: number,
  forbidden: string | undefined,
  unmatched: readonly string[],
): View {
  const sentences = [
    `The halt \`${id}\` of ${count === 1 ? '1 machine' : `${count} machines`} is stored. One message in this channel tells what is confirmed; \`/fleet resume ${id}\` lifts it.`,
    unmatched.length > 0 ? `Nothing matches ${unmatched.map((part) => `\`${part}\``).join(', ')}.` : '',
    forbidden === undefined ? '' : `NOT halted, because you may not: ${forbidden}`,
  ].filter((sentence) => sentence !== '');
  return noticeView({ text: sentences.join('\n'), kind: forbidden === undefined ? 'info' : 'warning' });
}

/** Whether it was stored is not known; nobody should rely on it. */
function notHaltedView(): View {
  const text =
    'NOT halted, as far as is known: the store does not answer. Repeat the command, which does no harm, or halt without the store and without Slack: whoever has the fleet file and the SSH key runs `fleetbot halt --direct`.';
  return noticeView({ text, kind: 'error' });
}
