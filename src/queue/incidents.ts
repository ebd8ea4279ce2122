import { z } from 'zod';
import type { AlertGroup } from '../fleet/alert-group.ts';
import type { AlertRules } from '../fleet/alert-rules.ts';
import { type Incident, type Investigation, targetWord } from '../fleet/incident.ts';
import type { LedgerEntry } from '../fleet/ledger-entry.ts';
import { type FiringTarget, type NextIncident, noteInvestigations } from '../fleet/plan-incident.ts';
import { AlertIntake, type AlertIntakeOptions } from './alert-intake.ts';
import { ask } from './connect.ts';
import { IncidentRecords } from './incident-records.ts';

const minuteMs = 60_000;
const claimReply = z.array(z.string());

/** What a round got of a machine that it wants to look at. */
export type Claim =
  | { readonly kind: 'claimed' }
  /** Alerts led to as many runs as they may in a minute; there may be one more after so long. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** Another round looked a short while ago; `run` where it is known. */
  | { readonly kind: 'cooling'; readonly incident: string; readonly at: number; readonly run?: string };

/** Incidents in Redis. What resolves is on disk; rejects like requests do. */
export class RedisIncidents {
  readonly #options: Omit<AlertIntakeOptions, 'records'>;
  readonly #records: IncidentRecords;
  readonly #intake: AlertIntake;

  constructor(options: Omit<AlertIntakeOptions, 'records'>) {
    this.#options = options;
    this.#records = new IncidentRecords(options);
    this.#intake = new AlertIntake({ ...options, records: this.#records });
  }

  /**
   * Takes groups of alerts into the open incidents of their keys, or opens them; firing alerts alone open one. More
   * new ones in a channel than `rules.incidentsPerMinute` become one, its storm, which also takes what is told of its
   * alerts later. A delivery with an id that was taken in the last minutes changes nothing.
   */
  async take(
    groups: readonly AlertGroup[],
    { rules, eventId }: { readonly rules: AlertRules; readonly eventId?: string },
  ): Promise<{ duplicate: boolean }> {
    const taken = await Promise.all(
      groups.map((group, index) =>
        this.#intake.take(group, rules, eventId === undefined ? undefined : `${eventId} ${index}`),
      ),
    );
    return { duplicate: taken.length > 0 && !taken.includes(true) };
  }

  async incident(id: string): Promise<Incident | undefined> {
    return (await this.#records.read(id))?.incident;
  }

  /** Whether every alert of this machine and check is resolved; false where nothing is known of them. */
  async isOver(id: string, machine: string, check: string): Promise<boolean> {
    const { redis, keys } = this.#options;
    const word = targetWord({ machine, check });
    const stored = await ask('read the incident', redis.hget(keys.incidentTargets(id), word));
    return stored?.startsWith('0 ') ?? false;
  }

  /** Notes runs that people asked for from an incident, open or closed. An unknown one stays unknown. */
  async noteRuns(id: string, noted: readonly Investigation[]): Promise<void> {
    const { disk } = this.#options;
    for (;;) {
      const found = await this.#records.read(id);
      if (found === undefined) return;
      const incident = noteInvestigations(found.incident, noted);
      const saved = await this.#records.save({ incident, version: found.version, sooner: true });
      if (saved === 'saved') break;
    }
    await ask('put the incident on disk', disk.confirm());
  }

  /** The ids of the open incidents that are to be looked at, at most `limit`. */
  async due(now: number, limit: number): Promise<readonly string[]> {
    const { redis, keys } = this.#options;
    return ask('look for incidents', redis.zrangebyscore(keys.incidentsDue(), 0, now, 'LIMIT', 0, limit));
  }

  /**
   * Changes an open incident, again and again until nobody was faster; what is the very same is not stored. Returns it
   * as it is then. One that is closed or not known stays so, and is due no more.
   */
  async change(
    id: string,
    change: (incident: Incident, targets: readonly FiringTarget[]) => NextIncident,
  ): Promise<Incident | undefined> {
    const { redis, keys, disk } = this.#options;
    for (;;) {
      const [found, targets] = await Promise.all([this.#records.read(id), this.#records.targets(id)]);
      if (found === undefined || found.incident.closedAt !== undefined) {
        await ask('forget an incident', redis.zrem(keys.incidentsDue(), id));
        return undefined;
      }
      const { incident, dueAt } = change(found.incident, targets);
      if (incident === found.incident) return incident;
      const entry = incident.closedAt === undefined ? undefined : closedEntry(incident, incident.closedAt);
      const saved = await this.#records.save({ incident, version: found.version, dueAt, entry });
      if (saved !== 'saved') continue;
      await ask('put the incident on disk', disk.confirm());
      return incident;
    }
  }

  /**
   * Claims machines for the last round of an incident, in this order, as far as their cool-down and `runsPerMinute`
   * allow. Repeated for the same round, it claims nothing a second time.
   */
  async claim(
    { id, rounds }: Incident,
    { check, machines }: { readonly check: string; readonly machines: readonly string[] },
    { coolDownMinutes, runsPerMinute }: Pick<AlertRules, 'coolDownMinutes' | 'runsPerMinute'>,
  ): Promise<ReadonlyMap<string, Claim>> {
    const { redis, keys, clock } = this.#options;
    const claimed = redis.claimLooks(
      keys.prefix,
      ...[id, rounds, check, clock(), Math.ceil(coolDownMinutes * minuteMs), runsPerMinute],
      ...machines,
    );
    const replies = claimReply.parse(await ask('claim machines', claimed));
    return new Map(machines.map((machine, index) => [machine, readClaim(replies[index] ?? '')]));
  }

  /** What became of the machines that the round claimed: the run that looks; undefined frees the machine at once. */
  async looked(
    { id, rounds }: Incident,
    check: string,
    runs: ReadonlyMap<string, string | undefined>,
  ): Promise<void> {
    const { redis, keys } = this.#options;
    const looks = [...runs].flatMap(([machine, run]) => [machine, run ?? '']);
    await ask('note what looks', redis.noteLooks(keys.prefix, id, rounds, check, ...looks));
  }
}

/** See incident-claim.lua. */
function readClaim(reply: string): Claim {
  if (reply === 'claimed') return { kind: 'claimed' };
  const [first = '', second, at, run] = reply.split(' ');
  if (first === 'wait') return { kind: 'wait', ms: Number(second) };
  return { kind: 'cooling', incident: first, at: Number(at), ...(run && { run }) };
}

function closedEntry({ id, counts, notInvestigated, investigations }: Incident, at: number): LedgerEntry {
  const runs = investigations.flatMap(({ run }) => run ?? []);
  return { kind: 'incident.closed', at, incident: id, counts, runs, notInvestigated };
}
