import type { Logger } from 'pino';
import type { AlertRules } from '../fleet/alert-rules.ts';
import type { LeftOut } from '../fleet/campaign.ts';
import { LimitError } from '../fleet/errors.ts';
import { formatMoment } from '../fleet/format.ts';
import type { Incident, Investigation } from '../fleet/incident.ts';
import { leftOutOfFleet } from '../fleet/left-out.ts';
import type { Machine } from '../fleet/machine.ts';
import { endRound, planIncident } from '../fleet/plan-incident.ts';
import type { Duty } from './create-dispatcher.ts';
import { type HandedIn, type HandInTools, type HandInWish, withoutHindered } from './hand-in.ts';
import type { Claim, Clock, CurrentFleet, Incidents } from './ports.ts';

/** How many incidents are looked at in one go, and how many of them side by side. */
const dueAtMost = 1_000;
const atOnce = 10;

export interface IncidentsDutyOptions extends Pick<HandInTools, 'halts' | 'holdBack' | 'budgets'> {
  readonly fleet: CurrentFleet;
  readonly incidents: Incidents;
  readonly handIn: (wish: HandInWish) => Promise<HandedIn>;
  readonly clock: Clock;
  readonly log: Logger;
}

type Round = NonNullable<Incident['underWay']>;

/**
 * Looks into incidents that are due: hands in what their alerts lead to, notes what became of that, and closes those
 * that are over. A round is stored before anything of it is done, and its event id is its number: broken off anywhere,
 * it is done again to the same end.
 */
export function incidentsDuty(options: IncidentsDutyOptions): Duty {
  const { fleet, incidents, handIn, clock, log } = options;

  async function look(id: string): Promise<void> {
    const planned = await incidents.change(id, (incident, targets) =>
      planIncident(incident, targets, fleet().alerts, clock()),
    );
    if (planned?.underWay !== undefined) await carryOut(planned, planned.underWay);
    if (planned?.closedAt !== undefined)
      log.info({ incident: id, counts: planned.counts }, 'incident closed');
  }

  async function carryOut(incident: Incident, round: Round): Promise<void> {
    const { machines, alerts } = fleet();
    const gone = leftOutOfFleet(round.machines.filter((name) => !machines.has(name)));
    const wish = wishOf(incident, round.check, alerts);
    const known = round.machines.flatMap((name) => machines.get(name) ?? []);
    // Before anything is claimed: what is held back must not use up the runs of others.
    const free = await withoutHindered(known, wish, options);
    const names = free.machines.map(({ name }) => name);
    const claims = await incidents.claim(incident, { ...round, machines: names }, alerts);
    const claimed = free.machines.filter(({ name }) => claims.get(name)?.kind === 'claimed');
    const handedIn = await handInFor(wish, claimed);
    if (handedIn === undefined) return;
    const { runs, leftOut } = handedIn;
    const looks = new Map(claimed.map(({ name }) => [name, runs.get(name)]));
    await incidents.looked(incident, round.check, looks);

    const cooling = [...claims].flatMap(([name, claim]) => coolingDown(name, claim, alerts));
    const why = new Map(
      [...gone, ...free.leftOut, ...cooling, ...leftOut].map((each) => [each.machine, each]),
    );
    const at = clock();
    const noted = round.machines.flatMap((machine): Investigation[] => {
      const of = { machine, check: round.check, at };
      const [run, left] = [runs.get(machine), why.get(machine)];
      if (run !== undefined) return [{ ...of, run }];
      if (left === undefined) return [];
      return [{ ...of, heldBack: left.why, ...(left.until !== undefined && { until: left.until }) }];
    });
    const waits = [...claims.values()].flatMap((claim) => (claim.kind === 'wait' ? claim.ms : []));
    await incidents.change(incident.id, (now) => ({
      incident: now.rounds === incident.rounds && now.underWay ? endRound(now, noted) : now,
      dueAt: at + Math.max(0, ...waits),
    }));
    log.info(
      { incident: incident.id, round: incident.rounds, runs: [...runs.values()] },
      'incident looked into',
    );
  }

  /** undefined where alerts lead to too many requests at this moment: the round goes on at the next look. */
  async function handInFor(
    wish: Omit<HandInWish, 'machines' | 'selector'>,
    machines: readonly Machine[],
  ): Promise<Pick<HandedIn, 'runs' | 'leftOut'> | undefined> {
    if (machines.length === 0) return { runs: new Map(), leftOut: [] };
    try {
      return await handIn({ ...wish, machines, selector: machines.map(({ name }) => name).join(',') });
    } catch (error) {
      if (error instanceof LimitError) return undefined;
      throw error;
    }
  }

  return {
    name: 'incidents',
    async run(signal) {
      const due = [...(await incidents.due(clock(), dueAtMost))];
      let failed: PromiseRejectedResult | undefined;
      while (due.length > 0 && !signal.aborted) {
        const looks = await Promise.allSettled(due.splice(0, atOnce).map(look));
        failed ??= looks.find((each) => each.status === 'rejected');
      }
      if (failed) throw failed.reason;
    },
  };
}

function wishOf(
  { id, channel, threadTs, rounds }: Incident,
  check: string,
  { runsPerMinute }: AlertRules,
): Omit<HandInWish, 'machines' | 'selector'> {
  return {
    task: { kind: 'check', check },
    requester: { kind: 'alert', incident: id },
    origin: threadTs === undefined ? { channel, under: id } : { channel, threadTs },
    eventId: `incident:${id}:${rounds}`,
    requestsPerMinute: runsPerMinute,
  };
}

/** In words, where another look is so short a while ago that there is none now. */
function coolingDown(
  machine: string,
  claim: Claim,
  { coolDownMinutes }: Pick<AlertRules, 'coolDownMinutes'>,
): readonly LeftOut[] {
  if (claim.kind !== 'cooling') return [];
  const where = claim.run === undefined ? `for incident ${claim.incident}` : `in run ${claim.run}`;
  const why = `checked at ${formatMoment(claim.at)} ${where}; alerts lead to the same check once in ${coolDownMinutes} min`;
  return [{ machine, why }];
}
