import type { ActionsBlock } from '@slack/types';
import type { Action, Catalogue } from '../../fleet/action.ts';
import {
  type ActionSubject,
  type Approval,
  type Question,
  type QuestionSubject,
  questionDigest,
} from '../../fleet/approval.ts';
import { formatMoment } from '../../fleet/format.ts';
import { approvalDetailsActionId, approveActionId, denyActionId } from '../action-ids.ts';
import { undoneRun } from '../click-event-id.ts';
import {
  type AskingRun,
  approvalStateWords,
  mentions,
  quorumWords,
  riskWords,
  roundOf,
  shortfallLine,
  subjectWords,
  voteLines,
} from './approval-words.ts';
import { requesterWords } from './requester-words.ts';
import { codeSpan, prose, quoteBeginning } from './safe-text.ts';
import { commandLines, shownCommand, shownWord } from './shown-command.ts';
import { targetWords } from './target-words.ts';
import { button, compose, context, section, type View } from './view.ts';

const whyChars = 600;
const whyLines = 10;
const summaryChars = 120;
const sourceChars = 300;
const shownTaints = 5;
const undoChars = 600;
const digestDigits = 16;

/** `block_id` of a run's card, by which recovery finds it. */
export const approvalCardBlockId = (runId: string) => `run:${runId}:approval`;

/**
 * `block_id` of a card's buttons: tells which question people saw when they clicked, whatever stands in the record by
 * then. Slack signs it with the click.
 */
export const approvalButtonsBlockId = (question: Question) =>
  `approval:${question.id}:${questionDigest(question)}`;

/** Who is asked, until when, who would be next, and how many must agree. */
function askedLines(approval: Approval): readonly string[] {
  const { question, round } = approval;
  const current = roundOf(approval);
  if (current === undefined) return [];
  const next = question.rounds[round + 1];
  // Not mentioned: nobody is called before it is their turn.
  const end =
    question.subject.kind === 'escalation' ? 'then it is handed over to on-call' : 'then it expires';
  const nextWords =
    next === undefined
      ? end
      : `then it is passed on to ${next.mention.map((id) => codeSpan(id, 40)).join(' ')} until ${formatMoment(next.endsAt)}`;
  return [
    `asked: ${mentions(current.mention)} until ${formatMoment(current.endsAt)}, ${nextWords}`,
    `${quorumWords(question)}; one denial ends it`,
    ...shortfallLine(question),
  ];
}

function wantedLine(asker: string, undone: string | undefined): string {
  return `wanted by ${asker}${undone === undefined ? '' : `: takes back what run ${codeSpan(undone, 64)} did`}`;
}

/** Who thought of it, and why. Where it is the agent, the reason is in its words, which never stand but as a quotation. */
function proposerLines({ approval, request }: AskingRun): readonly string[] {
  const { proposedBy, requester, subject, why } = approval.question;
  const asker = requesterWords(requester);
  switch (proposedBy) {
    case 'person':
      return [wantedLine(asker, undoneRun(request.eventId))];
    case 'rule':
      return [
        `why: ${prose(why, whyChars)}`,
        subject.kind === 'action'
          ? `proposed by a rule of the fleet file, after a run that ${asker} asked for`
          : `found in a run that ${asker} asked for; no action of the fleet file was proposed`,
      ];
    case 'agent':
      return [
        `proposed by the agent, in a run that ${asker} asked for. Why, in its own words, measured by nobody:`,
        ...quoteBeginning(why, whyLines, whyChars),
      ];
  }
}

/** Why the person who reads should take a second look at these values. */
function taintLines({ taints }: Question): readonly string[] {
  if (taints.length === 0) return [];
  const shown = taints
    .slice(0, shownTaints)
    .flatMap(({ param, value, source }) => [
      `:warning: ${codeSpan(`${param}=${shownWord(value.slice(0, sourceChars))}`, sourceChars)} was taken from text that a machine or a model wrote, so the risk counts one step higher. The line:`,
      ...quoteBeginning(source, 1, sourceChars),
    ]);
  const rest = taints.length - shownTaints;
  return rest > 0 ? [...shown, `and ${rest} more values of that kind`] : shown;
}

/** How to take it back, or why that cannot be. */
function undoLine({ undo, noUndo }: ActionSubject): string {
  if (undo === undefined) return `undo: none. ${prose(noUndo ?? 'The fleet file names none.', whyChars)}`;
  return `undo: ${codeSpan(undo.action, 64)}, which runs ${codeSpan(shownCommand(undo.argv, undoChars), undoChars)}`;
}

