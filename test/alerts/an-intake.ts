import { pino } from 'pino';
import { createIntake } from '../../src/alerts/intake.ts';
import type { AlertsMeter, IncidentStore } from '../../src/alerts/ports.ts';
import type { AlertGroup } from '../../src/fleet/alert-group.ts';
import { StoreUnavailableError } from '../../src/fleet/errors.ts';
import type { Fleet } from '../../src/fleet/fleet.ts';
import { loadFleet } from '../../src/fleet/load-fleet.ts';
import { redact } from '../../src/telemetry/redact.ts';
import { hostKey } from '../fleet/fixtures.ts';

/** web-01 has a channel of its own, web-02 and db-01 have none; every alert whose name begins with Disk is checked. */
export const alertFleet: Fleet = loadFleet(
  `version: 1
machines:
  - { name: web-01, address: web-01.test, hostKey: ${hostKey(1)}, channel: C0WEB }
  - { name: web-02, address: web-02.test, hostKey: ${hostKey(2)} }
  - { name: db-01, address: db-01.test, hostKey: ${hostKey(3)} }
alerts:
  channels:
    - { channel: C0ALERTS, apps: [A0AM, A0GRAF, A0PD, A0ZBX, B0KUMA, A0US, B0BOT] }
  webhookChannel: C0OPS
  rules:
    - { match: { alertname: "Disk*" }, check: disk }
    - { text: "*disk*", check: disk }
`,
  'fleet.yaml',
);

/** The fleet with other rules for alerts. */
export function withAlerts(more: Partial<Fleet['alerts']>): Fleet {
  return { ...alertFleet, alerts: { ...alertFleet.alerts, ...more } };
}

/** An intake before a store that keeps what it is given. */
export class IntakeUnderTest {
  fleet = alertFleet;
  /** Makes the store fail as when Redis is away. */
  away = false;
  /** Groups that were stored, in the order in which they came. */
  readonly groups: AlertGroup[] = [];
  readonly counted: string[] = [];
  readonly lines: string[] = [];
  readonly #seen = new Set<string>();
  readonly log = pino({ level: 'warn' }, { write: (line) => void this.lines.push(line) });

  readonly store: IncidentStore = {
    take: async (groups, { eventId }) => {
      if (this.away) throw new StoreUnavailableError('Redis did not answer.');
      if (eventId !== undefined && this.#seen.has(eventId)) return { duplicate: true };
      if (eventId !== undefined) this.#seen.add(eventId);
      this.groups.push(...groups);
      return { duplicate: false };
    },
  };

  readonly meter: AlertsMeter = {
    taken: (source, { firing, resolved, unmatched }) =>
      void this.counted.push(`${source}: ${firing} firing, ${resolved} resolved, ${unmatched} unmatched`),
    homeless: (source, alerts) => void this.counted.push(`${source}: ${alerts} homeless`),
    refused: (reason) => void this.counted.push(`refused: ${reason}`),
  };

  readonly intake = createIntake({
    fleet: () => this.fleet,
    incidents: this.store,
    ...{ redact, meter: this.meter, log: this.log },
  });

  /** What was stored, as `CHANNEL MACHINE CHECK STATUS`. */
  get stored(): readonly string[] {
    return this.groups.flatMap(({ channel, alerts }) =>
      alerts.map(({ alert, machine = '-', check = '-' }) => `${channel} ${machine} ${check} ${alert.status}`),
    );
  }

  reset(): void {
    this.fleet = alertFleet;
    this.away = false;
    this.groups.length = 0;
    this.counted.length = 0;
    this.lines.length = 0;
    this.#seen.clear();
  }
}
