import { formatMoment } from '../../fleet/format.ts';
import type { TraceLink } from '../ports.ts';
import {
  type AskingRun,
  approvalStateWords,
  mentions,
  quorumWords,
  riskWords,
  voteLines,
} from './approval-words.ts';
import { codeSpan, notice, prose, quoteBeginning } from './safe-text.ts';
import { shownCommand, shownWord } from './shown-command.ts';
import { missingTrace, traceButton } from './trace-button.ts';
import { buttonRow, compose, context, section, type View } from './view.ts';

const wordChars = 2_500;
const lineChars = 500;
const sourceLines = 3;
/** Hex digits: the whole digest is broken anywhere by a window's width. */
const digestHalf = 32;

/** What the fleet file says to the person who looks, rule by rule. */
export interface DetailsFor {
  /** May they approve it, and why. */
  readonly policy: readonly string[];
  readonly traceLink: TraceLink;
}

function commandItems({ approval: { question } }: AskingRun): readonly string[] {
  const { subject } = question;
  if (subject.kind === 'escalation') return [];
  const params = Object.entries(subject.params);
  return [
    '*Command*, word by word',
    ...subject.argv.map(
      (word, index) => `${index}: ${codeSpan(shownWord(word.slice(0, wordChars)), wordChars)}`,
    ),
    'SHA-256 of machine and command, in two halves:',
    codeSpan(subject.digest.slice(0, digestHalf), digestHalf),
    codeSpan(subject.digest.slice(digestHalf), digestHalf),
    ...(params.length === 0 ? [] : ['*Parameters*']),
    ...params.map(
      ([name, value]) =>
        `${codeSpan(name, 32)}: ${codeSpan(shownWord(value.slice(0, lineChars)), lineChars)}`,
    ),
    ...(subject.undo === undefined
      ? []
      : [
          `*Undo* ${codeSpan(subject.undo.action, 64)}: ${codeSpan(shownCommand(subject.undo.argv, wordChars), wordChars)}`,
        ]),
  ];
}

function roundItems({ approval: { question, round } }: AskingRun): readonly string[] {
  return [
    `*Who is asked.* ${quorumWords(question)}.`,
    ...question.rounds.map(
      ({ mention, endsAt }, index) =>
        `${index === round ? ':arrow_right:' : '•'} ${mentions(mention)} until ${formatMoment(endsAt)}`,
    ),
  ];
}

/** All that is known of a question, for the one person who opened it. */
export function approvalDetailsView(run: AskingRun, { policy, traceLink }: DetailsFor): View {
  const { question } = run.approval;
  return compose({
    text: 'Details of a question',
    head: [section(`*${prose(question.machine, 64)}* · ${approvalStateWords(run)}`)],
    body: [
      ...commandItems(run),
      `*Risk* ${riskWords[question.risk]}`,
      '*May you approve it?*',
      ...policy.map((line) => `• ${notice(line, lineChars)}`),
      ...question.taints.flatMap(({ param, value, source }) => [
        `:warning: ${codeSpan(`${param}=${shownWord(value.slice(0, lineChars))}`, lineChars)} comes from:`,
        ...quoteBeginning(source, sourceLines, lineChars),
      ]),
      ...voteLines(run.approval),
      ...roundItems(run),
    ],
    tail: [
      context([`run ${codeSpan(run.id, 64)}`, ...missingTrace(traceLink), codeSpan(question.id, 64)]),
      ...buttonRow(`approval:${question.id}:trace`, traceButton(traceLink)),
    ],
    more: (count) => `${count} more lines are left out here`,
  }).view;
}
