import type { Run } from '../../fleet/run.ts';
import { findVisibleMachine } from '../find-machine.ts';
import { runListView } from '../views/run-list.ts';
import { type CommandContext, defineCommand, usageError, wordsOf } from './command.ts';

const usage = 'runs [machine]';
const shownRuns = 10;
/** How many of all machines' runs are looked through for those that the person may view. */
const searchedRuns = 200;

/** Lists the latest runs, of one machine or of all that the person may view. */
export const runs = defineCommand({
  name: 'runs',
  usage,
  summary: 'the latest runs',
  verb: 'view',
  parse(args) {
    const [machine, ...more] = wordsOf(args);
    if (more.length > 0) throw usageError('One machine at a time.', usage);
    return { machine };
  },
  async run({ machine }, context) {
    const { services, fleet, asker } = context;
    if (machine === undefined) {
      const visible = await visibleRuns(context);
      return runListView(visible, services.clock(), {
        none: 'There are none that you may view.',
        doubt: await asker.doubt(),
      });
    }
    const { name } = await findVisibleMachine(machine, fleet, asker);
    const latest = await services.requests.runs({ machine: name, limit: shownRuns });
    return runListView(latest, services.clock(), { none: 'No runs yet.' });
  },
});

async function visibleRuns({ services, fleet, asker }: CommandContext): Promise<readonly Run[]> {
  const latest = await services.requests.runs({ limit: searchedRuns });
  const names = [...new Set(latest.map((run) => run.request.machine))];
  const { allowed } = await asker.permission(
    'view',
    names.flatMap((name) => fleet.machines.get(name) ?? []),
  );
  const visible = new Set(allowed.map((machine) => machine.name));
  return latest.filter((run) => visible.has(run.request.machine)).slice(0, shownRuns);
}
