import type { IncidentStore } from '../../src/alerts/ports.ts';
import type { Incidents as BotIncidents } from '../../src/bot/ports.ts';
import type { Claim, Incidents as DispatchIncidents } from '../../src/dispatch/ports.ts';
import type { AlertGroup, FoundAlert } from '../../src/fleet/alert-group.ts';
import type { AlertRules } from '../../src/fleet/alert-rules.ts';
import { type Incident, type Investigation, targetWord } from '../../src/fleet/incident.ts';
import {
  type FiringTarget,
  isStale,
  lookAt,
  type NextIncident,
  noteInvestigations,
} from '../../src/fleet/plan-incident.ts';
import { type KnownAlert, openIncident, takeAlerts } from '../../src/fleet/take-alerts.ts';

const minuteMs = 60_000;

interface Entry {
  incident: Incident;
  dueAt: number;
  readonly known: Map<string, KnownAlert>;
  readonly targets: Map<string, { firing: number; since: number }>;
}

/** Incidents in memory, behind every port that they have. `before` may throw, as if the process died there. */
export class MemoryIncidents implements IncidentStore, DispatchIncidents, BotIncidents {
  before: (step: 'change' | 'claim' | 'looked') => void = () => {};
  readonly #clock: () => number;
  readonly #entries = new Map<string, Entry>();
  readonly #deliveries = new Map<string, number>();
  readonly #opened: { readonly channel: string; readonly at: number }[] = [];
  readonly #claims = new Map<
    string,
    { incident: string; round: number; at: number; until: number; run?: string }
  >();
  #ids = 0;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  get all(): readonly Incident[] {
    return [...this.#entries.values()].map(({ incident }) => incident);
  }

  async take(
    groups: readonly AlertGroup[],
    { rules, eventId }: { readonly rules: AlertRules; readonly eventId?: string },
  ): Promise<{ duplicate: boolean }> {
    const at = this.#clock();
    const takenAt = this.#deliveries.get(eventId ?? '');
    if (takenAt !== undefined && at < takenAt + 10 * minuteMs) return { duplicate: true };
    if (eventId !== undefined) this.#deliveries.set(eventId, at);
    for (const group of groups) this.#takeGroup(group, rules, at);
    return { duplicate: false };
  }

  async incident(id: string): Promise<Incident | undefined> {
    return this.#entries.get(id)?.incident;
  }

