import { findVisibleMachine } from '../find-machine.ts';
import { machineDetailView } from '../views/machine-detail.ts';
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
  async run({ machine: name }, { fleet, asker, services: { requests, clock } }) {
    const machine = await findVisibleMachine(name, fleet, asker);
    const [record, runs] = await Promise.all([
      requests.machine(machine.name),
      requests.runs({ machine: machine.name, limit: shownRuns }),
    ]);
    return machineDetailView(machine, record, runs, clock());
  },
});
