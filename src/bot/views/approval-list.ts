import { formatMoment } from '../../fleet/format.ts';
import { type AskingRun, quorumWords, roundOf, subjectWords } from './approval-words.ts';
import { requesterWords } from './requester-words.ts';
import { codeSpan, prose } from './safe-text.ts';
import { compose, doubtLine, header, section, type View } from './view.ts';
import { span } from './words.ts';

const addressChars = 300;

/** A question that waits, and the address of its card, where that is known. */
export interface ListedApproval {
  readonly run: AskingRun;
  readonly card: string | undefined;
}

function line({ run, card }: ListedApproval, now: number): string {
  const { question, votes } = run.approval;
  const end = roundOf(run.approval)?.endsAt;
  return [
    `*${prose(question.machine, 64)}*`,
    subjectWords(question),
    question.risk,
    `wanted by ${requesterWords(question.requester)} ${span(now - question.askedAt)} ago`,
    ...(votes.length === 0 ? [] : [`${votes.length} approved, ${quorumWords(question)}`]),
    ...(end === undefined ? [] : [`until ${formatMoment(end)}`]),
    cardLink(card) ?? codeSpan(question.id, 64),
  ].join(' · ');
}

/** Our own address, which Slack told us; whatever else it were, it would not become a link. */
function cardLink(card: string | undefined): string | undefined {
  if (card === undefined || card.length > addressChars || !/^https?:\/\/[^\s<>|]+$/.test(card))
    return undefined;
  return `<${card}|card>`;
}

/** What waits for one person, oldest round first, as it was at `now`. */
export function approvalListView(listed: {
  readonly toDecide: readonly ListedApproval[];
  readonly asked: readonly ListedApproval[];
  readonly now: number;
  readonly doubt: string | undefined;
}): View {
  const { toDecide, asked, now, doubt } = listed;
  const title = 'Approvals';
  return compose({
    text: title,
    head: [
      header(title),
      ...(toDecide.length + asked.length === 0 ? [section('Nothing waits for you.')] : []),
    ],
    body: [
      ...(toDecide.length > 0 ? ['*You may decide*', ...toDecide.map((each) => line(each, now))] : []),
      ...(asked.length > 0 ? ['*You asked for*', ...asked.map((each) => line(each, now))] : []),
    ],
    tail: doubtLine(doubt),
    more: (count) => `and ${count} more`,
  }).view;
}
