import type { ViewSubmitAction } from '@slack/bolt';
import { WebAPIPlatformError } from '@slack/web-api';
import type { Logger } from 'pino';
import { z } from 'zod';
import { FleetbotError } from '../fleet/errors.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Origin, Task } from '../fleet/request.ts';
import type { PersonRef } from '../fleet/requester.ts';
import {
  agreeToResumeActionId,
  approvalDetailsActionId,
  approveActionId,
  cancelActionId,
  continueActionId,
  denyActionId,
  endSilenceActionId,
  endWavesActionId,
  feedbackActionIds,
  investigateAgainActionId,
  openTraceActionId,
  resumeActionId,
  runAgainActionId,
  takeActionId,
  undoActionId,
} from './action-ids.ts';
import { approvalDetailsButton } from './actions/approval-details.ts';
import { approveButton } from './actions/approve.ts';
import { cancelButton } from './actions/cancel.ts';
import { continueButton } from './actions/continue.ts';
import { denyButton, denySubmitted } from './actions/deny.ts';
import { endSilenceButton } from './actions/end-silence.ts';
import { endWavesButton } from './actions/end-waves.ts';
import { feedbackButton, feedbackSubmitted } from './actions/feedback.ts';
import { investigateAgainButton } from './actions/investigate-again.ts';
import { agreeToResumeButton, resumeButton } from './actions/resume.ts';
import { runAgainButton } from './actions/run-again.ts';
import { takeButton } from './actions/take.ts';
import { undoButton } from './actions/undo.ts';
import { alertMessages, defaultAlertRetrySettings } from './alert-messages.ts';
import { commands } from './commands/index.ts';
import { type Connection, createApp } from './create-app.ts';
import { slashCommandName } from './manifest.ts';
import { type Asked, mayAsk } from './may-ask.ts';
import { createMembership } from './membership.ts';
import { createModals } from './modals.ts';
import type {
  AlertMessages,
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
  Notices,
  Redact,
  Requests,
  Schedules,
  Seals,
  SignerSeen,
  Silences,
  SlackBudget,
  Spending,
  Views,
} from './ports.ts';
import { createPublisher } from './publisher/create-publisher.ts';
import { recordId } from './record-id.ts';
import { Refusals } from './refusals.ts';
import { refusedToken } from './refused-token.ts';
import { createSendFiles } from './send-files.ts';
import type { Services } from './services.ts';
import { createSlackClients, type SlackClients } from './slack-clients.ts';
import { createSlackDirectory } from './slack-directory.ts';
import { slashCommand } from './slash-command.ts';
import { createThreads } from './threads.ts';
import { denyModalCallbackId } from './views/deny-modal.ts';
import { feedbackModalCallbackIds } from './views/feedback-modal.ts';

export interface BotOptions {
  readonly connection: Connection;
  readonly botToken: string;
  /** Another server than Slack's, ending in `/api/`. */
  readonly slackApiUrl?: string;
  readonly fleet: FleetSource;
  readonly requests: Requests;
  readonly halts: Halts;
  readonly silences: Silences;
  readonly approvals: Approvals;
  readonly handOvers: HandOvers;
  /** Without it the bot can ask for no change and decide nothing, and says so. */
  readonly seals?: Seals;
  readonly signerSeen: SignerSeen;
  readonly notices: Notices;
  readonly incidents: Incidents;
  readonly schedules: Schedules;
  readonly budgets: Budgets;
  readonly spending: Spending;
  readonly alertMessages: AlertMessages;
  readonly ledger: Ledger;
  readonly facts: LedgerFacts;
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
  /** Whether Slack says that nothing can be said in a channel. Never rejects; doubt is a no. */
  isOutside(channel: string): Promise<boolean>;
  /** The address of the thread under a record; undefined where it is not known. */
  link(origin: Origin): Promise<string | undefined>;
  /** Whether commands can arrive at this moment. */
  ready(): boolean;
  /** What somebody who is not there may do at this moment: see `may-ask.ts`. Rejects before `start` has reached Slack. */
  mayAsk(person: PersonRef, verb: Task['kind'], machines: readonly Machine[]): Promise<Asked>;
  /** The port of HTTP mode once started; undefined in Socket Mode. */
  port(): number | undefined;
}

