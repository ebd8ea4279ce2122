import type { Catalogue } from '../../fleet/action.ts';
import type { Run, RunState } from '../../fleet/run.ts';
import type { CampaignMember } from '../ports.ts';
import { approvalCallBlockId, expiredView, passedOnView, reminderView } from '../views/approval-calls.ts';
import { approvalCardBlockId, approvalCardView } from '../views/approval-card.ts';
import { type AskingRun, hasAsked } from '../views/approval-words.ts';
import { runOutcomeBlockId, runOutcomeView } from '../views/run-outcome.ts';
import type { View } from '../views/view.ts';
import { withoutMentions } from '../views/without-mentions.ts';
import { file, type MessagePart, message, type Part, type Standing } from './part.ts';

const cardPart = 'approval';
/** In a thread that several runs share, the parts' names tell them apart. */
const prefixIn = (campaign: string | undefined, runId: string) => (campaign === undefined ? '' : `${runId}:`);

/** The name of the part that is the run's card, in its own thread or its campaign's. */
export function cardPartOf({ id, request: { campaign } }: Run): string {
  return prefixIn(campaign, id) + cardPart;
}

const afterAsking: ReadonlySet<RunState> = new Set(['awaiting', 'approved', 'acting', 'verifying']);

/** Questions of one campaign for which people are mentioned at the same time: 300 of them would call nobody. */
const mentioningCards = 5;

/** A run of a campaign that asks people something, or did and has a card. */
export interface AskedMember {
  readonly runId: string;
  readonly isWaiting: boolean;
  /** Whether its card mentions people, and messages call them. */
  readonly mentions: boolean;
}

/** Those of a campaign, in the order of their cards. The first few that wait mention people. */
export function askedMembers(members: readonly CampaignMember[], standing: Standing): readonly AskedMember[] {
  const shownAt = (runId: string) => standing[`${runId}:${cardPart}`]?.intended;
  const notYet = Number.MAX_SAFE_INTEGER;
  const asked = members
    .filter(({ runId, state }) => afterAsking.has(state) || shownAt(runId) !== undefined)
    .toSorted((a, b) => (shownAt(a.runId) ?? notYet) - (shownAt(b.runId) ?? notYet));
  let waiting = 0;
  return asked.map(({ runId, state }, index) => {
    const isWaiting = state === 'awaiting';
    const mentions = (isWaiting ? waiting : index) < mentioningCards;
    if (isWaiting) waiting += 1;
    return { runId, isWaiting, mentions };
  });
}

/**
 * What a run's question brings into its thread: the card, what calls people while it waits, and the outcome. Empty
 * for a run that asked nothing. Where nobody is to be mentioned the card stands all the same, and nobody is called.
 */
export function approvalParts(
  run: Run,
  catalogue: Catalogue,
  { mentions }: Pick<AskedMember, 'mentions'> = { mentions: true },
): readonly Part[] {
  if (!hasAsked(run)) return [];
  const prefix = prefixIn(run.request.campaign, run.id);
  const cardView = approvalCardView(run, catalogue);
  const card = message(
    cardPartOf(run),
    approvalCardBlockId(run.id),
    mentions ? cardView : withoutMentions(cardView),
  );
  const outcome = runOutcomeView(run);
  return [
    mentions ? { ...card, priority: 'decision' } : card,
    ...(mentions ? calls(run, prefix) : []),
    ...(outcome === undefined ? [] : [message(`${prefix}outcome`, runOutcomeBlockId(run.id), outcome.view)]),
    ...file(`file:${prefix}outcome`, outcome?.file),
  ];
}

/** The messages that call people, as far as it is time for them: what they called for earlier still stands. */
function calls(run: AskingRun, prefix: string): readonly MessagePart[] {
  const { round, reminded, state } = run.approval;
  const call = (name: string, make: (run: AskingRun, name: string) => View | undefined): MessagePart[] => {
    const view = make(run, name);
    if (view === undefined) return [];
    return [{ ...message(prefix + name, approvalCallBlockId(run.id, name), view), priority: 'decision' }];
  };
  return [
    ...(state === 'waiting' && round > 0 ? call(`passed-on:${round}`, passedOnView) : []),
    ...(state === 'waiting' && reminded ? call(`reminder:${round}`, reminderView) : []),
    ...call('expired', expiredView),
  ];
}
