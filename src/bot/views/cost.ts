import { type BudgetState, isUsedUp, spentWords } from '../../fleet/budget-state.ts';
import type { CostLine, CostPart, CostReport } from '../../fleet/cost-report.ts';
import { formatMoment } from '../../fleet/format.ts';
import type { Period } from '../../fleet/period.ts';
import { type Spent, spendingDaysKept } from '../../fleet/spending.ts';
import { costWords, tokenWords } from './cost-words.ts';
import { codeSpan, mention, prose } from './safe-text.ts';
import { compose, context, doubtLine, header, section, type View } from './view.ts';

const nameChars = 100;
/** How many models without a price are named. */
const namedModels = 5;

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

const modelWords = (name: string | undefined): string =>
  name === undefined ? 'a model that was not told' : codeSpan(name, nameChars);

/** On whose account it goes: see `spenderOf`. */
function spenderWords(spender: string): string {
  if (/^[UW][A-Z0-9]+$/.test(spender)) return mention(spender);
  return prose(spender.replace(/^schedule:/, 'schedule '), nameChars);
}

function usedWords(spent: Spent): string {
  return [`*${costWords(spent)}*`, counted(spent.activations, 'activation'), tokenWords(spent)].join(' · ');
}

/** What stands in the way of knowing more, and what helps. */
function unknownLines({ total, unpriced }: CostReport): readonly string[] {
  const models = unpriced.filter(({ name }) => name !== undefined);
  const named = models.slice(0, namedModels).map(({ name, spent }) => {
    return `${modelWords(name)} (${counted(spent.unpriced, 'activation')})`;
  });
  const more = models.length > namedModels ? ` and ${models.length - namedModels} more` : '';
  const nameless = unpriced.find(({ name }) => name === undefined);
  return [
    ...(named.length === 0
      ? []
      : [
          `:warning: no price is known for ${named.join(', ')}${more}: add it under \`prices\` in the fleet file; it counts from then on`,
        ]),
    ...(nameless === undefined
      ? []
      : [
          `:warning: ${counted(nameless.spent.unpriced, 'activation')} told tokens, but no model: the transport chat-completions names none`,
        ]),
    ...(total.untold === 0
      ? []
      : [
          `:warning: ${counted(total.untold, 'activation')} told nothing of what was used: the agent failed or was cut off, or its worker was killed`,
        ]),
  ];
}

function partText(
  title: string,
  { lines, rest }: CostPart,
  words: (name: string | undefined) => string,
): string {
  const line = ({ name, spent }: CostLine): string =>
    `• ${words(name)} · ${costWords(spent)} · ${counted(spent.activations, 'activation')}`;
  const others =
    rest === undefined
      ? []
      : [
          `• and ${rest.count} more · ${costWords(rest.spent)} · ${counted(rest.spent.activations, 'activation')}`,
        ];
  return [`*${title}*`, ...lines.map(line), ...others].join('\n');
}

function budgetLine(state: BudgetState): string {
  const { budget, anewAt } = state;
  const percent = Math.floor((state.spent.microUsd * 100) / state.limitMicroUsd);
  const standing = isUsedUp(state)
    ? `:moneybag: *used up*; it begins anew at ${formatMoment(anewAt)}`
    : percent === 0 && state.spent.microUsd > 0
      ? 'less than 1 %'
      : `${percent} %`;
  return `• ${prose(budget.name, nameChars)} · ${spentWords(state)} · ${standing}`;
}

/** What agents cost in a period. */
export interface CostAnswer {
  readonly report: CostReport;
  readonly period: Period;
  /** What of it was looked at. */
  readonly days: readonly string[];
  /** What it was narrowed down to. */
  readonly selector: string | undefined;
  readonly person: string | undefined;
  /** How they stand now. */
  readonly budgets: readonly BudgetState[];
  readonly doubt: string | undefined;
}

/** The days that are summed up, which are whole ones, whatever was asked for. */
export function coveredWords({ days, period }: Pick<CostAnswer, 'days' | 'period'>): string {
  const [first = period.words] = days;
  return days.length > 1 ? `${first} to ${days.at(-1)}` : first;
}

/** What agents cost, all together and by machine, person, model and day, and how the budgets stand. */
export function costView(answer: CostAnswer): View {
  const { report, budgets } = answer;
  const name = (text: string | undefined): string => `*${prose(text ?? '', nameChars)}*`;
  const parts =
    report.total.activations === 0
      ? []
      : [
          partText('By machine', report.machine, name),
          partText('By who asked', report.spender, (spender) => spenderWords(spender ?? '')),
          partText('By model', report.model, modelWords),
          partText('By day', report.time, (day) => day ?? ''),
        ];
  return viewOf(answer, [
    ...parts,
    ...(budgets.length === 0 ? [] : ['*Budgets*', ...budgets.map(budgetLine)]),
  ]);
}

/** The message over a file that has the rest. */
export function costFileView(answer: CostAnswer): View {
  return viewOf(answer, []);
}

function viewOf(
  { report, period, days, selector, person, doubt }: CostAnswer,
  body: readonly string[],
): View {
  const { total } = report;
  const about = [
    ...(selector === undefined ? [] : [`on ${codeSpan(selector, nameChars)}`]),
    ...(person === undefined ? [] : [`for ${spenderWords(person)}`]),
  ];
  const nothing =
    days.length === 0 ? 'Nothing is known of this time: no sums are kept of it.' : 'No agent was at work.';
  const summary = total.activations === 0 ? nothing : usedWords(total);
  const title = `What the agents cost: ${coveredWords({ days, period })}`;
  const [first] = days;
  const older =
    first !== undefined && period.from < Date.parse(first) ? `: what was before ${first} is not in it` : '';
  return compose({
    text: `${title}: ${total.activations === 0 ? summary : costWords(total)}`,
    head: [
      header(title),
      section([...(about.length > 0 ? [about.join(' ')] : []), summary, ...unknownLines(report)].join('\n')),
    ],
    body,
    tail: [
      context(['whole days, UTC', `sums are kept for ${spendingDaysKept} days${older}`]),
      ...doubtLine(doubt),
    ],
    more: (count) => `${counted(count, 'line')} more are left out: narrow the selector`,
  }).view;
}
