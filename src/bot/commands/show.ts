import { actionsOf } from '../../fleet/actions-of.ts';
import { usedUpOn } from '../../fleet/budget-state.ts';
import { haltOf } from '../../fleet/halt.ts';
import type { Machine } from '../../fleet/machine.ts';
import { lastDays } from '../../fleet/period.ts';
import { silenceFor } from '../../fleet/silence.ts';
import { daysOf, sumOf } from '../../fleet/spending.ts';
import { findVisibleMachine } from '../find-machine.ts';
import type { Halts } from '../ports.ts';
import type { Services } from '../services.ts';
import { type HaltedState, type MachineCosts, machineDetailView } from '../views/machine-detail.ts';
import { defineCommand, usageError, wordsOf } from './command.ts';

const usage = 'show <machine>';
const shownRuns = 5;
/** How many runs its trend is made of. */
const trendRuns = 30;
/** Of how many days it is told what the agent cost. */
const costDays = [7, 30] as const;

/** Shows one machine: what is expected of it, what it is doing and its latest runs. */
export const show = defineCommand({
  name: 'show',
  usage,
  summary: 'one machine: what it is doing, its checks, latest runs and their trend, and what its agent cost',
  verb: 'view',
  parse(args) {
    const [machine, ...more] = wordsOf(args);
    if (machine === undefined) throw usageError('Which machine?', usage);
    if (more.length > 0) throw usageError('One machine at a time.', usage);
    return { machine };
  },
  async run({ machine: name }, { fleet, asker, services }) {
    const { requests, halts, silences, budgets, clock } = services;
    const machine = await findVisibleMachine(name, fleet, asker);
    const now = clock();
    const [record, runs, halted, holding, costs, states] = await Promise.all([
      requests.machine(machine.name),
      requests.runs({ machine: machine.name, limit: trendRuns }),
      haltedState(machine, halts),
      silences.holding(machine),
      costsOf(machine, services, now),
      budgets.states(),
    ]);
    const silence = silenceFor(holding, machine, now);
    return machineDetailView(machine, record, runs.slice(0, shownRuns), now, {
      ...{ actions: actionsOf(fleet, machine), halted, silence, costs, trend: runs },
      usedUp: usedUpOn(states, machine),
    });
  },
});

/** What its agent cost in the last days. */
async function costsOf(machine: Machine, { spending }: Services, now: number): Promise<MachineCosts> {
  return Promise.all(
    costDays.map(async (days) => {
      const rows = await spending.rows(daysOf(lastDays(days, now), now), machine.name);
      return { days, spent: sumOf(rows) };
    }),
  );
}

async function haltedState(machine: Machine, halts: Halts): Promise<HaltedState | undefined> {
  const halt = haltOf(await halts.active(), machine);
  if (halt === undefined) return undefined;
  const found = await halts.halt(halt.id);
  return { halt, member: found?.members.get(machine.name) };
}
