import { NotAllowedError } from '../../fleet/errors.ts';
import { checkNamesOf } from '../names-of.ts';
import { helpView, nothingAllowedView } from '../views/help.ts';
import { type Command, type CommandContext, defineCommand } from './command.ts';

/** Lists the commands that the person has the verb for on at least one machine, and itself. */
export const help = defineCommand({
  name: 'help',
  usage: 'help',
  summary: 'what you can type',
  verb: undefined,
  parse: () => undefined,
  async run(_input, context) {
    const excluded = await context.asker.exclusion();
    if (excluded !== undefined) throw new NotAllowedError(excluded);
    const allowed = await commandsFor(context);
    const checkable = await context.asker.permission('check', [...context.fleet.machines.values()]);
    const doubt = await context.asker.doubt();
    if (allowed.some(({ verb }) => verb !== undefined)) {
      return helpView(allowed, checkNamesOf(checkable.allowed), doubt);
    }
    if (doubt !== undefined) throw new NotAllowedError(doubt);
    return nothingAllowedView(context.asker.userId);
  },
});

async function commandsFor({ asker, commands }: CommandContext): Promise<readonly Command[]> {
  const allowed = await Promise.all(
    commands.map(async ({ verb }) => verb === undefined || (await asker.mayAnywhere(verb))),
  );
  return commands.filter((_command, index) => allowed[index]);
}
