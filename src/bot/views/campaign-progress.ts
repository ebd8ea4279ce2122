import type { Campaign } from '../../fleet/campaign.ts';
import { endsOf, handedInOf, waitingOf } from '../../fleet/campaign-step.ts';
import { formatMoment } from '../../fleet/format.ts';
import type { CampaignMember } from '../ports.ts';
import { mention, prose } from './safe-text.ts';

const whyChars = 600;
/** Before so many are done, their pace says nothing. */
const paceMachines = 5;
const paceMs = 10_000;
/** Less than this is over before it is read. */
const worthTellingMs = 30_000;

const minuteMs = 60_000;

const machines = (count: number) => (count === 1 ? '1 machine' : `${count} machines`);

/** How far a campaign is. */
export interface Progress {
  /** Machines that have a run, will get one, or would have got one had nobody ended it. */
  readonly all: number;
  readonly done: number;
  readonly queued: number;
  readonly asking: number;
  /** Machines that wait for their wave, or for others to be done. */
  readonly waiting: number;
  /** Machines that waited when somebody ended it: they get no run. */
  readonly unbegun: number;
  /** Nothing more comes of it. */
  readonly isOver: boolean;
}

export function progressOf(campaign: Campaign, members: readonly CampaignMember[]): Progress {
  const count = (state: CampaignMember['state']) => members.filter((member) => member.state === state).length;
  const left = waitingOf(campaign).length;
  const [waiting, unbegun] = campaign.ended === undefined ? [left, 0] : [0, left];
  const done = count('done');
  return {
    all: members.length + left,
    ...{ done, queued: count('queued'), asking: count('awaiting'), waiting, unbegun },
    isOver: waiting === 0 && done === members.length,
  };
}

/** How many are done, and how long the rest takes at the pace so far. */
export function progressLine(progress: Progress, leftMs: number | undefined): string {
  const { all, done, queued, asking, waiting, unbegun } = progress;
  const never = unbegun === 0 ? '' : `, ${unbegun} not begun`;
  if (progress.isOver) {
    if (all === 0) return ':checkered_flag: no machine was asked';
    return `:checkered_flag: ${unbegun === 0 ? `all ${all}` : `${done} of ${all}`} machines done${never}`;
  }
  const atWork = all - done - queued - asking - waiting - unbegun;
  const waits = waiting === 0 ? '' : `, ${waiting} waiting`;
  const left = leftMs === undefined ? '' : ` · about ${roughly(leftMs)} left at this pace`;
  return `:hourglass_flowing_sand: ${done} of ${all} machines done, ${atWork} at work, ${queued} queued${waits}${never}${left}`;
}

/**
 * How long the rest takes at the pace so far, in ms; of a campaign that somebody continued the pace since then.
 * Undefined where it would be a guess: too few are done, it stands still, or people have to go on.
 */
export function timeLeftMs(
  campaign: Campaign,
  members: readonly CampaignMember[],
  now: number,
): number | undefined {
  const progress = progressOf(campaign, members);
  if (progress.isOver || campaign.stopped !== undefined) return undefined;
  const last = campaign.continued?.at(-1);
  const before = new Set(
    last === undefined ? [] : campaign.machines.slice(0, endsOf(campaign)[last.wave] ?? 0),
  );
  const done = members.filter(({ state, machine }) => state === 'done' && !before.has(machine)).length;
  const tookMs = now - (last?.at ?? campaign.acceptedAt);
  if (done < paceMachines || tookMs < paceMs) return undefined;
  const left = progress.all - progress.done - progress.asking - progress.unbegun;
  const leftMs = (left * tookMs) / done;
  return leftMs < worthTellingMs ? undefined : leftMs;
}

/** In full minutes: more would promise what nobody knows. */
function roughly(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / minuteMs));
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/** Which wave it is in, who let it go on, and why it does not; none of a campaign in one wave that nobody ended. */
export function waveLines(campaign: Campaign): readonly string[] {
  const { stopped, ended, continued = [], atOnce } = campaign;
  const ends = endsOf(campaign);
  const waiting = waitingOf(campaign).length;
  const wave = ends.findIndex((end) => end >= handedInOf(campaign));
  const size = (ends[wave] ?? 0) - (ends[wave - 1] ?? 0);
  const at = atOnce === undefined ? '' : ` · ${atOnce} at once`;
  return [
    ...(ends.length > 1
      ? [`wave ${wave + 1} of ${ends.length}: ${machines(size)}${at}`]
      : waiting > 0 && atOnce !== undefined
        ? [`${atOnce} at once`]
        : []),
    ...(stopped === undefined || ended !== undefined
      ? []
      : [
          `:octagonal_sign: *stopped after wave ${stopped.wave + 1}*, because not all of it was ok: ${prose(stopped.why, whyChars)}. ${machines(waiting)} wait until somebody continues.`,
        ]),
    ...continued
      .slice(-1)
      .map(
        (last) =>
          `:arrow_forward: continued after wave ${last.wave + 1} by ${mention(last.by.userId)} at ${formatMoment(last.at)}`,
      ),
    ...(ended === undefined
      ? []
      : [
          `:no_entry_sign: *ended* by ${mention(ended.by.userId)} at ${formatMoment(ended.at)}: ${machines(waiting)} got no run`,
        ]),
  ];
}
