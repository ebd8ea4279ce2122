import type { Logger } from 'pino';
import type { Membership } from './membership.ts';
import type { Modals } from './modals.ts';
import type {
  Approvals,
  BotMeter,
  Budgets,
  Clock,
  FinishTrace,
  FleetSource,
  Halts,
  HandOvers,
  Incidents,
  Ledger,
  LedgerFacts,
  LinkTo,
  Redact,
  Requests,
  Schedules,
  Seals,
  SignerSeen,
  Silences,
  Spending,
} from './ports.ts';
import type { Refusals } from './refusals.ts';
import type { SendFiles } from './send-files.ts';
import type { SlackDirectory } from './slack-directory.ts';
import type { Threads } from './threads.ts';

/** What commands and buttons work with. */
export interface Services {
  readonly fleet: FleetSource;
  readonly requests: Requests;
  readonly halts: Halts;
  readonly silences: Silences;
  readonly approvals: Approvals;
  readonly handOvers: HandOvers;
  readonly incidents: Incidents;
  readonly schedules: Schedules;
  readonly budgets: Budgets;
  readonly spending: Spending;
  /** undefined where this bot has no decision key: it can then ask for no change and decide nothing. */
  readonly seals: Seals | undefined;
  readonly signerSeen: SignerSeen;
  readonly ledger: Ledger;
  readonly facts: LedgerFacts;
  readonly refusals: Refusals;
  readonly meter: BotMeter;
  readonly finishTrace: FinishTrace;
  readonly redact: Redact;
  readonly directory: SlackDirectory;
  readonly membership: Membership;
  readonly modals: Modals;
  readonly sendFiles: SendFiles;
  readonly threads: Threads;
  readonly linkTo: LinkTo;
  readonly newCampaignId: () => string;
  readonly newHaltId: () => string;
  readonly newSilenceId: () => string;
  readonly clock: Clock;
  readonly log: Logger;
}
