import type { Fleet } from '../../fleet/fleet.ts';
import { personBehind } from '../../fleet/requester.ts';
import type { Run } from '../../fleet/run.ts';
import type { Asker } from '../people.ts';
import { approvalListView, type ListedApproval } from '../views/approval-list.ts';
import { type AskingRun, hasAsked } from '../views/approval-words.ts';
import { type CommandContext, defineCommand, usageError } from './command.ts';

const usage = 'approvals';
/** How many questions that wait are looked through for the person's. */
const searched = 200;
/** Shown of each kind; the link to each costs a call of Redis. */
const shown = 20;

/** Lists what waits for the person to decide, then what they asked for themselves. */
export const approvals = defineCommand({
  name: 'approvals',
  usage,
  summary: 'what waits for you to decide, and what you asked for',
  verb: 'view',
  parse(args) {
    if (args !== '') throw usageError('This lists what waits for you.', usage);
  },
  async run(_input, context) {
    const { asker, fleet, services } = context;
    const waiting = (await services.approvals.waiting(searched)).filter(isWaiting);
    const mine = waiting.filter(
      ({ approval }) => personBehind(approval.question.requester)?.userId === asker.userId,
    );
    const decidable = await decidableOf(waiting, fleet, asker);
    const [toDecide, asked] = await Promise.all([linked(decidable, context), linked(mine, context)]);
    const doubts = (await asker.exclusion()) ?? (await asker.doubt());
    return approvalListView({ toDecide, asked, now: services.clock(), doubt: doubts });
  },
});

function isWaiting(run: Run): run is AskingRun {
  return hasAsked(run) && run.approval.state === 'waiting';
}

async function decidableOf(
  waiting: readonly AskingRun[],
  fleet: Fleet,
  asker: Asker,
): Promise<readonly AskingRun[]> {
  const may = await Promise.all(
    waiting.map(async ({ approval: { question, votes } }) => {
      const machine = fleet.machines.get(question.machine);
      const decided = votes.some(({ decision }) => decision.by.userId === asker.userId);
      return (
        machine !== undefined && !decided && (await asker.mayDecide(machine, question, 'approve')).allowed
      );
    }),
  );
  return waiting.filter((_run, index) => may[index]);
}

function linked(runs: readonly AskingRun[], { services }: CommandContext): Promise<ListedApproval[]> {
  return Promise.all(
    runs.slice(0, shown).map(async (run) => ({ run, card: await services.threads.card(run) })),
  );
}
