import { InputError, NotAllowedError } from '../fleet/errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { formatMoment } from '../fleet/format.ts';
import { parseSelector } from '../fleet/selector.ts';
import type { Silence } from '../fleet/silence.ts';
import type { Asker } from './people.ts';
import type { Services } from './services.ts';
import { noticeView } from './views/notice.ts';
import type { View } from './views/view.ts';

/** Who wants to end a silence. */
export interface Ending {
  readonly fleet: Fleet;
  readonly asker: Asker;
  readonly services: Services;
}

/**
 * Ends a person's silence before its time. Whoever made it may, and whoever may silence every machine that it is for.
 *
 * @param id as typed or as a button carried it
 * @throws InputError, NotAllowedError, StoreUnavailableError with sentences for the person
 */
export async function endSilence(id: string, ending: Ending): Promise<View> {
  const { asker, services } = ending;
  const found = await services.silences.silence(id);
  if (found === undefined) {
    throw new InputError(`There is no silence \`${id}\`. \`/fleet silences\` lists those that hold.`);
  }
  if (found.over) return overView(found.silence);
  const reason = await reasonAgainst(found.silence, ending);
  if (reason !== undefined) throw new NotAllowedError(reason);
  const ended = await services.silences.end(id, { by: asker.requester, at: services.clock() });
  if (ended !== undefined && ended.ended?.by.userId !== asker.userId) return overView(ended);
  return noticeView({
    text: `Silence \`${id}\` is over. A message in its thread tells what it held back.`,
    kind: 'info',
  });
}

function overView({ id, until, ended }: Silence): View {
  const since = formatMoment(ended?.at ?? until);
  return noticeView({ text: `Silence \`${id}\` has been over since ${since}.`, kind: 'info' });
}

/** Why the person may not end it; undefined where they may. */
async function reasonAgainst(
  { id, by, machines, until }: Silence,
  { fleet, asker }: Ending,
): Promise<string | undefined> {
  const excluded = await asker.exclusion();
  if (excluded !== undefined) return excluded;
  if (by.kind === 'person' && by.userId === asker.userId) return undefined;
  const matched = [...fleet.machines.values()].filter(parseSelector(machines));
  const { allowed, denied } = await asker.permission('silence', matched);
  if (allowed.length > 0 && denied.length === 0) return undefined;
  const doubt = (await asker.doubt()) ?? '';
  return `You may not end \`${id}\`: that may whoever made it, and whoever may \`silence\` every machine that it is for. It ends at ${formatMoment(until)}. ${doubt}`.trim();
}
