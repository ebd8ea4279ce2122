import { readDuration } from '../../fleet/duration.ts';
import { InputError } from '../../fleet/errors.ts';
import { selectMachines, unmatchedAlternatives } from '../../fleet/selector.ts';
import { silenceMaxMs, silenceMinMs, silenceReasonMaxCharacters } from '../../fleet/silence.ts';
import { deniedAll, deniedMachines } from '../denied.ts';
import { machineHint } from '../machine-hint.ts';
import { namesOf } from '../names-of.ts';
import { silenceSentences } from '../silence-sentences.ts';
import { tidyReason } from '../tidy-reason.ts';
import { noticeView } from '../views/notice.ts';
import { defineCommand, selectorAndWords, usageError } from './command.ts';

const usage = 'silence <selector> <duration> <reason>';
/** Every run looks through all of them. */
const silencesAtMost = 200;
const bothHold = 'Yours holds beside it: nothing begins there by itself before both are over.';
const maxDays = silenceMaxMs / (24 * 3_600_000);

/** Lets nothing happen to machines by itself for a time. */
export const silence = defineCommand({
  name: 'silence',
  usage,
  summary: 'let nothing happen to machines by itself for a time, such as `2h`',
  verb: 'silence',
  parse(args) {
    const [selector, duration, ...words] = selectorAndWords(args, usage);
    if (selector === undefined) throw usageError('Which machines, for how long, and why?', usage);
    if (duration === undefined) throw usageError('For how long, and why?', usage);
    const durationMs = readDuration(duration);
    if (durationMs === undefined) {
      throw usageError(`\`${duration}\` is no span of time: 30m, 2h, 1d12h and 1w are.`, usage);
    }
    if (durationMs < silenceMinMs || durationMs > silenceMaxMs) {
      throw new InputError(`A silence lasts from 1 minute to ${maxDays} days, and always ends.`);
    }
    if (words.length === 0) throw usageError('Why?', usage);
    return { selector, durationMs, words: words.join(' ') };
  },
  async run({ selector, durationMs, words }, { fleet, asker, origin, eventId, services }) {
    const matched = selectMachines(fleet, selector);
    if (matched.length === 0) {
      throw new InputError(
        `No machine matches \`${selector}\`.${await machineHint(selector, 'silence', fleet, asker)}`,
      );
    }
    const { allowed, denied } = await asker.permission('silence', matched);
    if (allowed.length === 0) throw await deniedAll({ verb: 'silence', selector, denied }, fleet, asker);
    const hindered = await services.membership.obstacle(origin.channel);
    if (hindered !== undefined) throw new InputError(hindered);
    const reason = tidyReason(services.redact(words), silenceReasonMaxCharacters);
    if (reason === '') throw usageError('Why? A silence needs a reason that can be read.', usage);
    if ((await services.silences.active()).length >= silencesAtMost) {
      throw new InputError(
        `There are ${silencesAtMost} silences already, as many as there may be. \`/fleet silences\` lists them; end one with \`/fleet unsilence\`.`,
      );
    }
    const from = services.clock();
    const wanted = {
      id: services.newSilenceId(),
      // As it was typed it covers machines that join later; where some may not be silenced, it must not.
      machines: denied.length === 0 ? selector : namesOf(allowed).join(','),
      ...{ reason, by: asker.requester, origin, from, until: from + durationMs },
    };
    const before = await silenceSentences(allowed, services, bothHold);
    const { duplicate } = await services.silences.begin(wanted, eventId);
    const forbidden = await deniedMachines(denied, asker);
    const unmatched = unmatchedAlternatives(fleet, selector).map((part) => `\`${part}\``);
    const sentences = [
      ...(duplicate ? [] : before),
      ...(unmatched.length > 0 ? [`Nothing matches ${unmatched.join(', ')}.`] : []),
      ...(forbidden === undefined ? [] : [`NOT silenced, because you may not: ${forbidden}`]),
    ];
    return sentences.length === 0 ? undefined : noticeView({ text: sentences.join('\n'), kind: 'warning' });
  },
});
