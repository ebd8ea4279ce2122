import type { Logger } from 'pino';
import type { Membership } from './membership.ts';
import type { BotMeter, Clock, FinishTrace, FleetSource, Halts, Redact, Requests } from './ports.ts';
import type { Refusals } from './refusals.ts';
import type { SlackDirectory } from './slack-directory.ts';

/** What commands and buttons work with. */
export interface Services {
  readonly fleet: FleetSource;
  readonly requests: Requests;
  readonly halts: Halts;
  readonly refusals: Refusals;
  readonly meter: BotMeter;
  readonly finishTrace: FinishTrace;
  readonly redact: Redact;
  readonly directory: SlackDirectory;
  readonly membership: Membership;
  readonly newCampaignId: () => string;
  readonly newHaltId: () => string;
  readonly clock: Clock;
  readonly log: Logger;
}
