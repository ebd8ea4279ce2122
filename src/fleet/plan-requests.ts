import type { Campaign, LeftOut } from './campaign.ts';
import type { Machine } from './machine.ts';
import type { Origin, Request, Task } from './request.ts';
import type { Requester } from './requester.ts';
import { type WaveSize, waveEnds } from './waves.ts';

/** One task for some machines, as somebody asked for it. */
export interface Wanted {
  readonly task: Task;
  /** In the order in which they are taken. */
  readonly machines: readonly Machine[];
  /** How people would name these machines. */
  readonly selector: string;
  readonly requester: Requester;
  readonly origin: Origin;
  readonly eventId: string;
  /** Absent: all machines at once. */
  readonly waves?: readonly WaveSize[] | undefined;
  readonly atOnce?: number | undefined;
  /** Machines that were meant and get no run. */
  readonly leftOut?: readonly LeftOut[] | undefined;
  /** The campaign of the same schedule before this one. */
  readonly previous?: string | undefined;
  /** One machine, or none, is a campaign, too. */
  readonly alwaysCampaign?: boolean | undefined;
}

/** What is stored at once, all of it or nothing. */
export interface PlannedRequests {
  readonly requests: readonly Request[];
  readonly campaign?: Campaign;
}

/**
 * The requests of the first wave, as far as they may be at work at once, and the campaign that hands in the others.
 * One machine is no campaign.
 */
export function planRequests(
  wanted: Wanted,
  newCampaignId: () => string,
  acceptedAt: number,
): PlannedRequests {
  const { task, machines, selector, requester, origin, eventId, atOnce, previous } = wanted;
  const names = machines.map(({ name }) => name);
  if (names.length === 1 && wanted.alwaysCampaign !== true) {
    return { requests: names.map((machine) => ({ eventId, machine, task, requester, origin, acceptedAt })) };
  }
  const waves = wanted.waves && waveEnds(wanted.waves, names.length);
  const first = Math.min(waves?.[0] ?? names.length, atOnce ?? names.length);
  const leftOut = wanted.leftOut ?? [];
  const campaign: Campaign = {
    ...{ id: newCampaignId(), selector, task, requester, origin, machines: names, acceptedAt },
    ...(waves && { waves: [...waves] }),
    ...(atOnce !== undefined && { atOnce }),
    ...(first < names.length && { handedIn: first }),
    ...(leftOut.length > 0 && { leftOut: [...leftOut] }),
    ...(previous !== undefined && { previous }),
  };
  return { requests: requestsOf(campaign, names.slice(0, first), eventId, acceptedAt), campaign };
}

/** Requests for machines of the campaign. The event id is of this hand-in: each is accepted once. */
export function requestsOf(
  { id, task, requester, origin }: Campaign,
  machines: readonly string[],
  eventId: string,
  acceptedAt: number,
): readonly Request[] {
  return machines.map((machine) => ({
    ...{ eventId, machine, task, requester, origin, campaign: id, acceptedAt },
  }));
}
