import { actionsOf } from '../../fleet/actions-of.ts';
import { haltOf } from '../../fleet/halt.ts';
import type { Machine } from '../../fleet/machine.ts';
import { silenceFor } from '../../fleet/silence.ts';
import { findVisibleMachine } from '../find-machine.ts';
import type { Halts } from '../ports.ts';
import { type HaltedState, machineDetailView } from '../views/machine-detail.ts';
import { defineCommand, usageError, wordsOf } from './command.ts';

const usage = 'show <machine>';
const shownRuns = 5;

/** Shows one machine: what is expected of it, what it is doing and its latest runs. */
export const show = defineCommand({
  name: 'show',
  usage,
  summary: 'one machine: what it is doing, its checks and latest runs',
  verb: 'view',
  parse(args) {
    const [machine, ...more] = wordsOf(args);
    if (machine === undefined) throw usageError('Which machine?', usage);
    if (more.length > 0) throw usageError('One machine at a time.', usage);
    return { machine };
  },
  async run({ machine: name }, { fleet, asker, services: { requests, halts, silences, clock } }) {
    const machine = await findVisibleMachine(name, fleet, asker);
    const [record, runs, halted, holding] = await Promise.all([
      requests.machine(machine.name),
      requests.runs({ machine: machine.name, limit: shownRuns }),
      haltedState(machine, halts),
      silences.holding(machine),
    ]);
    const now = clock();
    const silence = silenceFor(holding, machine, now);
    return machineDetailView(machine, record, runs, now, {
      ...{ actions: actionsOf(fleet, machine), halted, silence },
    });
  },
});

async function haltedState(machine: Machine, halts: Halts): Promise<HaltedState | undefined> {
  const halt = haltOf(await halts.active(), machine);
  if (halt === undefined) return undefined;
  const found = await halts.halt(halt.id);
  return { halt, member: found?.members.get(machine.name) };
}