/** Risk, where values come from, the way back and the check, as the card and a dry run tell them. */
export function actionLines(
  question: Question,
  subject: ActionSubject,
  action: Action | undefined,
): readonly string[] {
  return [
    `risk: ${riskWords[question.risk]}`,
    ...taintLines(question),
    undoLine(subject),
    ...(action === undefined
      ? []
      : [`verified by the check ${codeSpan(action.verify, 64)}, measured before and after`]),
  ];
}

/** What stands above the command. */
function commandWords(waiting: boolean): string {
  return waiting
    ? 'The machine would run exactly this, as root:'
    : 'What was asked for, exactly, to be run as root:';
}

/** To whom it goes, and when. Not mentioned: nobody is called before it is their turn. */
function escalationLine(
  { to }: Extract<QuestionSubject, { kind: 'escalation' }>,
  state: Approval['state'],
): string {
  if (to.length === 0) return 'goes to nobody, because the fleet file names nobody';
  const targets = to.map((target) => targetWords(target)).join(', then ');
  switch (state) {
    case 'waiting':
      return `goes to ${targets}, until somebody has it; also where nobody decides in time`;
    case 'approved':
    case 'expired':
      return `handed over to ${targets}, until somebody has it: see below`;
    case 'denied':
    case 'cancelled':
      return `would have gone to ${targets}`;
  }
}

function titleOf({ question, state }: Approval, action: Action | undefined): string {
  const machine = `*${prose(question.machine, 64)}*`;
  if (question.subject.kind === 'escalation') {
    return `:rotating_light: *Escalate to on-call${state === 'waiting' ? '?' : ''}* · ${machine}`;
  }
  const summary = action === undefined ? '' : ` · ${prose(action.summary, summaryChars)}`;
  const want = state === 'waiting' ? '*Approve this change?*' : '*Change that was asked for*';
  return `:bell: ${want} · ${machine} · *${subjectWords(question)}*${summary}`;
}

function buttons(question: Question, approvable: boolean): ActionsBlock {
  const { id } = question;
  const approve = button('Approve', approveActionId, { value: id }, 'primary');
  return {
    type: 'actions',
    block_id: approvalButtonsBlockId(question),
    elements: [
      ...(approvable ? [approve] : []),
      button('Deny', denyActionId, { value: id }, 'danger'),
      button('Details', approvalDetailsActionId, { value: id }),
    ],
  };
}

/**
 * The card of a run's question, as its record is now: what is asked while it waits, who decided afterwards. What
 * cannot be shown whole has no button Approve.
 *
 * @param catalogue of the fleet file in force, for what an action is for
 */
export function approvalCardView(run: AskingRun, catalogue: Catalogue): View {
  const { approval } = run;
  const { question, state } = approval;
  const { subject } = question;
  const waiting = state === 'waiting';
  const action = subject.kind === 'action' ? catalogue.get(subject.action) : undefined;
  const command = subject.kind === 'action' ? commandLines(subject.argv) : [];
  const head = [
    titleOf(approval, action),
    ...(waiting ? askedLines(approval) : [approvalStateWords(run)]),
    ...voteLines(approval),
  ];
  const card = (approvable: boolean) =>
    compose({
      text: `${titleOf(approval, action)} · ${waiting ? quorumWords(question) : approvalStateWords(run)}`,
      head: [section(head.join('\n'), approvalCardBlockId(run.id))],
      body: [
        ...(approvable ? [] : [tooLong]),
        ...(subject.kind === 'action' ? [commandWords(waiting)] : []),
        ...(command ?? []),
        ...proposerLines(run),
        ...(subject.kind === 'action'
          ? actionLines(question, subject, action)
          : [escalationLine(subject, state)]),
      ],
      tail: [
        context([
          ...(subject.kind === 'action'
            ? [`digest ${codeSpan(subject.digest.slice(0, digestDigits), 64)}`]
            : []),
          `asked at ${formatMoment(question.askedAt)}`,
          codeSpan(question.id, 64),
        ]),
        ...(waiting ? [buttons(question, approvable)] : []),
      ],
      more: (count) => `${count} more lines are left out here`,
    });
  const { view, leftOut } = card(true);
  return waiting && (command === undefined || leftOut > 0) ? card(false).view : view;
}

const tooLong =
  ':no_entry: Not all of this fits into a message, and nobody should agree to what they cannot read: it can only be denied. Whoever maintains the fleet file should make the action shorter.';
