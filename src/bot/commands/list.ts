import { InputError, NotAllowedError } from '../../fleet/errors.ts';
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
  async run({ selector }, { fleet, asker }) {
    const machines = selector === undefined ? [...fleet.machines.values()] : selectMachines(fleet, selector);
    const { allowed, denied } = await asker.permission('view', machines);
    const [denial] = denied;
    if (allowed.length > 0) return machineListView(allowed, await asker.doubt());
    if (denial !== undefined) throw new NotAllowedError(denial.reason);
    throw new InputError(
      selector === undefined
        ? 'The fleet file has no machines yet.'
        : `No machine matches \`${selector}\`. \`/fleet list\` shows all that you may view.`,
    );
  },
});
