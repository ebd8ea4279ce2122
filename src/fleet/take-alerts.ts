import { z } from 'zod';
import type { AlertGroup, FoundAlert } from './alert-group.ts';
import {
  type Incident,
  type IncidentAlert,
  incidentAlertsKept,
  incidentKindsKept,
  incidentTextMaxCharacters,
  targetWord,
} from './incident.ts';

/** How many alerts of an incident are told apart. Of more than that only the notifications are counted. */
export const alertsToldApart = 50_000;

/** What an incident with too many different alerts for one each is called. */
export const stormTitle = 'Alert storm';

/** What is remembered of every alert of an open incident, also of those that it keeps no more. */
export const knownAlertSchema = z.object({
  status: z.enum(['firing', 'resolved']),
  firstAt: z.int(),
  times: z.int().min(1),
  machine: z.string().optional(),
  check: z.string().optional(),
});

export type KnownAlert = z.infer<typeof knownAlertSchema>;

/** An incident after alerts were taken, and what that changed beside it. */
export interface Taken {
  readonly incident: Incident;
  /** By fingerprint: the alerts that were taken, as they are to be remembered. */
  readonly known: ReadonlyMap<string, KnownAlert>;
  /** By `targetWord`: how many more, or fewer, alerts fire for it. */
  readonly firing: ReadonlyMap<string, number>;
}

/** A new incident, with no alerts yet. A storm collects those of a channel that get no incident of their own. */
export function openIncident(
  { key, title, source, channel, threadTs }: Omit<AlertGroup, 'alerts'>,
  { id, at, storm }: { readonly id: string; readonly at: number; readonly storm: boolean },
): Incident {
  return {
    ...{ id, key, storm, source, channel },
    title: storm ? stormTitle : title,
    ...(threadTs !== undefined && !storm && { threadTs }),
    ...{ openedAt: at, lastAt: at, alerts: [], kinds: [], investigations: [], notInvestigated: 0, rounds: 0 },
    counts: { alerts: 0, firing: 0, notifications: 0, unmatched: 0 },
  };
}

/**
 * Takes alerts into an open incident, in their order: new ones, repeated, resolved, or firing once more.
 *
 * @param remembered what is remembered of the alert with this fingerprint
 */
export function takeAlerts(
  incident: Incident,
  alerts: readonly FoundAlert[],
  remembered: (fingerprint: string) => KnownAlert | undefined,
  at: number,
): Taken {
  const known = new Map<string, KnownAlert>();
  const firing = new Map<string, number>();
  const kept = new Map(incident.alerts.map((alert) => [alert.fingerprint, alert]));
  const kinds = new Map(incident.kinds.map(({ name, alerts }) => [name, alerts]));
  const counts = { ...incident.counts };
  const count = (alert: KnownAlert | undefined, by: 1 | -1): void => {
    if (alert === undefined) return;
    const { status, machine, check } = alert;
    counts.alerts += by;
    if (check === undefined) counts.unmatched += by;
    if (status === 'resolved') return;
    counts.firing += by;
    if (machine === undefined || check === undefined) return;
    const word = targetWord({ machine, check });
    firing.set(word, (firing.get(word) ?? 0) + by);
  };

  for (const found of alerts) {
    const { fingerprint } = found.alert;
    counts.notifications += 1;
    const before = known.get(fingerprint) ?? remembered(fingerprint);
    if (before === undefined && counts.alerts >= alertsToldApart) continue;
    const after = knownAfter(before, found, at);
    known.set(fingerprint, after);
    const { name } = found.alert;
    if (before === undefined && (kinds.has(name) || kinds.size < incidentKindsKept)) {
      kinds.set(name, (kinds.get(name) ?? 0) + 1);
    }
    count(before, -1);
    count(after, 1);
    keep(kept, keptAlert(found, after, at));
  }
  const told = { alerts: [...kept.values()], kinds: mostFrequentFirst(kinds), counts, lastAt: at };
  return { incident: { ...incident, ...told }, known, firing };
}

function knownAfter(before: KnownAlert | undefined, found: FoundAlert, at: number): KnownAlert {
  const { alert, machine, check } = found;
  return {
    status: alert.status,
    firstAt: before?.firstAt ?? at,
    times: (before?.times ?? 0) + 1,
    ...(machine !== undefined && { machine }),
    ...(check !== undefined && { check }),
  };
}

function keptAlert({ alert, problem }: FoundAlert, known: KnownAlert, at: number): IncidentAlert {
  const { fingerprint, name, text, url } = alert;
  return {
    ...{ fingerprint, name, ...known, lastAt: at },
    text: text.slice(0, incidentTextMaxCharacters).toWellFormed(),
    ...(url !== undefined && { url }),
    ...(problem !== undefined && { problem }),
  };
}

function mostFrequentFirst(kinds: ReadonlyMap<string, number>): Incident['kinds'] {
  return [...kinds].map(([name, alerts]) => ({ name, alerts })).toSorted((a, b) => b.alerts - a.alerts);
}

/** Puts it at the end, and makes room for it: the oldest that was resolved goes first. */
function keep(kept: Map<string, IncidentAlert>, alert: IncidentAlert): void {
  kept.delete(alert.fingerprint);
  kept.set(alert.fingerprint, alert);
  if (kept.size <= incidentAlertsKept) return;
  const [oldest] = kept.keys();
  const leaves = kept.values().find(({ status }) => status === 'resolved')?.fingerprint ?? oldest;
  if (leaves !== undefined) kept.delete(leaves);
}