/** Who we are and where, as `auth.test` says. */
const meSchema = z.object({
  user: z.string(),
  user_id: z.string(),
  bot_id: z.string().optional(),
  team_id: z.string(),
  enterprise_id: z.string().nullish(),
  url: z.string().optional(),
});
type Me = z.infer<typeof meSchema>;

/** Plugs the listeners, the access table and the publisher together. */
export function createBot(options: BotOptions): Bot {
  const { connection, botToken, slackApiUrl, clock, random, log } = options;
  const clients = createSlackClients({ botToken, slackApiUrl, log });
  let me: Me = { user: 'fleetbot', user_id: '', team_id: '' };
  const stopping = new AbortController();
  const { ledger, meter, redact } = options;
  const refusals = new Refusals({ ledger, meter, redact, clock, log });
  const services: Services = {
    fleet: options.fleet,
    requests: options.requests,
    halts: options.halts,
    silences: options.silences,
    approvals: options.approvals,
    handOvers: options.handOvers,
    schedules: options.schedules,
    budgets: options.budgets,
    spending: options.spending,
    incidents: options.incidents,
    seals: options.seals,
    signerSeen: options.signerSeen,
    ledger,
    facts: options.facts,
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
    sendFiles: createSendFiles({ client: clients.posts, budget: options.budget, log }),
    modals: createModals({ client: clients.lookups, log }),
    threads: createThreads({ views: options.views, workspaceUrl: () => me.url }),
    linkTo: options.linkTo,
    newCampaignId: () => recordId('c', clock(), random()),
    newHaltId: () => recordId('h', clock(), random()),
    newSilenceId: () => recordId('s', clock(), random()),
    clock,
    log,
  };
  const publisher = createPublisher({
    client: clients.posts,
    fleet: options.fleet,
    requests: options.requests,
    halts: options.halts,
    silences: options.silences,
    handOvers: options.handOvers,
    threads: services.threads,
    notices: options.notices,
    incidents: options.incidents,
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
    [continueActionId, continueButton],
    [endWavesActionId, endWavesButton],
    [resumeActionId, resumeButton],
    [agreeToResumeActionId, agreeToResumeButton],
    [endSilenceActionId, endSilenceButton],
    [approveActionId, approveButton],
    [denyActionId, denyButton],
    [approvalDetailsActionId, approvalDetailsButton],
    [undoActionId, undoButton],
    [takeActionId, takeButton],
    [investigateAgainActionId, investigateAgainButton],
    [feedbackActionIds.good, feedbackButton('good')],
    [feedbackActionIds.bad, feedbackButton('bad')],
  ] as const) {
    slack.app.action({ type: 'block_actions', action_id }, serve(services));
  }
  for (const [callback_id, serve] of [
    [denyModalCallbackId, denySubmitted],
    [feedbackModalCallbackIds.good, feedbackSubmitted('good')],
    [feedbackModalCallbackIds.bad, feedbackSubmitted('bad')],
  ] as const) {
    slack.app.view<ViewSubmitAction>({ type: 'view_submission', callback_id }, serve(services));
  }
  slack.app.action({ type: 'block_actions', action_id: openTraceActionId }, ({ ack }) => ack());
  slack.app.event(
    'message',
    alertMessages({
      alerts: options.alertMessages,
      us: () => ({ userId: me.user_id, botId: me.bot_id }),
      ...{ meter, clock, signal: stopping.signal, log, settings: defaultAlertRetrySettings },
    }),
  );

  return {
    async start() {
      me = await whoAmI(clients, log);
      publisher.start();
      await slack.start();
    },
    async stop() {
      await slack.stop();
      stopping.abort();
      await refusals.settled();
      await publisher.stop();
    },
    async mayAsk(person, verb, machines) {
      if (me.team_id === '') {
        const wait = 'Slack was not reached yet, so it is not known what anybody may do. It is tried again.';
        throw new FleetbotError('slack-not-reached', wait);
      }
      return mayAsk(person, verb, machines, services);
    },
    isOutside: (channel) => services.membership.isOutside(channel),
    link: (origin) => services.threads.link(origin),
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
