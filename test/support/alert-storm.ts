import type { Arrival, Intake } from '../../src/alerts/intake.ts';
import type { AlertDraft } from '../../src/alerts/tidy-alert.ts';
import type { Fleet } from '../../src/fleet/fleet.ts';
import type { Incident } from '../../src/fleet/incident.ts';
import { loadFleet } from '../../src/fleet/load-fleet.ts';
import { hostKey } from '../fleet/fixtures.ts';

/** Where the webhook's alerts are told, and where another app posts its own. */
export const webhookChannel = 'C0OPS';
export const alertChannel = 'C0ALERTS';

const hookKinds = 5;
const alertsInBatch = 20;

/** One delivery of a storm. */
export interface StormDelivery {
  readonly drafts: readonly AlertDraft[];
  readonly arrival: Arrival;
  readonly eventId: string;
}

/** Deliveries that come at once, one phase after the other, and what all of them come to. */
export interface Storm {
  readonly phases: readonly (readonly StormDelivery[])[];
  /** How often an alert is told, deliveries that come twice included. */
  readonly told: number;
  readonly counts: Incident['counts'];
}

/** A fleet of so many machines, whose alerts lead to `check disk`. @param rules more of `alerts` */
export function stormFleet(machines: number, rules: Readonly<Record<string, number>>): Fleet {
  const list = Array.from(
    { length: machines },
    (_, n) => `  - {name: ${machineName(n)}, address: h${n}.test, hostKey: "${hostKey(n)}"}`,
  );
  const settings = Object.entries({ otherwise: 'disk', webhookChannel, ...rules }).map(
    ([name, value]) => `  ${name}: ${value}`,
  );
  return loadFleet(['version: 1', 'machines:', ...list, 'alerts:', ...settings].join('\n'), 'fleet.yaml');
}

/**
 * Alerts are told some fifty times as often as there are machines: first five kinds of them on every machine, in
 * batches of the webhook, and three times as many of different names, one by one in the alert channel; then most of
 * them again, some deliveries twice; then the end of half of them.
 *
 * @param post posts a message in the alert channel; returns its `ts`
 */
export function stormOf(machines: number, post: (text: string) => string): Storm {
  const hooks = Array.from({ length: machines * hookKinds }, (_, n) => ({
    name: `Hook${n % hookKinds}`,
    machine: machineName(Math.floor(n / hookKinds)),
  }));
  const messages = Array.from({ length: 3 * hooks.length }, (_, n) => ({
    name: `Service${n}Down`,
    machine: machineName(n % machines),
  }));
  let deliveries = 0;
  const named = (drafts: readonly AlertDraft[], arrival: Arrival): StormDelivery => {
    deliveries += 1;
    return { drafts, arrival, eventId: `delivery-${deliveries}` };
  };
  const hookDeliveries = (status: AlertDraft['status']): readonly StormDelivery[] =>
    batches(hooks, alertsInBatch).map((batch) =>
      named(
        batch.map((alert) => draft(alert, status)),
        { kind: 'webhook' },
      ),
    );
  const messageDeliveries = (some: typeof messages, status: AlertDraft['status']): readonly StormDelivery[] =>
    some.map((alert) => {
      const ts = post(`[${status}] ${alert.name} on ${alert.machine}`);
      return named([draft(alert, status)], { kind: 'message', channel: alertChannel, ts });
    });

  const half = messages.slice(0, messages.length / 2);
  const third = messages.slice(0, messages.length / 3);
  const first = interleave(hookDeliveries('firing'), messageDeliveries(messages, 'firing'));
  const twice = first.filter(({ arrival }) => arrival.kind === 'message').slice(0, hooks.length / 2);
  const again = [hookDeliveries('firing'), hookDeliveries('firing'), messageDeliveries(half, 'firing')];
  const phases = [
    [...first, ...twice],
    interleave(again.flat(), twice),
    interleave(hookDeliveries('resolved'), messageDeliveries(third, 'resolved')),
  ];
  const told = phases.flat().reduce((sum, { drafts }) => sum + drafts.length, 0);
  const alerts = hooks.length + messages.length;
  return {
    phases,
    told,
    counts: {
      alerts,
      firing: messages.length - third.length,
      notifications: told - 2 * twice.length,
      unmatched: 0,
    },
  };
}

/** Takes all deliveries of a phase, `atOnce` at a time, each by one of the intakes in turn. */
export async function deliver(
  deliveries: readonly StormDelivery[],
  intakes: readonly Intake[],
  atOnce: number,
): Promise<void> {
  for (const some of batches(deliveries, atOnce)) {
    await Promise.all(
      some.map(({ drafts, arrival, eventId }, n) =>
        intakes[n % intakes.length]?.take(drafts, arrival, eventId),
      ),
    );
  }
}

function machineName(n: number): string {
  return `m-${String(n).padStart(3, '0')}`;
}

function draft(alert: { name: string; machine: string }, status: AlertDraft['status']): AlertDraft {
  const { name, machine } = alert;
  return {
    ...{ source: 'alertmanager', status, name, text: `${name} on ${machine}: ${'why '.repeat(20)}` },
    ...{ identity: { name, machine }, labels: new Map([['machine', machine]]) },
  };
}

function batches<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, n) => all.slice(n * size, (n + 1) * size));
}

/** Both, evenly mixed. */
function interleave<T>(some: readonly T[], others: readonly T[]): readonly T[] {
  const place = (list: readonly T[]) => list.map((each, n) => ({ each, at: (n + 0.5) / list.length }));
  return [...place(some), ...place(others)].toSorted((a, b) => a.at - b.at).map(({ each }) => each);
}
