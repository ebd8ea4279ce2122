import type { Catalogue } from '../../fleet/action.ts';
import type { Run, RunState } from '../../fleet/run.ts';
import type { CampaignMember } from '../ports.ts';
import {
  approvalCallBlockId,
  escalatedView,
  expiredView,
  passedOnView,
  reminderView,
} from '../views/approval-calls.ts';
import { approvalCardBlockId, approvalCardView } from '../views/approval-card.ts';
import { type AskingRun, hasAsked } from '../views/approval-words.ts';
import { runOutcomeBlockId, runOutcomeView } from '../views/run-outcome.ts';
import type { View } from '../views/view.ts';
import { file, type MessagePart, message, type Part, type Standing } from './part.ts';

const cardPart = 'approval';
/** In a thread that several runs share, the parts' names tell them apart. */
const prefixIn = (campaign: string | undefined, runId: string) => (campaign === undefined ? '' : `${runId}:`);

/** The name of the part that is the run's card, in its own thread or its campaign's. */
export function cardPartOf({ id, request: { campaign } }: Run): string {
  return prefixIn(campaign, id) + cardPart;
}

const afterAsking: ReadonlySet<RunState> = new Set(['awaiting', 'approved', 'acting', 'verifying']);

/** The campaign's runs that ask people something, or did and have a card. */
export function askedMembers(members: readonly CampaignMember[], standing: Standing): readonly string[] {
  return members
    .filter(({ runId, state }) => afterAsking.has(state) || standing[`${runId}:${cardPart}`] !== undefined)
    .map(({ runId }) => runId);
}

/**
 * What a run's question brings into its thread: the card, what calls people while it waits, and the outcome. Empty
 * for a run that asked nothing.
 */
export function approvalParts(run: Run, catalogue: Catalogue): readonly Part[] {
  if (!hasAsked(run)) return [];
  const prefix = prefixIn(run.request.campaign, run.id);
  const card = message(cardPartOf(run), approvalCardBlockId(run.id), approvalCardView(run, catalogue));
  const outcome = runOutcomeView(run);
  return [
    { ...card, priority: 'decision' },
    ...calls(run, prefix),
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
    ...call('escalated', escalatedView),
  ];
}
