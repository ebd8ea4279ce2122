import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Alert } from '../fleet/alert.ts';
import type { AlertGroup, FoundAlert } from '../fleet/alert-group.ts';
import type { AlertRules } from '../fleet/alert-rules.ts';
import { canonicalJson } from '../fleet/canonical-json.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { alertMatcher, labelsOf } from '../fleet/match-alert.ts';
import type { AlertsMeter, CurrentFleet, IncidentStore, Redact } from './ports.ts';
import { type AlertDraft, clip, tidyAlert } from './tidy-alert.ts';

/** Where alerts came in: a message in Slack, in whose thread the answer goes, or the webhook. */
export type Arrival =
  | { readonly kind: 'message'; readonly channel: string; readonly ts: string }
  | { readonly kind: 'webhook' };

/** What became of alerts. */
export interface Taken {
  /** This delivery was taken before; nothing was changed. */
  readonly duplicate: boolean;
  /** How many were stored, none of a duplicate; one that names several machines counts for each. */
  readonly stored: number;
  /** How many of these nobody looks into. */
  readonly unmatched: number;
  /** How many were not stored, because there is no channel to tell of them. */
  readonly homeless: number;
  /** Why, each once, as sentences for people. */
  readonly problems: readonly string[];
}

/** Takes alerts in, from wherever they come. */
export interface Intake {
  /**
   * Resolves when the alerts are stored in their incidents. Silences change nothing here: what they hold back is
   * decided when a machine is to be looked at.
   * @param eventId a delivery of this id is taken once
   * @throws StoreUnavailableError when the store does not answer; the same delivery can be taken again
   */
  take(drafts: readonly AlertDraft[], arrival: Arrival, eventId?: string): Promise<Taken>;
}

export interface IntakeOptions {
  readonly fleet: CurrentFleet;
  readonly incidents: IncidentStore;
  readonly redact: Redact;
  readonly meter: AlertsMeter;
  readonly log: Logger;
}

const titleMaxCharacters = 200;
const problemsMax = 20;
const keyDigits = 32;

export function createIntake({ fleet, incidents, redact, meter, log }: IntakeOptions): Intake {
  let matching: { readonly fleet: Fleet; readonly match: ReturnType<typeof alertMatcher> } | undefined;
  /** Machines are looked up by an index, which is made once for each fleet file. */
  const matcherOf = (current: Fleet) => {
    if (matching?.fleet !== current) matching = { fleet: current, match: alertMatcher(current) };
    return matching.match;
  };

  return {
    async take(drafts, arrival, eventId) {
      const current = fleet();
      const match = matcherOf(current);
      const found = drafts.flatMap((draft) => findMachines(tidyAlert(draft, redact), match));
      const placed = found.map((each) => ({ found: each, channel: channelOf(each, arrival, current) }));
      const groups = groupsOf(placed, arrival, current.alerts);
      const { duplicate } =
        groups.length === 0
          ? { duplicate: false }
          : await incidents.take(groups, {
              rules: current.alerts,
              ...(eventId !== undefined && { eventId }),
            });
      const homeless = placed.filter(({ channel }) => channel === undefined).map((each) => each.found);
      const stored = duplicate ? [] : groups.flatMap(({ alerts }) => alerts);
      if (!duplicate) count(stored, homeless);
      return {
        duplicate,
        stored: stored.length,
        unmatched: stored.filter(isUnmatched).length,
        homeless: homeless.length,
        problems: problemsOf(stored, homeless),
      };
    },
  };

  function count(stored: readonly FoundAlert[], homeless: readonly FoundAlert[]): void {
    for (const [source, alerts] of Map.groupBy(stored, ({ alert }) => alert.source)) {
      const firing = alerts.filter(({ alert }) => alert.status === 'firing').length;
      const unmatched = alerts.filter(isUnmatched).length;
      meter.taken(source, { firing, resolved: alerts.length - firing, unmatched });
    }
    for (const [source, alerts] of Map.groupBy(homeless, ({ alert }) => alert.source)) {
      meter.homeless(source, alerts.length);
    }
    // What is stored tells its problem itself.
    if (homeless.length > 0) log.warn({ problems: problemsOf([], homeless) }, 'alerts that are told nowhere');
  }
}

/** The alert, once for each machine that it names. */
function findMachines(alert: Alert, match: ReturnType<typeof alertMatcher>): readonly FoundAlert[] {
  const { byLabel, matches } = match(alert);
  return matches.map(({ machine, ...rest }) => ({
    // Its labels do not tell it from the same alert of another machine.
    alert:
      byLabel || machine === undefined ? alert : { ...alert, fingerprint: `${alert.fingerprint}@${machine}` },
    ...(machine !== undefined && { machine }),
    ...('check' in rest && { check: rest.check }),
    ...('problem' in rest && { problem: rest.problem }),
  }));
}

function channelOf({ machine }: FoundAlert, arrival: Arrival, fleet: Fleet): string | undefined {
  if (arrival.kind === 'message') return arrival.channel;
  return fleet.machines.get(machine ?? '')?.channel ?? fleet.alerts.webhookChannel;
}

function groupsOf(
  placed: readonly { readonly found: FoundAlert; readonly channel: string | undefined }[],
  arrival: Arrival,
  { groupBy }: AlertRules,
): readonly AlertGroup[] {
  const groups = new Map<string, { group: AlertGroup; alerts: Map<string, FoundAlert> }>();
  for (const { found, channel } of placed) {
    if (channel === undefined) continue;
    const { alert } = found;
    const labels = labelsOf(alert);
    const values = groupBy.map((label) => labels.get(label.toLowerCase()) ?? '');
    const key = createHash('sha256')
      .update(canonicalJson([channel, ...values]))
      .digest('hex')
      .slice(0, keyDigits);
    const title = values.filter((value) => value !== '').join(' · ') || alert.name;
    const known = groups.get(key) ?? {
      alerts: new Map<string, FoundAlert>(),
      group: {
        ...{ key, channel, source: alert.source, alerts: [], title: clip(title, titleMaxCharacters) },
        ...(arrival.kind === 'message' && { threadTs: arrival.ts }),
      },
    };
    groups.set(key, known);
    known.alerts.set(alert.fingerprint, found);
  }
  return [...groups.values()].map(({ group, alerts }) => ({ ...group, alerts: [...alerts.values()] }));
}

function isUnmatched({ problem }: FoundAlert): boolean {
  return problem !== undefined;
}

function problemsOf(stored: readonly FoundAlert[], homeless: readonly FoundAlert[]): readonly string[] {
  const nowhere = homeless.map(
    ({ alert, machine }) =>
      `${alert.name}: there is no channel to tell of it. Set alerts.webhookChannel` +
      `${machine === undefined ? '' : `, or the channel of ${machine}`} in the fleet file.`,
  );
  const unmatched = [...stored, ...homeless].flatMap(({ alert, problem }) =>
    problem === undefined ? [] : [`${alert.name}: ${problem}`],
  );
  return [...new Set([...nowhere, ...unmatched])].slice(0, problemsMax);
}
