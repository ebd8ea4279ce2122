import { endOf, type Question, questionDigest, type Vote } from './approval.ts';
import type { Fleet } from './fleet.ts';
import type { Machine } from './machine.ts';
import { mayDecide } from './may-decide.ts';
import { quorumNow } from './quorum.ts';
import type { PersonRef } from './requester.ts';

/** What votes add up to. */
export interface Tally {
  readonly state: 'open' | 'approved' | 'denied';
  /** Whose approvals count, in order. */
  readonly approvers: readonly PersonRef[];
  /** What is missing while it is open, as a sentence for people. */
  readonly open: string;
  /** Votes that do not count, and why, as a sentence for whoever gave them. */
  readonly ignored: readonly { readonly vote: Vote; readonly reason: string }[];
}

/**
 * Counts votes from nothing, by the fleet file that is given and the groups that each vote attests: it believes no
 * earlier count. A vote counts for the very question, while it was asked, by a person who may decide it, once. One
 * denial denies. Does not look at signatures.
 */
export function tally(fleet: Fleet, machine: Machine, question: Question, votes: readonly Vote[]): Tally {
  const digest = questionDigest(question);
  const quorum = quorumNow(fleet, question);
  const seats = quorum.differentGroups ? new Map<string, readonly string[]>() : undefined;
  const approvers: PersonRef[] = [];
  const ignored: Tally['ignored'][number][] = [];
  let denied = false;
  for (const vote of votes) {
    const { by, kind, groups: groupIds } = vote.decision;
    const person = { userId: by.userId, excluded: false, groupIds };
    const { allowed, reason, groups } = mayDecide(fleet, machine, question, person, kind);
    const problem =
      elsewhere(vote, question, digest) ??
      (allowed ? undefined : reason) ??
      (kind === 'deny' ? undefined : addsNothing(by, groups, approvers, seats));
    if (problem !== undefined) ignored.push({ vote, reason: problem });
    else if (kind === 'deny') denied = true;
    else approvers.push(by);
  }
  const missing = quorum.approvals - approvers.length;
  if (denied) return { state: 'denied', approvers, open: '', ignored };
  if (missing <= 0) return { state: 'approved', approvers, open: '', ignored };
  return { state: 'open', approvers, open: missingWords(missing, approvers, quorum), ignored };
}

/** Why a vote is not about this question, or not of its time. */
function elsewhere({ decision }: Vote, question: Question, digest: string): string | undefined {
  if (decision.approval !== question.id || decision.question !== digest) {
    return 'You decided about another question than the one that is asked. Read the card as it is now.';
  }
  if (decision.at >= endOf(question)) return 'It expired before you decided. Ask for it again.';
  return decision.at < question.askedAt ? 'You decided before it was asked. Decide again.' : undefined;
}

/** Why one more approval is none: each person has one, and where groups must differ, one in a group of its own. */
function addsNothing(
  by: PersonRef,
  groups: readonly string[],
  approvers: readonly PersonRef[],
  seats: Map<string, readonly string[]> | undefined,
): string | undefined {
  if (approvers.some(({ userId }) => userId === by.userId)) return 'You approved it already.';
  if (seats === undefined || takeSeat(groups, seats)) return undefined;
  return `Each who approves must do so for another user group, and yours (${groups.join(', ')}) approved already.`;
}

/**
 * Gives one more person a group that nobody else has, where need be by moving others to another group of theirs
 * (augmenting paths: whoever gets none now gets none later). `seats`: who has which group, by the groups they may have.
 */
function takeSeat(
  groups: readonly string[],
  seats: Map<string, readonly string[]>,
  tried: Set<string> = new Set(),
): boolean {
  for (const group of groups) {
    if (tried.has(group)) continue;
    tried.add(group);
    const holder = seats.get(group);
    if (holder !== undefined && !takeSeat(holder, seats, tried)) continue;
    seats.set(group, groups);
    return true;
  }
  return false;
}

function missingWords(
  missing: number,
  approvers: readonly PersonRef[],
  { differentGroups }: Question['quorum'],
): string {
  const who = approvers.length === 0 ? '' : ' more';
  const people = missing === 1 ? `One${who} person` : `${missing}${who} people`;
  return `${people} must approve${differentGroups ? ', each for another user group' : ''}.`;
}
