import type { Machine } from '../../fleet/machine.ts';
import { nextBegin } from '../../fleet/maintenance.ts';
import { parseSelector } from '../../fleet/selector.ts';
import { type ReaderMachines, silenceListView } from '../views/silence-list.ts';
import { defineCommand, usageError } from './command.ts';

const usage = 'silences';

/** Lists the silences and maintenance windows of the machines that the person may view. */
export const silences = defineCommand({
  name: 'silences',
  usage,
  summary: 'what is silenced until when, and the next maintenance windows',
  verb: 'view',
  parse(args) {
    if (args !== '') throw usageError('This lists all that you may view.', usage);
  },
  async run(_input, { fleet, asker, services }) {
    const all = [...fleet.machines.values()];
    const visible = new Set((await asker.permission('view', all)).allowed);
    const forReader = (selector: string): readonly ReaderMachines[] => {
      const matched: readonly Machine[] = all.filter(parseSelector(selector));
      const machines = matched.filter((machine) => visible.has(machine));
      return machines.length === 0 ? [] : [{ machines, all: machines.length === matched.length }];
    };
    const now = services.clock();
    const holding = (await services.silences.holding()).flatMap((silence) =>
      forReader(silence.machines).map((each) => ({ ...each, silence })),
    );
    const next = fleet.maintenance.flatMap((window) =>
      forReader(window.machines).flatMap((each) => {
        const begin = nextBegin(window, now);
        return begin === undefined ? [] : [{ ...each, window, begin }];
      }),
    );
    const doubt = (await asker.exclusion()) ?? (await asker.doubt());
    return silenceListView({
      holding: holding.toSorted((a, b) => a.silence.until - b.silence.until),
      next: next.toSorted((a, b) => a.begin - b.begin),
      doubt,
    });
  },
});
