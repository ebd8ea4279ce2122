import type { AlertGroup, FoundAlert } from '../fleet/alert-group.ts';
import type { AlertRules } from '../fleet/alert-rules.ts';
import type { Incident } from '../fleet/incident.ts';
import type { LedgerEntry } from '../fleet/ledger-entry.ts';
import { isStale, lookAt } from '../fleet/plan-incident.ts';
import { type KnownAlert, openIncident, takeAlerts } from '../fleet/take-alerts.ts';
import { ask } from './connect.ts';
import type { IncidentRecords, StoredIncident } from './incident-records.ts';
import type { StoreOptions } from './store-options.ts';
import { Together } from './together.ts';

/** Alerts on their way into one incident. */
interface Arrival {
  /** They go into the channel's storm, not into the incident of the group's key. */
  readonly storm: boolean;
  readonly group: AlertGroup;
  /** Those of the group that go there. */
  readonly alerts: readonly FoundAlert[];
  readonly rules: AlertRules;
  /** Taken once. */
  readonly delivery: string | undefined;
}

export interface AlertIntakeOptions extends Omit<StoreOptions, 'wake'> {
  readonly records: IncidentRecords;
  /** The id of an incident that is opened at this moment. */
  readonly newId: (atMs: number) => string;
}

/** Puts alerts into incidents; see `RedisIncidents.take`. */
export class AlertIntake {
  readonly #options: AlertIntakeOptions;
  readonly #arrivals = new Together<Arrival>((arrivals) => this.#store(arrivals));

  constructor(options: AlertIntakeOptions) {
    this.#options = options;
  }

  /** Returns false for a delivery that was taken before. */
  async take(group: AlertGroup, rules: AlertRules, delivery: string | undefined): Promise<boolean> {
    const { redis, keys, records } = this.#options;
    const { channel, alerts } = group;
    const [before, storm] = await ask(
      'look for the incident',
      Promise.all([
        delivery === undefined ? 0 : redis.exists(keys.delivery(delivery)),
        redis.hget(keys.storms(), channel),
      ]),
    );
    if (before === 1) return false;

    const known = storm === null ? new Map() : await records.remembered(storm, alerts.map(fingerprintOf));
    const { inStorm = [], others = [] } = Object.groupBy(alerts, (found) =>
      known.has(fingerprintOf(found)) ? 'inStorm' : 'others',
    );
    // A name of its own: the group is taken once all of it is.
    const partly = others.length > 0 && delivery !== undefined ? `${delivery} storm` : delivery;
    await this.#arrive({ storm: true, group, alerts: inStorm, rules, delivery: partly });
    await this.#arrive({ storm: false, group, alerts: others, rules, delivery });
    return true;
  }

  async #arrive(arrival: Arrival): Promise<void> {
    const { storm, group, alerts } = arrival;
    if (alerts.length === 0) return;
    await this.#arrivals.add(storm ? `storm ${group.channel}` : `key ${group.key}`, arrival);
  }

  /** Takes what arrived at one incident, all of it or nothing; where it may not be opened, into the channel's storm. */
  async #store(all: readonly Arrival[]): Promise<void> {
    const { clock, disk, records } = this.#options;
    for (;;) {
      const arrivals = await this.#untaken(all);
      const alerts = arrivals.flatMap((arrival) => arrival.alerts);
      const [first] = arrivals;
      if (first === undefined) break;
      const at = clock();
      const { found, replaces } = await this.#openFor(first, at);
      if (found === undefined && !alerts.some(fires)) break;

      const { incident, version } = found ?? this.#opened(first, at);
      const known: ReadonlyMap<string, KnownAlert> = await records.remembered(
        incident.id,
        alerts.map(fingerprintOf),
      );
      const taken = takeAlerts(incident, alerts, (fingerprint) => known.get(fingerprint), at);
      const saved = await records.save({
        ...{ ...taken, version, replaces, dueAt: lookAt(at, first.rules), sooner: true },
        perMinute: first.storm ? undefined : first.rules.incidentsPerMinute,
        entry: found ? undefined : openedEntry(taken.incident),
        deliveries: arrivals.flatMap(({ delivery }) => delivery ?? []),
      });
      if (saved === 'saved') break;
      if (saved === 'too many') {
        await Promise.all(arrivals.map((arrival) => this.#arrive({ ...arrival, storm: true })));
        return;
      }
    }
    await ask('put the alerts on disk', disk.confirm());
  }

  /** Without those that another process took meanwhile, and those that came twice. */
  async #untaken(arrivals: readonly Arrival[]): Promise<readonly Arrival[]> {
    const { records } = this.#options;
    const seen = new Set(await records.taken(arrivals.flatMap(({ delivery }) => delivery ?? [])));
    return arrivals.filter(({ delivery }) => {
      if (delivery === undefined) return true;
      const isNew = !seen.has(delivery);
      seen.add(delivery);
      return isNew;
    });
  }

  /** The open incident for it, or the one that a new one replaces because it heard nothing for too long. */
  async #openFor(
    { storm, group, rules }: Arrival,
    at: number,
  ): Promise<{ readonly found?: StoredIncident; readonly replaces: string }> {
    const { redis, keys, records } = this.#options;
    const place = storm
      ? redis.hget(keys.storms(), group.channel)
      : redis.hget(keys.openIncidents(), group.key);
    const id = (await ask('look for the incident', place)) ?? '';
    const found = id === '' ? undefined : await records.read(id);
    const isOpen = found?.incident.closedAt === undefined && found && !isStale(found.incident, rules, at);
    return { ...(isOpen && { found }), replaces: id };
  }

  #opened({ storm, group }: Arrival, at: number): StoredIncident {
    return { incident: openIncident(group, { id: this.#options.newId(at), at, storm }), version: '' };
  }
}

function fires({ alert }: FoundAlert): boolean {
  return alert.status === 'firing';
}

function fingerprintOf({ alert }: FoundAlert): string {
  return alert.fingerprint;
}

function openedEntry(incident: Incident): LedgerEntry {
  const { id, source, title: alert, channel, storm, openedAt: at, counts } = incident;
  return { kind: 'incident.opened', at, incident: id, source, alert, channel, storm, counts };
}
