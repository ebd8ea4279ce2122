import { allSchedules } from '../../fleet/all-schedules.ts';
import { InputError, NotAllowedError } from '../../fleet/errors.ts';
import type { Fleet } from '../../fleet/fleet.ts';
import type { Machine } from '../../fleet/machine.ts';
import type { Schedule } from '../../fleet/schedule.ts';
import { parseSelector } from '../../fleet/selector.ts';
import { suggest } from '../../fleet/suggest.ts';
import { schedulesMax } from '../../fleet/time-rules.ts';
import { deniedAll, deniedMachines } from '../denied.ts';
import { readSchedule, type ScheduleWords } from '../read-schedule.ts';
import { selectFor, withCheck, withoutSecrets } from '../submit.ts';
import { noticeView } from '../views/notice.ts';
import { scheduleAddedView, scheduleListView } from '../views/schedules.ts';
import type { View } from '../views/view.ts';
import { type CommandContext, defineCommand, usageError, wordsOf } from './command.ts';

const addUsage = 'schedule add <name> <selector> <check> "<cron>" [time zone]';
const usage = `${addUsage} | list | remove <name>`;
const removeUsage = 'schedule remove <name>';

type Words =
  | { readonly kind: 'list' }
  | { readonly kind: 'remove'; readonly name: string }
  | ({ readonly kind: 'add' } & ScheduleWords);

/** Sets up what is asked again and again, lists it, and ends it. */
export const schedule = defineCommand({
  name: 'schedule',
  usage,
  summary: 'check something again and again, with one digest each time',
  verb: 'check',
  parse: readWords,
  async run(words, context) {
    switch (words.kind) {
      case 'list':
        return list(context);
      case 'add':
        return add(words, context);
      case 'remove':
        return remove(words.name, context);
    }
  },
});

function readWords(args: string): Words {
  const [, word = 'list', rest = ''] = /^(\S+) ?(.*)$/.exec(args) ?? [];
  const names = wordsOf(rest);
  switch (word.toLowerCase()) {
    case 'list':
      if (names.length > 0) throw usageError('The list takes nothing more.', 'schedule list');
      return { kind: 'list' };
    case 'add':
      return { kind: 'add', ...readSchedule(rest, addUsage) };
    case 'remove': {
      const [name, ...more] = names;
      if (name === undefined || more.length > 0) throw usageError('Which one?', removeUsage);
      return { kind: 'remove', name: name.toLowerCase() };
    }
    default:
      throw usageError(`\`${word}\` is nothing that can be done with schedules.`, usage);
  }
}

/** Whoever sets one up must have the verb on all machines that it is for now; at each time it is decided anew. */
async function add(words: ScheduleWords, context: CommandContext): Promise<View> {
  const { fleet, asker, origin, eventId, services } = context;
  const { name, selector, cron, timeZone } = words;
  if (fleet.schedules.some((entry) => entry.name === name)) throw ofTheFile(name);
  const task = withoutSecrets(words.task, services.redact);
  const machines = await selectFor(selector, fleet, asker, task);
  const { allowed, denied } = await asker.permission(task.kind, machines);
  if (allowed.length === 0) throw await deniedAll({ verb: task.kind, selector, denied }, fleet, asker);
  const forbidden = await deniedMachines(denied, asker);
  if (forbidden !== undefined) {
    throw new NotAllowedError(
      `A schedule needs \`${task.kind}\` on all machines that \`${selector}\` matches. You may not: ${forbidden} Narrow the selector.`,
    );
  }
  if (task.kind === 'check') withCheck(task.check, machines);
  const hindered = await services.membership.obstacle(origin.channel);
  if (hindered !== undefined) throw new InputError(hindered);

  const now = services.clock();
  const by = asker.requester;
  const wanted: Schedule = {
    ...{ name, machines: selector, task, cron, timeZone, jitterSeconds: 0 },
    ...{ channel: origin.channel, by, since: now },
  };
  const outcome = await services.schedules.add(wanted, by, eventId);
  if (outcome === 'changed') {
    throw new InputError(
      `There is a schedule \`${name}\` already. Take another name, or end that one with \`/fleet schedule remove ${name}\`.`,
    );
  }
  if (outcome === 'full') {
    throw new InputError(`There are ${schedulesMax} schedules already. \`/fleet schedule list\` shows them.`);
  }
  return scheduleAddedView(wanted, machines.length, now);
}

/** Those on whose machines the person may view everything, and their own. */
async function list(context: CommandContext): Promise<View> {
  const { fleet, asker, services } = context;
  const all = allSchedules(fleet.schedules, await services.schedules.setUp());
  const visible: Schedule[] = [];
  for (const each of all) {
    const machines = machinesOf(each, fleet);
    const { denied } = await asker.permission('view', machines);
    if (isOwn(each, context) || (machines.length > 0 && denied.length === 0)) visible.push(each);
  }
  return scheduleListView(visible, all.length - visible.length, services.clock(), await asker.doubt());
}

async function remove(name: string, context: CommandContext): Promise<View> {
  const { fleet, asker, eventId, services } = context;
  const setUp = await services.schedules.setUp();
  const found = setUp.find((each) => each.name === name);
  if (found === undefined) {
    if (fleet.schedules.some((entry) => entry.name === name)) throw ofTheFile(name);
    const own = setUp.filter((each) => isOwn(each, context)).map((each) => each.name);
    const meant = suggest(name, own);
    const hint = meant === undefined ? '`/fleet schedule list` shows them.' : `Did you mean \`${meant}\`?`;
    throw new InputError(`There is no schedule \`${name}\`. ${hint}`);
  }
  if (!isOwn(found, context)) {
    const matched = machinesOf(found, fleet);
    // Of one that is for no machine any more, whoever may do it everywhere.
    const { denied } = await asker.permission(
      found.task.kind,
      matched.length > 0 ? matched : [...fleet.machines.values()],
    );
    if (denied.length > 0) {
      const doubt = await asker.doubt();
      throw new NotAllowedError(
        `The schedule \`${name}\` can be removed by whoever set it up, and by people who may \`${found.task.kind}\` all of its machines. ${doubt ?? ''}`.trim(),
      );
    }
  } else {
    const excluded = await asker.exclusion();
    if (excluded !== undefined) throw new NotAllowedError(excluded);
  }
  const outcome = await services.schedules.remove(found, asker.requester, eventId);
  const text =
    outcome === 'saved'
      ? `The schedule \`${name}\` is removed. What it started goes on.`
      : `The schedule \`${name}\` was removed or set up anew by somebody else meanwhile. \`/fleet schedule list\` shows what there is.`;
  return noticeView({ text, kind: outcome === 'saved' ? 'info' : 'warning' });
}

function isOwn({ by }: Schedule, { asker }: CommandContext): boolean {
  return by !== undefined && by.userId === asker.userId && by.teamId === asker.teamId;
}

function machinesOf({ machines }: Schedule, fleet: Fleet): readonly Machine[] {
  return [...fleet.machines.values()].filter(parseSelector(machines));
}

function ofTheFile(name: string): InputError {
  return new InputError(
    `The schedule \`${name}\` is in the fleet file: whoever maintains that changes it there. Set up one of another name here.`,
  );
}
