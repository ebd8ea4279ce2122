import type { ViewSubmitAction } from '@slack/bolt';
import { WebAPIPlatformError } from '@slack/web-api';
import type { Logger } from 'pino';
import { z } from 'zod';
import {
  agreeToResumeActionId,
  approvalDetailsActionId,
  approveActionId,
  cancelActionId,
  denyActionId,
  openTraceActionId,
  resumeActionId,
  runAgainActionId,
  undoActionId,
} from './action-ids.ts';
import { approvalDetailsButton } from './actions/approval-details.ts';
import { approveButton } from './actions/approve.ts';
import { cancelButton } from './actions/cancel.ts';
import { denyButton, denySubmitted } from './actions/deny.ts';
import { agreeToResumeButton, resumeButton } from './actions/resume.ts';
import { runAgainButton } from './actions/run-again.ts';
import { undoButton } from './actions/undo.ts';
import { commands } from './commands/index.ts';
import { type Connection, createApp } from './create-app.ts';
import { slashCommandName } from './manifest.ts';
import { createMembership } from './membership.ts';
import { createModals } from './modals.ts';
import type {
  Approvals,
  BotMeter,
  Clock,
  FinishTrace,
  FleetSource,
  Halts,
  Ledger,
  LinkTo,
  Notices,
  Redact,
  Requests,
  Seals,
  SignerSeen,
  SlackBudget,
  Views,
} from './ports.ts';
import { createPublisher } from './publisher/create-publisher.ts';
import { recordId } from './record-id.ts';
import { Refusals } from './refusals.ts';
import { refusedToken } from './refused-token.ts';
import type { Services } from './services.ts';
import { createSlackClients, type SlackClients } from './slack-clients.ts';
import { createSlackDirectory } from './slack-directory.ts';
import { slashCommand } from './slash-command.ts';
import { createThreads } from './threads.ts';
import { denyModalCallbackId } from './views/deny-modal.ts';

export interface BotOptions {
  readonly connection: Connection;
  readonly botToken: string;
  /** Another server than Slack's, ending in `/api/`. */
  readonly slackApiUrl?: string;
  readonly fleet: FleetSource;
  readonly requests: Requests;
  readonly halts: Halts;
  readonly approvals: Approvals;
  /** Without it the bot can ask for no change and decide nothing, and says so. */
  readonly seals?: Seals;
  readonly signerSeen: SignerSeen;
  readonly notices: Notices;
  readonly ledger: Ledger;
  readonly meter: BotMeter;
  readonly views: Views;
  readonly budget: SlackBudget;
  readonly linkTo: LinkTo;
  readonly finishTrace: FinishTrace;
  readonly redact: Redact;
  readonly clock: Clock;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  readonly log: Logger;
}

/** Slack's side of fleetbot. */
export interface Bot {
  /**
   * Resolves when commands can arrive; waits while Slack cannot be reached.
   * @throws SettingsError when Slack refuses the bot's token
   */
  start(): Promise<void>;
  /** Takes no more commands, finishes those that arrived, then stops publishing. */
  stop(): Promise<void>;
  /** Whether commands can arrive at this moment. */
  ready(): boolean;
  /** The port of HTTP mode once started; undefined in Socket Mode. */
  port(): number | undefined;
}

/** Who we are and where, as `auth.test` says. */
const meSchema = z.object({
  user: z.string(),
  team_id: z.string(),
  enterprise_id: z.string().nullish(),
  url: z.string().optional(),
});
type Me = z.infer<typeof meSchema>;

/** Plugs the listeners, the access table and the publisher together. */
export function createBot(options: BotOptions): Bot {
  const { connection, botToken, slackApiUrl, clock, random, log } = options;
  const clients = createSlackClients({ botToken, slackApiUrl, log });
  let me: Me = { user: 'fleetbot', team_id: '' };
  const { ledger, meter, redact } = options;
  const refusals = new Refusals({ ledger, meter, redact, clock, log });
  const services: Services = {
    fleet: options.fleet,
    requests: options.requests,
    halts: options.halts,
    approvals: options.approvals,
    seals: options.seals,
    signerSeen: options.signerSeen,
    refusals,
    meter,
    finishTrace: options.finishTrace,
    redact,
    directory: createSlackDirectory({
      client: clients.lookups,
      home: () => ({ teamId: me.team_id, enterpriseId: me.enterprise_id ?? undefined }),
      log,
    }),
    membership: createMembership({ client: clients.lookups, botName: () => me.user, clock, log }),
    modals: createModals({ client: clients.lookups, log }),
    threads: createThreads({ views: options.views, workspaceUrl: () => me.url }),
    linkTo: options.linkTo,
    newCampaignId: () => recordId('c', clock(), random()),
    newHaltId: () => recordId('h', clock(), random()),
    clock,
    log,
  };
  const publisher = createPublisher({
    client: clients.posts,
    fleet: options.fleet,
    requests: options.requests,
    halts: options.halts,
    notices: options.notices,
    views: options.views,
    budget: options.budget,
    linkTo: options.linkTo,
    clock,
    log,
  });

  const slack = createApp({ connection, botToken, slackApiUrl, log });
  slack.app.command(slashCommandName, slashCommand(services, commands));
  for (const [action_id, serve] of [
    [runAgainActionId, runAgainButton],
    [cancelActionId, cancelButton],
    [resumeActionId, resumeButton],
    [agreeToResumeActionId, agreeToResumeButton],
    [approveActionId, approveButton],
    [denyActionId, denyButton],
    [approvalDetailsActionId, approvalDetailsButton],
    [undoActionId, undoButton],
  ] as const) {
    slack.app.action({ type: 'block_actions', action_id }, serve(services));
  }
  slack.app.view<ViewSubmitAction>(
    { type: 'view_submission', callback_id: denyModalCallbackId },
    denySubmitted(services),
  );
  slack.app.action({ type: 'block_actions', action_id: openTraceActionId }, ({ ack }) => ack());

  return {
    async start() {
      me = await whoAmI(clients, log);
      publisher.start();
      await slack.start();
    },
    async stop() {
      await slack.stop();
      await refusals.settled();
      await publisher.stop();
    },
    ready: slack.ready,
    port: slack.port,
  };
}

/** Asks once in haste, so that an operator soon reads what is wrong; then with patience. */
async function whoAmI({ lookups, patient }: SlackClients, log: Logger): Promise<Me> {
  try {
    const answer = await lookups.auth.test().catch((error: unknown) => {
      if (error instanceof WebAPIPlatformError) throw error;
      log.warn(
        { err: error, address: patient.slackApiUrl },
        'Slack does not answer; trying again for half an hour. Check that this computer reaches the address ' +
          '(DNS, firewall, proxy), and SLACK_API_URL where it is set',
      );
      return patient.auth.test();
    });
    return meSchema.parse(answer);
  } catch (error) {
    throw refusedToken(error, 'bot token (xoxb-…)');
  }
}
