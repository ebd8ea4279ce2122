import { InputError } from '../../fleet/errors.ts';
import { readParams } from '../../fleet/render-action.ts';
import { findVisibleMachine } from '../find-machine.ts';
import { machineHint } from '../machine-hint.ts';
import { noSignerSentences } from '../no-signer.ts';
import { type ActTask, planAction } from '../plan-action.ts';
import { submit } from '../submit.ts';
import { dryRunView } from '../views/dry-run.ts';
import type { View } from '../views/view.ts';
import { type CommandContext, defineCommand, usageError, wordsOf } from './command.ts';

const usage = 'run <machine> <action> [name=value…] [--dry-run]';
const dryRunFlag = '--dry-run';

/** Asks people for an action on one machine; with `--dry-run` only shows what they would be asked. */
export const run = defineCommand({
  name: 'run',
  usage,
  summary: 'ask for a change, which people must approve',
  verb: 'act',
  parse(args) {
    const all = wordsOf(args);
    const dryRun = all.includes(dryRunFlag);
    const [machine, action, ...words] = all.filter((word) => word !== dryRunFlag);
    if (machine === undefined || action === undefined) {
      throw usageError('Which machine, and which action?', usage);
    }
    const read = readParams(words);
    if ('problem' in read) throw usageError(read.problem, usage);
    const task: ActTask = { kind: 'act', action, params: read.params };
    return { machine, task, dryRun };
  },
  async run({ machine, task, dryRun }, context) {
    if (dryRun) return showPlan(machine, task, context);
    const { asker, fleet } = context;
    if (!fleet.machines.has(machine)) {
      throw new InputError(
        `There is no machine \`${machine}\`, and an action is for one machine at a time.${await machineHint(machine, 'act', fleet, asker)}`,
      );
    }
    const { notice } = await submit({ selector: machine, task }, context);
    return notice;
  },
});

/** Stores nothing. For everybody who may view the machine. */
async function showPlan(name: string, task: ActTask, context: CommandContext): Promise<View> {
  const { asker, fleet, origin, services } = context;
  const machine = await findVisibleMachine(name, fleet, asker);
  const now = services.clock();
  const plan = planAction(task, machine, { fleet, requester: asker.requester, origin, now });
  const { denied } = await asker.permission('act', [machine], plan.risk);
  const rules = await asker.explain('act', machine, plan.risk);
  const policy = [...rules, ...(await noSignerSentences(services))];
  const action = fleet.actions.get(task.action);
  return dryRunView(plan, { action, refusal: denied[0]?.reason, policy });
}
