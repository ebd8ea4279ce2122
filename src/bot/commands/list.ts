import { type FleetFileError, InputError, NotAllowedError } from '../../fleet/errors.ts';
import { selectMachines } from '../../fleet/selector.ts';
import { machineListView } from '../views/machine-list.ts';
import { defineCommand, selectorAndWords, usageError } from './command.ts';

const usage = 'list [selector]';

/** Lists the machines that the person may view. */
export const list = defineCommand({
  name: 'list',
  usage,
  summary: 'the machines that you may view',
  verb: 'view',
  parse(args) {
    const [selector, ...more] = selectorAndWords(args, usage);
    if (more.length > 0) throw usageError('One selector at a time.', usage);
    return { selector };
  },
  async run({ selector }, { fleet, asker, services }) {
    const machines = selector === undefined ? [...fleet.machines.values()] : selectMachines(fleet, selector);
    const { allowed, denied } = await asker.permission('view', machines);
    const [denial] = denied;
    const doubts = [await asker.doubt(), outdated(services.fleet.invalid())].filter(
      (doubt) => doubt !== undefined,
    );
    if (allowed.length > 0) return machineListView(allowed, doubts);
    if (denial !== undefined) throw new NotAllowedError(denial.reason);
    throw new InputError(
      selector === undefined
        ? 'The fleet file has no machines yet.'
        : `No machine matches \`${selector}\`. \`/fleet list\` shows all that you may view.`,
    );
  },
});

/** Told where people look at the fleet, because the file's author may not read the log. */
function outdated(problem: FleetFileError | undefined): string | undefined {
  if (problem === undefined) return undefined;
  const lines = problem.problems.map(({ line }) => line).join(', ');
  return `The fleet file was changed since, but cannot be used (line ${lines}), so this is the one before. Run \`fleetbot validate\` on it.`;
}
