import { acceptWithinLimits } from '../fleet/accept-within-limits.ts';
import type { LeftOut } from '../fleet/campaign.ts';
import { checkOf } from '../fleet/checks/index.ts';
import { LimitError } from '../fleet/errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { haltedAmong } from '../fleet/halted-among.ts';
import {
  allOverLimits,
  leftOutByHalts,
  leftOutByLimits,
  leftOutWithoutCheck,
  type OverLimit,
} from '../fleet/left-out.ts';
import type { Machine } from '../fleet/machine.ts';
import { planRequests, type Wanted } from '../fleet/plan-requests.ts';
import type { Request } from '../fleet/request.ts';
import type { Budgets, Clock, CurrentFleet, Halts, Requests, SealRequest } from './ports.ts';

/** What is handed in because something came due. Its event id is accepted once: handed in again, it is the same request. */
export interface HandInWish extends Wanted {
  /** How often such a requester may ask in a minute. */
  readonly requestsPerMinute: number;
}

/** Says of which of the machines a silence holds this wish back, and notes it, once for each event id. */
export type HoldBack = (
  machines: readonly Machine[],
  wish: Pick<HandInWish, 'task' | 'requester' | 'eventId'>,
) => Promise<readonly LeftOut[]>;

export interface HandInTools {
  readonly fleet: CurrentFleet;
  readonly requests: Requests;
  readonly halts: Halts;
  readonly holdBack: HoldBack;
  readonly budgets: Budgets;
  readonly seal: SealRequest;
  readonly newCampaignId: () => string;
  readonly clock: Clock;
}

export interface HandedIn {
  /** The campaign, where the wish is one. */
  readonly campaign?: string;
  /** The id of each run, by machine; of a campaign in waves those of the first one. */
  readonly runs: ReadonlyMap<string, string>;
  /** Machines that get no run, and why. A campaign's record has them, too. */
  readonly leftOut: readonly LeftOut[];
  /** It was handed in before: what came of it then. */
  readonly duplicate: boolean;
}

/**
 * Hands in a task for those of the machines that are not halted, not silenced, have the check and keep their limits and
 * budgets; more than one makes a campaign. Where none is left nothing is stored, and the event id stays new; with
 * `alwaysCampaign` the campaign is, and says why.
 *
 * @throws LimitError when the requester asks too often, or others were faster again and again: nothing is stored, and
 *   it can be tried again
 * @throws StoreUnavailableError
 */
export async function handIn(wish: HandInWish, tools: HandInTools): Promise<HandedIn> {
  const acceptedBefore = await tools.requests.acceptedBefore(wish.eventId);
  const before = acceptedBefore && (await handedInBefore(acceptedBefore, tools.requests));
  const meant = wish.machines.filter(({ name }) => !before?.runs.has(name));
  const { machines, leftOut: hindered } = await withoutHindered(meant, wish, tools);
  const leftOut = [...(wish.leftOut ?? []), ...hindered];
  if (before !== undefined) return { ...before, leftOut, duplicate: true };
  if (machines.length === 0) return withNobody(wish, leftOut, tools);
  let overLimit: readonly OverLimit[] = [];
  try {
    const { accepted } = await acceptWithinLimits(
      machines,
      (some, over) => {
        overLimit = over;
        return accept(wish, some, [...leftOut, ...leftOutByLimits(over)], tools);
      },
      () => undefined,
    );
    return { ...accepted, leftOut: [...leftOut, ...leftOutByLimits(overLimit)] };
  } catch (error) {
    const all = error instanceof LimitError && allOverLimits(machines, overLimit, error);
    if (!all) throw error;
    return withNobody(wish, [...leftOut, ...all], tools);
  }
}

async function withNobody(
  wish: HandInWish,
  leftOut: readonly LeftOut[],
  tools: HandInTools,
): Promise<HandedIn> {
  if (wish.alwaysCampaign !== true) return { runs: new Map(), leftOut, duplicate: false };
  return { ...(await accept(wish, [], leftOut, tools)), leftOut };
}

/** The machines that can be given the task now, and the others, with why not. */
export async function withoutHindered(
  all: readonly Machine[],
  wish: Pick<HandInWish, 'task' | 'requester' | 'eventId'>,
  { halts, holdBack, budgets }: Pick<HandInTools, 'halts' | 'holdBack' | 'budgets'>,
): Promise<{ readonly machines: readonly Machine[]; readonly leftOut: readonly LeftOut[] }> {
  const { task } = wish;
  const unable =
    task.kind === 'check' ? all.filter((machine) => checkOf(machine, task.check) === undefined) : [];
  const leftOut = task.kind === 'check' ? [...leftOutWithoutCheck(unable, task.check)] : [];
  const left = (): readonly Machine[] => {
    const names = new Set(leftOut.map(({ machine }) => machine));
    return all.filter(({ name }) => !names.has(name));
  };
  leftOut.push(...leftOutByHalts(haltedAmong(left(), await halts.active())));
  leftOut.push(...(await holdBack(left(), wish)));
  leftOut.push(...leftOutByLimits(await budgets.over(left(), wish)));
  return { machines: left(), leftOut };
}

async function accept(
  wish: HandInWish,
  machines: readonly Machine[],
  leftOut: readonly LeftOut[],
  { fleet, requests: store, seal, newCampaignId, clock }: HandInTools,
): Promise<Omit<HandedIn, 'leftOut'>> {
  const { requests, campaign } = planRequests({ ...wish, machines, leftOut }, newCampaignId, clock());
  const { duplicate, runIds } = await store.accept(
    requests.map((request) => sealed(request, seal)),
    limitsOf(fleet(), wish.requestsPerMinute),
    campaign,
    wish.eventId,
  );
  if (duplicate) return { ...(await handedInBefore(runIds, store)), duplicate };
  const runs = new Map(requests.map(({ machine }, index) => [machine, runIds[index] ?? '']));
  return { ...(campaign && { campaign: campaign.id }), runs, duplicate };
}

/** What the same event id led to before. Runs that are not kept any more are missing. */
async function handedInBefore(
  runIds: readonly string[],
  store: Requests,
): Promise<Pick<HandedIn, 'campaign' | 'runs'>> {
  const [only] = runIds;
  if (only?.startsWith('c-')) return { campaign: only, runs: new Map() };
  const found = await Promise.all(runIds.map((id) => store.run(id)));
  const runs = found.filter((run) => run !== undefined);
  const campaign = runs[0]?.request.campaign;
  const ids = new Map(runs.map(({ id, request }) => [request.machine, id]));
  return { ...(campaign !== undefined && { campaign }), runs: ids };
}

/** Without a seal it can lead to no change. */
export function sealed(request: Request, seal: SealRequest): Request {
  return seal === undefined ? request : { ...request, seal: seal(request) };
}

/** A machine that has meanwhile left the fleet file keeps no limit: its run says that it is not known. */
function limitsOf({ machines }: Fleet, requestsPerMinute: number): Parameters<Requests['accept']>[1] {
  return { perPerson: { requestsPerMinute }, perMachine: (name) => machines.get(name)?.limits };
}
