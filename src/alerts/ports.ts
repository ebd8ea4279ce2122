import type { RefusalReason } from '../fleet/alert.ts';
import type { AlertGroup } from '../fleet/alert-group.ts';
import type { AlertRules } from '../fleet/alert-rules.ts';
import type { Fleet } from '../fleet/fleet.ts';

/** What taking alerts in needs of the rest. Plugged in by `main.ts`. */

/** The fleet file in force. */
export type CurrentFleet = () => Fleet;

/** Keeps alerts as incidents. Whether machines are looked at, and when, is decided later, by who hands runs in. */
export interface IncidentStore {
  /**
   * Puts every group into the open incident of its key, or opens one; firing alerts alone open one. What resolves is
   * on disk. An alert that is told again, or is resolved, changes its entry (same fingerprint), so that taking the same
   * groups twice changes nothing but how often they were told.
   * @param options.eventId a delivery with an id that was taken in the last minutes changes nothing at all. The id
   * is remembered after the groups are stored: a delivery that was broken off is taken again as a whole
   * @throws StoreUnavailableError when the store does not answer: some of the groups may be stored
   */
  take(
    groups: readonly AlertGroup[],
    options: { readonly rules: AlertRules; readonly eventId?: string },
  ): Promise<{ readonly duplicate: boolean }>;
}

/** Who we are in Slack. */
export interface SlackIdentity {
  readonly userId: string;
  readonly botId?: string | undefined;
  readonly appId?: string | undefined;
}

/** What taking alerts in counts for whoever watches. */
export interface AlertsMeter {
  /** Alerts that were stored, and how many of them nobody looks into. Not counted again for a second delivery. */
  taken(
    source: string,
    counts: { readonly firing: number; readonly resolved: number; readonly unmatched: number },
  ): void;
  /** Alerts for which there is no channel, so that they are nowhere but in the log. */
  homeless(source: string, alerts: number): void;
  refused(reason: RefusalReason): void;
}

/** Removes secrets from text before it is kept or shown. */
export type Redact = (text: string) => string;
export type Clock = () => number;
