import { costFileHead, costFileLine } from '../../fleet/cost-files.ts';
import { CostSums } from '../../fleet/cost-report.ts';
import { InputError } from '../../fleet/errors.ts';
import type { Fleet } from '../../fleet/fleet.ts';
import { formatCount } from '../../fleet/format.ts';
import { parseSelector, selectAll } from '../../fleet/selector.ts';
import { daysOf, type SpendingRow } from '../../fleet/spending.ts';
import { inTurns } from '../in-turns.ts';
import { scopeHint } from '../scope-hint.ts';
import { sendRows } from '../send-rows.ts';
import type { Services } from '../services.ts';
import { type CostAnswer, costFileView, costView, coveredWords } from '../views/cost.ts';
import { visibleMachines } from '../visible-machines.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { readFileFlags, readScope, type Scope } from './read-scope.ts';

const usage = 'cost [selector] [person] [period] [--csv | --json]';
const defaultDays = 30;
/** How many lines each part of the answer has. */
const shown = { machine: 10, spender: 10, model: 5, time: 7 };
/** A file of more rows would be too much for Slack, and for people. */
const fileRowsMax = 100_000;

/** Tells what the agents of machines cost that the person may view. */
export const cost = defineCommand({
  name: 'cost',
  usage,
  summary: 'what the agents cost, by machine, person, model and day, and how the budgets stand',
  verb: 'view',
  parse: (args) => readFileFlags(args, usage),
  async run({ words, format }, context) {
    const { fleet, asker, services } = context;
    const scope = readScope(words, { usage, days: defaultDays }, context);
    const days = daysOf(scope.period, services.clock());
    const { isMeant, isVisible } = await filterFor(scope, context);
    const sums = new CostSums();
    const rows: SpendingRow[] = [];
    for (const day of days) {
      const some = (await services.spending.rows([day])).filter(isMeant);
      sums.add(some);
      if (format === undefined) continue;
      for (const row of some) rows.push(row);
      if (rows.length > fileRowsMax) throw tooMany;
    }
    const answer: CostAnswer = {
      ...{ ...scope, report: sums.report(shown), days },
      budgets: await budgetsAbout(fleet, isVisible, services),
      doubt: await asker.doubt(),
    };
    if (format === undefined || rows.length === 0) return costView(answer);

    const lines = [costFileHead(format)];
    for await (const row of inTurns(rows)) lines.push(costFileLine(row, format));
    const file = {
      name: `cost-${days[0]}-to-${days.at(-1)}`,
      title: `What the agents cost, ${coveredWords(answer)}`,
      content: lines.join(''),
      ...{ format, rows: rows.length },
    };
    return sendRows(asker.userId, costFileView(answer), file, services);
  },
});

const tooMany = new InputError(
  `That would be more than ${formatCount(fileRowsMax)} rows. Ask for a shorter period, or for fewer machines.`,
);

/** What of all sums is asked for, and may be told. */
async function filterFor({ selector, person }: Scope, { fleet, asker }: CommandContext) {
  const { allowed, denied } = await visibleMachines(selector, fleet, asker, (typed) =>
    scopeHint(typed, fleet, asker),
  );
  const visible = new Set(allowed.map(({ name }) => name));
  const isVisible = (machine: string): boolean => visible.has(machine);
  // Nobody can be allowed a machine that the file no longer has.
  const seesAll = selector === undefined && denied.length === 0;
  const isMeant = ({ machine, spender }: SpendingRow): boolean =>
    (isVisible(machine) || (seesAll && !fleet.machines.has(machine))) &&
    (person === undefined || spender === person);
  return { isVisible, isMeant };
}

/** How the budgets stand all of whose machines are asked for and may be viewed: others would tell of more. */
async function budgetsAbout(fleet: Fleet, isVisible: (machine: string) => boolean, { budgets }: Services) {
  const machines = [...fleet.machines.values()];
  return (await budgets.states()).filter(({ budget: { machines: selector = selectAll } }) =>
    machines.filter(parseSelector(selector)).every(({ name }) => isVisible(name)),
  );
}
