import { acceptWithinLimits } from '../fleet/accept-within-limits.ts';
import type { Campaign, LeftOut } from '../fleet/campaign.ts';
import { handedInOf, nextStep, waitingOf } from '../fleet/campaign-step.ts';
import { LimitError } from '../fleet/errors.ts';
import { allHalted } from '../fleet/halted-among.ts';
import { allOverLimits, leftOutByLimits, leftOutOfFleet, type OverLimit } from '../fleet/left-out.ts';
import type { Machine } from '../fleet/machine.ts';
import { requestsOf } from '../fleet/plan-requests.ts';
import type { Task } from '../fleet/request.ts';
import type { Duty } from './create-dispatcher.ts';
import { type HandInTools, sealed, withoutHindered } from './hand-in.ts';
import type { Campaigns, MoreRequests, StoredCampaign } from './ports.ts';

export interface CampaignsDutyTools
  extends Pick<HandInTools, 'fleet' | 'halts' | 'holdBack' | 'budgets' | 'seal' | 'clock'> {
  readonly requests: MoreRequests;
  readonly campaigns: Campaigns;
  /** Told of the runs that were handed in. */
  readonly accepted: (task: Task['kind'], runs: number) => void;
}

/**
 * Hands in the machines of a campaign that wait for their wave, or for others to be done; stops it after a wave of
 * which a machine was not ok. Each step is stored only where the campaign is still as it was read, so that a machine
 * is handed in once, whatever is killed and whoever cancels or continues meanwhile.
 */
export function campaignsDuty(tools: CampaignsDutyTools): Duty {
  return {
    name: 'campaigns',
    async run(signal) {
      const failures: unknown[] = [];
      for (const id of await tools.campaigns.open()) {
        if (signal.aborted) return;
        // One that cannot go on now keeps no other from going on.
        await step(id, tools).catch((error: unknown) => failures.push(error));
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}

async function step(id: string, tools: CampaignsDutyTools): Promise<void> {
  const { campaigns, clock } = tools;
  const found = await campaigns.read(id);
  if (found === undefined) return campaigns.forget(id);
  const next = nextStep(found.campaign, found.members);
  if (next.kind === 'hand-in') {
    // Nothing is begun and nothing is used up while people have stopped everything: it goes on when they resume.
    const waiting = waitingOf(found.campaign).flatMap((name) => tools.fleet().machines.get(name) ?? []);
    if (allHalted(waiting, await tools.halts.active())) return;
    return handInMore(found, next.machines, tools);
  }
  if (next.kind === 'stop') {
    const { wave, why } = next;
    const at = clock();
    await campaigns.save(found.version, {
      campaign: { ...found.campaign, stopped: { wave, at, why } },
      entry: { kind: 'campaign.stopped', at, campaign: id, wave, why },
    });
  }
}

async function handInMore(
  { campaign, version }: StoredCampaign,
  names: readonly string[],
  tools: CampaignsDutyTools,
): Promise<void> {
  const { fleet, requests, campaigns, accepted, seal, clock } = tools;
  const known = fleet().machines;
  const from = handedInOf(campaign);
  const eventId = `wave:${campaign.id}:${from}`;
  const { task, requester } = campaign;
  const present = names.flatMap((name) => known.get(name) ?? []);
  const hindered = await withoutHindered(present, { task, requester, eventId }, tools);
  const before = [...leftOutOfFleet(names.filter((name) => !known.has(name))), ...hindered.leftOut];
  const after = (leftOut: readonly LeftOut[]): Campaign => ({
    ...campaign,
    handedIn: from + names.length,
    ...(leftOut.length > 0 && { leftOut: [...(campaign.leftOut ?? []), ...leftOut] }),
  });
  const withNobody = async (leftOut: readonly LeftOut[]): Promise<void> => {
    await campaigns.save(version, { campaign: after(leftOut) });
  };
  const accept = async (machines: readonly Machine[], leftOut: readonly LeftOut[]): Promise<void> => {
    const taken = machines.map(({ name }) => name);
    const planned = requestsOf(campaign, taken, eventId, clock()).map((request) => sealed(request, seal));
    const perMachine = (name: string) => known.get(name)?.limits;
    const stored = await requests.acceptMore(planned, { perMachine }, after(leftOut), version);
    if (stored) accepted(task.kind, planned.length);
  };

  if (hindered.machines.length === 0) return withNobody(before);
  let overLimit: readonly OverLimit[] = [];
  try {
    await acceptWithinLimits(
      hindered.machines,
      (some, over) => {
        overLimit = over;
        return accept(some, [...before, ...leftOutByLimits(over)]);
      },
      () => undefined,
    );
  } catch (error) {
    const leftOut = error instanceof LimitError && allOverLimits(hindered.machines, overLimit, error);
    if (!leftOut) throw error;
    await withNobody([...before, ...leftOut]);
  }
}
