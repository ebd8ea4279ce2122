import type { Risk } from '../../fleet/action.ts';
import type { Approval, ApprovalDecision, ApprovalState, Question, Round } from '../../fleet/approval.ts';
import { formatMoment } from '../../fleet/format.ts';
import { paramWords } from '../../fleet/request.ts';
import { maxMentioned } from '../../fleet/rounds.ts';
import type { Run } from '../../fleet/run.ts';
import { mention, prose } from './safe-text.ts';

/** A run that asked people something. */
export type AskingRun = Run & { readonly approval: Approval };

/** Whether the run asked people something. */
export function hasAsked(run: Run): run is AskingRun {
  return run.approval !== undefined;
}

const subjectChars = 200;
/** Longest reason of a denial. */
export const denialReasonChars = 300;

export const riskWords: Readonly<Record<Risk, string>> = {
  reversible: '*reversible*: it can be taken back',
  disruptive: '*disruptive*: people or services may notice it',
  destructive: '*destructive*: what it takes away does not come back',
};

/** What is asked, as short as it can be said: `vacuum-journal size=200M`. Safe to show. */
export function subjectWords({ subject }: Question): string {
  if (subject.kind === 'escalation') return 'escalate to on-call';
  return prose([subject.action, ...paramWords(subject.params)].join(' '), subjectChars);
}

/** The round that people are in, or were in at the end. */
export function roundOf({ question, round }: Approval): Round | undefined {
  return question.rounds[round];
}

/** How many must agree. */
export function quorumWords({ quorum: { approvals, differentGroups } }: Question): string {
  if (approvals === 1) return '1 person must agree';
  return `${approvals} people must agree${differentGroups ? ', each for another user group' : ''}`;
}

/**
 * Says where the people who are asked first, all whom the fleet file lets approve, are too few. Of a group nobody knows
 * here how many are in it; where groups must differ, each stands for one.
 */
export function shortfallLine({ quorum, rounds }: Question): readonly string[] {
  const { approvals, differentGroups } = quorum;
  const named = rounds[0]?.mention ?? [];
  if (named.length === 0)
    return [':warning: nobody may approve this: the fleet file gives it to nobody else'];
  const groups = named.filter((id) => id.startsWith('S'));
  if (groups.length > 0 && !differentGroups) return [];
  const count = differentGroups ? groups.length : named.length;
  // Those beyond the most that are mentioned are not counted.
  if (count >= Math.min(approvals, maxMentioned)) return [];
  const those = differentGroups ? 'user groups that must agree' : 'who must agree';
  const are = count === 1 ? 'is' : 'are';
  return [`:warning: only ${count} of the ${approvals} ${those} ${are} named by the fleet file`];
}

/**
 * People and groups, mentioned: Slack tells them, unless the words are an edit of a message that stands. The first round
 * has none where no row of the fleet file lets anybody else approve.
 */
export function mentions(ids: readonly string[]): string {
  return ids.length === 0
    ? 'nobody, because the fleet file lets nobody else approve it,'
    : ids.map(mention).join(' ');
}

/** Whose decision it is, of when, and why. */
function byWhom({ by, at, reason }: ApprovalDecision): string {
  const why = reason === undefined ? '' : `: ${prose(reason, denialReasonChars)}`;
  return `by ${mention(by.userId)} at ${formatMoment(at)}${why}`;
}

const did = { approve: ':white_check_mark: *approved*', deny: ':no_entry: *denied*' } as const;

/** The decisions that `approvalStateWords` tells of, by the state that they led to. */
const toldWith: Partial<Record<ApprovalState, ApprovalDecision['kind']>> = {
  approved: 'approve',
  denied: 'deny',
};

/** Every decision that the question's state does not tell of, one line each. */
export function voteLines({ state, votes }: Approval): readonly string[] {
  return votes
    .filter(({ decision }) => decision.kind !== toldWith[state])
    .map(({ decision }) => `${did[decision.kind]} ${byWhom(decision)}`);
}

/** What the question has come to: who decided when, and why; or what it waits for. One line. */
export function approvalStateWords({ approval, cancellation }: AskingRun): string {
  const { state, settledAt, votes } = approval;
  const at = settledAt === undefined ? '' : ` at ${formatMoment(settledAt)}`;
  const by = (kind: ApprovalDecision['kind']) => {
    const deciders = votes.filter(({ decision }) => decision.kind === kind);
    return `${did[kind]} ${deciders.map(({ decision }) => byWhom(decision)).join(', ')}`;
  };
  switch (state) {
    case 'waiting': {
      const round = roundOf(approval);
      const until = round === undefined ? '' : ` until ${formatMoment(round.endsAt)}`;
      return `:bell: waits for ${mentions(round?.mention ?? [])}${until}`;
    }
    case 'approved':
      return by('approve');
    case 'denied':
      return by('deny');
    case 'expired':
      return `:hourglass: *expired*${at}: not enough people decided in time`;
    case 'cancelled':
      return `:no_entry_sign: *cancelled*${at}${cancellation === undefined ? '' : ` by ${mention(cancellation.userId)}`}`;
  }
}
