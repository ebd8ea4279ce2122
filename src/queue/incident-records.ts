import { z } from 'zod';
import { type Incident, incidentSchema } from '../fleet/incident.ts';
import type { LedgerEntry } from '../fleet/ledger-entry.ts';
import type { FiringTarget } from '../fleet/plan-incident.ts';
import { type KnownAlert, knownAlertSchema } from '../fleet/take-alerts.ts';
import { ask } from './connect.ts';
import { ledgerText } from './ledger.ts';
import { json } from './records.ts';
import type { StoreOptions } from './store-options.ts';
import { viewScore } from './view-score.ts';

const storedIncident = json.pipe(incidentSchema);
const storedAlert = json.pipe(knownAlertSchema);
const saveReply = z.enum(['saved', 'changed', 'too many']);
/** How long a delivery is remembered: longer than Slack and Alertmanager go on delivering it again. */
const deliveryKeptMs = 10 * 60_000;

/** An incident, and what changes with every change of it. */
export interface StoredIncident {
  readonly incident: Incident;
  readonly version: string;
}

/** What is stored of an incident in one step. */
export interface IncidentChange {
  readonly incident: Incident;
  /** Of what is replaced; '' for a new one. */
  readonly version: string;
  /** The id that stands in the place of a new one; '' for none. */
  readonly replaces?: string;
  /** How many new ones a channel may have in a minute; absent for one that may be opened at any time. */
  readonly perMinute?: number | undefined;
  /** When it is to be looked at; not for one that is closed. */
  readonly dueAt?: number;
  /** Leaves an earlier moment as it is. */
  readonly sooner?: boolean;
  readonly entry?: LedgerEntry | undefined;
  /** What was delivered with it, so that it is taken once. */
  readonly deliveries?: readonly string[];
  /** See `Taken`. */
  readonly known?: ReadonlyMap<string, KnownAlert>;
  readonly firing?: ReadonlyMap<string, number>;
}

/** How incidents lie in Redis. Rejects like requests do. */
export class IncidentRecords {
  readonly #options: Omit<StoreOptions, 'wake'>;

  constructor(options: Omit<StoreOptions, 'wake'>) {
    this.#options = options;
  }

  async read(id: string): Promise<StoredIncident | undefined> {
    const { redis, keys } = this.#options;
    const [body, version] = await ask('read the incident', redis.hmget(keys.incident(id), 'body', 'version'));
    return body && version ? { incident: storedIncident.parse(body), version } : undefined;
  }

  async targets(id: string): Promise<readonly FiringTarget[]> {
    const { redis, keys } = this.#options;
    const stored = await ask('read the incident', redis.hgetall(keys.incidentTargets(id)));
    const targets = Object.entries(stored).map(([word, text]) => {
      const [machine = '', check = ''] = word.split(' ');
      const [firing, since] = text.split(' ').map(Number);
      return { machine, check, firing: firing ?? 0, since: since ?? 0 };
    });
    const names = targets.map(({ machine, check }) => keys.coolDown(machine, check));
    const claims = names.length === 0 ? [] : await ask('read the cool-downs', redis.mget(names));
    return targets.map((target, index) => ({ ...target, cooling: typeof claims[index] === 'string' }));
  }

  /** What is remembered of those of these alerts that the incident knows. */
  async remembered(id: string, fingerprints: readonly string[]): Promise<ReadonlyMap<string, KnownAlert>> {
    if (fingerprints.length === 0) return new Map();
    const { redis, keys } = this.#options;
    const stored = await ask('read alerts', redis.hmget(keys.incidentAlerts(id), ...fingerprints));
    const known = stored.map((text) => (text === null ? undefined : storedAlert.parse(text)));
    return new Map(
      fingerprints.flatMap((fingerprint, index) => {
        const alert = known[index];
        return alert === undefined ? [] : [[fingerprint, alert] as const];
      }),
    );
  }

  /** Those of the deliveries that were taken before. */
  async taken(deliveries: readonly string[]): Promise<ReadonlySet<string>> {
    if (deliveries.length === 0) return new Set();
    const { redis, keys } = this.#options;
    const stored = await ask('look for the delivery', redis.mget(deliveries.map(keys.delivery)));
    return new Set(deliveries.filter((_delivery, index) => stored[index]));
  }

  /**
   * Stores it, if it still is as it was read (else `changed`) and a new one may be opened (else `too many`). Not
   * confirmed to be on disk.
   */
  async save(change: IncidentChange): Promise<z.infer<typeof saveReply>> {
    const { redis, keys, clock, settings } = this.#options;
    const { incident, version, replaces = '', perMinute = '', dueAt, sooner = false, entry } = change;
    const { deliveries = [], known = new Map(), firing = new Map() } = change;
    const place = incident.storm ? ['incidents:storms', incident.channel] : ['incidents:open', incident.key];
    const isNews = version === '' || incident.closedAt !== undefined;
    const reply = await ask(
      'store the incident',
      redis.saveIncident(
        keys.prefix,
        ...[incident.id, version, JSON.stringify(incident), ...place, replaces],
        ...[incident.closedAt === undefined ? (dueAt ?? clock()) : '', sooner ? 'sooner' : ''],
        ...[viewScore(isNews ? 'verdict' : 'progress', clock()), clock(), settings.recordsKeptMs],
        ...[settings.ledgerEntriesMax, entry ? ledgerText(entry) : '', deliveryKeptMs],
        ...[`incidents:${incident.channel}`, perMinute],
        ...[deliveries.length, ...deliveries, known.size],
        ...[...known].flatMap(([fingerprint, alert]) => [fingerprint, JSON.stringify(alert)]),
        ...[...firing].flat(),
      ),
    );
    return saveReply.parse(reply);
  }
}
