import type { Intake } from '../intake.ts';
import type { CurrentFleet, Redact, SlackIdentity } from '../ports.ts';
import { readAlertEvent } from './read-alert-event.ts';

/** Alerts as messages of other apps in Slack. */
export interface AlertMessages {
  /** Whether an event `message` tells alerts that are to be taken. */
  tells(event: unknown, us: SlackIdentity): boolean;
  /**
   * Takes the alerts that an event `message` tells; any other event changes nothing. An event id is taken once.
   * @throws StoreUnavailableError when they could not be stored; the same event can be taken again
   */
  take(event: unknown, delivery: { readonly eventId: string; readonly us: SlackIdentity }): Promise<void>;
}

export function createAlertMessages({
  fleet,
  intake,
  redact,
}: {
  readonly fleet: CurrentFleet;
  readonly intake: Intake;
  readonly redact: Redact;
}): AlertMessages {
  const read = (event: unknown, us: SlackIdentity) => readAlertEvent(event, fleet().alerts, us, redact);
  return {
    tells: (event, us) => read(event, us) !== undefined,
    async take(event, { eventId, us }) {
      const found = read(event, us);
      if (found === undefined) return;
      const { channel, ts, alerts } = found;
      await intake.take(alerts, { kind: 'message', channel, ts }, `slack:${eventId}`);
    },
  };
}