  async noteRuns(id: string, noted: readonly Investigation[]): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.incident = noteInvestigations(entry.incident, noted);
  }

  async isOver(id: string, machine: string, check: string): Promise<boolean> {
    return this.#entries.get(id)?.targets.get(targetWord({ machine, check }))?.firing === 0;
  }

  async due(now: number, limit: number): Promise<readonly string[]> {
    const due = [...this.#entries.values()].filter(({ incident, dueAt }) => isOpen(incident) && dueAt <= now);
    return due
      .toSorted((a, b) => a.dueAt - b.dueAt)
      .slice(0, limit)
      .map(({ incident }) => incident.id);
  }

  async change(
    id: string,
    change: (incident: Incident, targets: readonly FiringTarget[]) => NextIncident,
  ): Promise<Incident | undefined> {
    this.before('change');
    const entry = this.#entries.get(id);
    if (entry === undefined || !isOpen(entry.incident)) return undefined;
    const next = change(entry.incident, this.#targetsOf(entry));
    if (next.incident !== entry.incident) Object.assign(entry, next);
    return entry.incident;
  }

  async claim(
    { id, rounds }: Incident,
    { check, machines }: { readonly check: string; readonly machines: readonly string[] },
    { coolDownMinutes, runsPerMinute }: Pick<AlertRules, 'coolDownMinutes' | 'runsPerMinute'>,
  ): Promise<ReadonlyMap<string, Claim>> {
    this.before('claim');
    const at = this.#clock();
    return new Map(
      machines.map((machine): [string, Claim] => {
        const word = targetWord({ machine, check });
        const claim = this.#claims.get(word);
        if (claim !== undefined && at < claim.until) {
          const { incident, round, until: _until, ...rest } = claim;
          if (incident === id && round === rounds) return [machine, { kind: 'claimed' }];
          return [machine, { kind: 'cooling', incident, ...rest }];
        }
        const inLastMinute = [...this.#claims.values()].filter((each) => each.at > at - minuteMs);
        if (inLastMinute.length >= runsPerMinute) return [machine, { kind: 'wait', ms: minuteMs }];
        const until = at + coolDownMinutes * minuteMs;
        this.#claims.set(word, { incident: id, round: rounds, at, until });
        return [machine, { kind: 'claimed' }];
      }),
    );
  }

  async looked(
    { id, rounds }: Incident,
    check: string,
    runs: ReadonlyMap<string, string | undefined>,
  ): Promise<void> {
    this.before('looked');
    for (const [machine, run] of runs) {
      const word = targetWord({ machine, check });
      const claim = this.#claims.get(word);
      if (claim?.incident !== id || claim.round !== rounds) continue;
      if (run === undefined) this.#claims.delete(word);
      else claim.run = run;
    }
  }

  #takeGroup(group: AlertGroup, rules: AlertRules, at: number): void {
    const open = [...this.#entries.values()].filter(({ incident }) => isOpen(incident));
    const storm = open.find(({ incident }) => incident.storm && incident.channel === group.channel);
    const own = open.find(({ incident }) => !incident.storm && incident.key === group.key);
    const told = ({ alert }: FoundAlert): boolean => storm?.known.has(alert.fingerprint) ?? false;
    const others = group.alerts.filter((alert) => !told(alert));
    const mayHaveOwn = own !== undefined || (others.some(fires) && this.#mayOpen(group.channel, rules, at));
    this.#store(group, group.alerts.filter(told), storm, rules, at, true);
    this.#store(group, others, mayHaveOwn ? own : storm, rules, at, !mayHaveOwn);
  }

  #store(
    group: AlertGroup,
    alerts: readonly FoundAlert[],
    before: Entry | undefined,
    rules: AlertRules,
    at: number,
    storm: boolean,
  ): void {
    const open = before && !isStale(before.incident, rules, at) ? before : undefined;
    if (alerts.length === 0 || (open === undefined && !alerts.some(fires))) return;
    const entry = open ?? this.#open(group, at, storm);
    const taken = takeAlerts(entry.incident, alerts, (fingerprint) => entry.known.get(fingerprint), at);
    entry.incident = taken.incident;
    entry.dueAt = Math.min(entry.dueAt, lookAt(at, rules));
    for (const [fingerprint, alert] of taken.known) entry.known.set(fingerprint, alert);
    for (const [word, more] of taken.firing) {
      const { firing, since } = entry.targets.get(word) ?? { firing: 0, since: 0 };
      const begins = firing === 0 && more > 0;
      entry.targets.set(word, { firing: firing + more, since: begins ? at : since });
    }
  }

  #open(group: AlertGroup, at: number, storm: boolean): Entry {
    this.#ids += 1;
    const id = `i-${String(this.#ids).padStart(12, '0')}`;
    const incident = openIncident(group, { id, at, storm });
    const entry: Entry = { incident, dueAt: Infinity, known: new Map(), targets: new Map() };
    this.#entries.set(id, entry);
    return entry;
  }

  #targetsOf({ targets }: Entry): readonly FiringTarget[] {
    return [...targets].map(([word, state]) => {
      const [machine = '', check = ''] = word.split(' ');
      return { machine, check, ...state, cooling: this.#clock() < (this.#claims.get(word)?.until ?? 0) };
    });
  }

  #mayOpen(channel: string, { incidentsPerMinute }: AlertRules, at: number): boolean {
    const recent = this.#opened.filter((each) => each.channel === channel && each.at > at - minuteMs);
    if (recent.length >= incidentsPerMinute) return false;
    this.#opened.push({ channel, at });
    return true;
  }
}

function isOpen({ closedAt }: Incident): boolean {
  return closedAt === undefined;
}

function fires({ alert }: FoundAlert): boolean {
  return alert.status === 'firing';
}
