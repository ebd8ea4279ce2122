import { type FleetFileError, StoreUnavailableError } from '../../fleet/errors.ts';
import { holder } from '../../fleet/halt.ts';
import type { Machine } from '../../fleet/machine.ts';
import { silencer } from '../../fleet/silence.ts';
import type { Services } from '../services.ts';
import { type MachineState, type MachineStates, machineListView } from '../views/machine-list.ts';
import { visibleMachines } from '../visible-machines.ts';
import { defineCommand, selectorAndWords, usageError } from './command.ts';

const usage = 'list [selector]';
/** A list of more machines than this comes without their states: each costs a few calls of Redis. */
const machinesLookedUp = 50;
/** How many of a machine's latest runs are looked through for one with a verdict. */
const runsLookedThrough = 2;

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
    const { allowed } = await visibleMachines(selector, fleet, asker);
    const states = await statesOf(allowed, services);
    const doubts = [await asker.doubt(), outdated(services.fleet.invalid()), states.missing].filter(
      (doubt) => doubt !== undefined,
    );
    return machineListView(allowed, states, services.clock(), doubts);
  },
});

/** Told where people look at the fleet, because the file's author may not read the log. */
function outdated(problem: FleetFileError | undefined): string | undefined {
  if (problem === undefined) return undefined;
  const lines = problem.problems.map(({ line }) => line).join(', ');
  return `The fleet file was changed since, but cannot be used (line ${lines}), so this is the one before. Run \`fleetbot validate\` on it.`;
}

/** What is known of the machines, by name; or why that is not told. The list itself does not need the store. */
async function statesOf(
  machines: readonly Machine[],
  services: Services,
): Promise<MachineStates & { readonly missing?: string }> {
  try {
    const halts = (await services.halts.active()).map(holder);
    const halted = new Set(machines.filter((machine) => halts.some((holds) => holds(machine))));
    const silencedBy = silencer(await services.silences.holding(), services.clock());
    const silenced = new Set(machines.filter((machine) => silencedBy(machine) !== undefined));
    if (machines.length > machinesLookedUp) {
      const missing = `Verdicts and quarantines are shown for up to ${machinesLookedUp} machines: narrow the selector.`;
      return { known: new Map(), halted, silenced, missing };
    }
    const states = machines.map(async ({ name }) => [name, await stateOf(name, services)] as const);
    return { known: new Map(await Promise.all(states)), halted, silenced };
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    services.log.warn({ err: error }, 'a list is shown without states');
    const missing = 'The store does not answer, so neither halts, silences nor verdicts are shown.';
    return { known: new Map(), halted: new Set(), silenced: new Set(), missing };
  }
}

async function stateOf(name: string, { requests }: Services): Promise<MachineState> {
  const [record, runs] = await Promise.all([
    requests.machine(name),
    requests.runs({ machine: name, limit: runsLookedThrough }),
  ]);
  return { record, judged: runs.find((run) => run.verdict !== undefined) };
}
