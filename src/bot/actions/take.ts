import { InputError, NotAllowedError } from '../../fleet/errors.ts';
import type { HandOver } from '../../fleet/hand-over.ts';
import { takeHandOver } from '../../fleet/hand-over-moves.ts';
import type { Services } from '../services.ts';
import { handOverStateWords } from '../views/hand-over-main.ts';
import { noticeView } from '../views/notice.ts';
import type { View } from '../views/view.ts';
import { type Click, onButton } from './on-button.ts';

/** The button "I have it" of a hand-over: from then on nobody else is called. The first one has it. */
export function takeButton(services: Services) {
  return onButton(services, 'take', take);
}

async function take(click: Click): Promise<View> {
  const { id, asker, services } = click;
  const before = await services.handOvers.handOver(id);
  if (before === undefined) throw new InputError('This escalation is no longer known. Nothing was done.');
  const denial = await denialOf(before, click);
  if (denial !== undefined) throw new NotAllowedError(denial);
  const stored = await services.handOvers.change(id, (current) =>
    takeHandOver(current, asker.requester, services.clock()),
  );
  return heldView(stored ?? before, asker.userId);
}

/**
 * Why the person may not take it; undefined where they may: who is called for it, by name, as a member of a user group
 * or in the channel where they clicked and whose machine they may view; and who may approve on the machine.
 */
async function denialOf(
  { machine: name, targets }: HandOver,
  { asker, channel, fleet }: Click,
): Promise<string | undefined> {
  const exclusion = await asker.exclusion();
  if (exclusion !== undefined) return exclusion;
  if (await asker.isAmong(targets)) return undefined;
  const machine = fleet.machines.get(name);
  const wasCalledHere = channel !== undefined && targets.includes(channel);
  for (const verb of wasCalledHere ? (['view', 'approve'] as const) : (['approve'] as const)) {
    if (machine !== undefined && (await asker.permission(verb, [machine])).allowed.length > 0)
      return undefined;
  }
  const doubt = await asker.doubt();
  return `You may not take this: only those who are called for it, and those who may approve on \`${name}\`. Tell one of them.${doubt === undefined ? '' : ` ${doubt}`}`;
}

function heldView(handOver: HandOver, userId: string): View {
  const isTheirs = handOver.takenBy?.by.userId === userId;
  const text = isTheirs ? 'You have it. Nobody else is called.' : 'Too late: somebody has it already.';
  return noticeView({ text, lines: [handOverStateWords(handOver)], kind: 'info' });
}
