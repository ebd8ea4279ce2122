import type { Logger } from 'pino';
import { allSchedules } from '../fleet/all-schedules.ts';
import type { LeftOut } from '../fleet/campaign.ts';
import { dueOccurrence } from '../fleet/due-occurrence.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Schedule, ScheduleState } from '../fleet/schedule.ts';
import { parseSelector } from '../fleet/selector.ts';
import type { Duty } from './create-dispatcher.ts';
import type { HandedIn, HandInWish } from './hand-in.ts';
import type { Clock, CurrentFleet, MayAsk, Schedules } from './ports.ts';

export interface SchedulesDutyOptions {
  readonly fleet: CurrentFleet;
  readonly schedules: Schedules;
  readonly mayAsk: MayAsk;
  /** See `hand-in.ts`. */
  readonly handIn: (wish: HandInWish) => Promise<HandedIn>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How often schedules are looked at: working out their times is not for nothing, and they are minutes apart. */
const lookIntervalMs = 5_000;

/**
 * How often Slack is asked what somebody may whose schedule is due, while it does not answer, and after which pause: for
 * 10 minutes. Then the machines are left out, and that is told.
 */
export const rightsAskedAtMost = 20;
const rightsPauseMs = 30_000;

/** How often one schedule may ask in a minute: its times are a minute apart, and one may be caught up. */
const requestsPerMinute = 4;

/**
 * Hands in what schedules ask for when it is due: each of their times once, whatever happens in between, because its
 * event id is accepted once. Of those that were missed it is the newest.
 */
export function schedulesDuty(options: SchedulesDutyOptions): Duty {
  const { fleet, schedules, clock } = options;
  const doubts: Doubts = new Map();
  let lookedAt = Number.NaN;
  return {
    name: 'schedules',
    async run(signal) {
      const now = clock();
      // Also where the clock was set back.
      if (Math.abs(now - lookedAt) < lookIntervalMs) return;
      lookedAt = now;
      const current = fleet();
      const all = allSchedules(current.schedules, await schedules.setUp());
      const states = await schedules.states();
      const failures: unknown[] = [];
      for (const schedule of all) {
        if (signal.aborted) return;
        // One that cannot be handed in keeps no other one waiting.
        const known = states.get(schedule.name);
        await look(schedule, known, current, { ...options, doubts }).catch((error: unknown) => {
          failures.push(error);
        });
      }
      const names = new Set(all.map(({ name }) => name));
      // Where it comes back one day, what was due in between is not caught up.
      for (const [name, state] of states) {
        if (!names.has(name)) await schedules.saveState(name, state, undefined);
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}

/**
 * Schedules that are due and of which Slack did not say what their person may: how often it was asked, and when last.
 * Another leader begins anew.
 */
type Doubts = Map<string, { readonly asked: number; readonly at: number }>;

/** Does what is due of one schedule. */
async function look(
  schedule: Schedule,
  known: ScheduleState | undefined,
  fleet: Fleet,
  options: SchedulesDutyOptions & { readonly doubts: Doubts },
): Promise<void> {
  const { schedules, clock, log } = options;
  const { name, cron, timeZone } = schedule;
  const now = clock();
  let state = known;
  if (state?.cron !== cron || state.timeZone !== timeZone) {
    state = {
      cron,
      timeZone,
      since: now,
      ...(known?.campaign !== undefined && { campaign: known.campaign }),
    };
    if (!(await schedules.saveState(name, known, state))) return;
  }
  const since = schedule.since ?? state.since;
  const occurrence = dueOccurrence({ ...schedule, since }, state.handled, now);
  if (occurrence === undefined) return;
  const rights = await rightsOf(schedule, fleet, options);
  if (rights === undefined) return;
  const wish = wishOf(schedule, occurrence, state.campaign, rights);
  const { campaign = state.campaign, runs, duplicate } = await options.handIn(wish);
  if (!duplicate)
    log.info({ schedule: name, occurrence, campaign, runs: runs.size }, 'a schedule was handed in');
  await schedules.saveState(name, state, {
    ...{ ...state, handled: occurrence },
    ...(campaign !== undefined && { campaign }),
  });
}

/** The machines that a schedule is for now. */
interface Rights {
  readonly allowed: readonly Machine[];
  readonly leftOut: readonly LeftOut[];
}

/** What the person who set it up may now; undefined where Slack does not say, and is asked again. */
async function rightsOf(
  { name, machines: selector, task, by }: Schedule,
  fleet: Fleet,
  { mayAsk, clock, log, doubts }: SchedulesDutyOptions & { readonly doubts: Doubts },
): Promise<Rights | undefined> {
  const selected = [...fleet.machines.values()].filter(parseSelector(selector));
  if (by === undefined) return { allowed: selected, leftOut: [] };
  const { asked = 0, at = Number.NaN } = doubts.get(name) ?? {};
  const now = clock();
  if (Math.abs(now - at) < rightsPauseMs) return undefined;
  const { allowed, why, isCertain } = await mayAsk(by, task.kind, selected);
  if (!isCertain && asked + 1 < rightsAskedAtMost) {
    if (asked === 0)
      log.warn({ schedule: name }, 'a schedule is due and waits: Slack does not say what its person may');
    doubts.set(name, { asked: asked + 1, at: now });
    return undefined;
  }
  doubts.delete(name);
  const may = new Set(allowed);
  const others = selected.filter((machine) => !may.has(machine));
  return { allowed, leftOut: others.map((machine) => ({ machine: machine.name, why })) };
}

/** What one time of a schedule asks for. */
function wishOf(
  { name, machines: selector, task, channel, by }: Schedule,
  occurrence: number,
  previous: string | undefined,
  { allowed, leftOut }: Rights,
): HandInWish {
  return {
    ...{ task, machines: allowed, selector, leftOut },
    requester: { kind: 'schedule', schedule: name, ...(by && { by }) },
    origin: { channel },
    eventId: `schedule:${name}:${occurrence}`,
    ...(previous !== undefined && { previous }),
    alwaysCampaign: true,
    requestsPerMinute,
  };
}
