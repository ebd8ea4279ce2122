import type { LeftOut } from '../fleet/campaign.ts';
import { LimitError } from '../fleet/errors.ts';
import type { Machine } from '../fleet/machine.ts';
import { hopsOf, type PeerClaim, troublesOf } from '../fleet/peers.ts';
import type { Origin, Task } from '../fleet/request.ts';
import type { Run } from '../fleet/run.ts';
import { type HandInTools, type HandInWish, handIn } from './hand-in.ts';

const minuteMs = 60_000;

/** Which machines were asked about which trouble. Rejects with StoreUnavailableError. */
export interface PeerClaims {
  /** Claims those that were not asked about all of these troubles within the window; resolves with their names. */
  claim(claim: PeerClaim, windowMs: number): Promise<readonly string[]>;
  /** Gives back what the run has claimed of these machines: they were not asked. */
  release(claim: PeerClaim): Promise<void>;
}

export interface PeerTools extends Omit<HandInTools, 'seal' | 'newCampaignId'> {
  readonly claims: PeerClaims;
  /** The machines of a campaign; none of one that is not known. */
  readonly machinesOf: (campaign: string) => Promise<readonly string[]>;
}

/** The supervisors of other machines, as a supervisor asks them (supervisors' Peers). */
export interface Peers {
  ask(
    run: Run,
    machines: readonly Machine[],
  ): Promise<{ readonly campaign: string; readonly machines: readonly string[] } | undefined>;
}

/**
 * Hands a supervisor's question to others in, as one campaign in the thread of its run. Without a seal, whoever has the
 * key: it can lead to no change. What is silenced asks nobody, because what is found there is no news. Those that are
 * in the run's own campaign are checked anyway; of the others no more are asked than one finding may ask.
 */
export function createPeers(tools: PeerTools): Peers {
  const { fleet, claims, holdBack, machinesOf } = tools;
  return {
    async ask(run, wanted) {
      const { task, machine, campaign: own } = run.request;
      if (task.kind !== 'check') return undefined;
      const together = new Set(own === undefined ? [] : await machinesOf(own));
      const { peers, perPerson, machines: known } = fleet();
      const machines = wanted.filter(({ name }) => !together.has(name)).slice(0, peers.machinesPerFinding);
      if (machines.length === 0) return undefined;
      const wish = wishOf(run, task, machines, perPerson.requestsPerMinute);
      const asking = known.get(machine);
      if (asking && (await holdBack([asking], wish)).length > 0) return undefined;

      const names = machines.map(({ name }) => name);
      const claim = { run, check: task.check, troubles: troublesOf(run), machines: names };
      const claimed = new Set(await claims.claim(claim, peers.windowMinutes * minuteMs));
      if (claimed.size === 0) return undefined;
      const askedBefore = names.filter((name) => !claimed.has(name));
      try {
        const { campaign, runs, leftOut } = await handIn(
          {
            ...wish,
            machines: machines.filter(({ name }) => claimed.has(name)),
            leftOut: askedBefore.map((name) => leftAlone(name, peers.windowMinutes)),
          },
          { ...tools, seal: undefined, newCampaignId: () => campaignOf(run) },
        );
        if (leftOut.length > 0) {
          await claims.release({ ...claim, machines: leftOut.map((left) => left.machine) });
        }
        if (campaign === undefined || runs.size === 0) return undefined;
        return { campaign, machines: [...runs.keys()] };
      } catch (error) {
        if (error instanceof LimitError) await claims.release(claim);
        throw error;
      }
    },
  };
}

function wishOf(run: Run, task: Task, machines: readonly Machine[], requestsPerMinute: number): HandInWish {
  const { id, trace, request } = run;
  const hops = hopsOf(request.requester) + 1;
  return {
    ...{ task, machines, requestsPerMinute, alwaysCampaign: true },
    selector: machines.map(({ name }) => name).join(','),
    requester: { kind: 'supervisor', machine: request.machine, run: id, hops, trace },
    origin: threadOf(run),
    eventId: `peers:${id}`,
  };
}

/** Where the run's own answer stands. */
function threadOf({ id, request: { origin, campaign } }: Run): Origin {
  const { channel, threadTs } = origin;
  return threadTs === undefined ? { channel, under: campaign ?? id } : { channel, threadTs };
}

function leftAlone(machine: string, minutes: number): LeftOut {
  return { machine, why: `it was asked the same within the last ${minutes} minutes, or found it itself` };
}

/** The same whenever the run asks again. */
function campaignOf({ id }: Run): string {
  return `c-${id.slice('r-'.length)}`;
}
