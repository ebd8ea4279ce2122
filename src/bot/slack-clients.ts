import { WebClient, type WebClientOptions } from '@slack/web-api';
import type { Logger } from 'pino';
import { boltLogger } from './bolt-logger.ts';
import { createPublisherClient } from './publisher/create-publisher-client.ts';

/** A person waits for these; a call that takes longer counts as not answered, and doubt denies. */
export const lookupTimeoutMs = 1_500;
/** Nobody waits for these. */
export const patientTimeoutMs = 15_000;

/** The Web API, once for each way of waiting, so that a 429 or a slow call of one never holds up another. */
export interface SlackClients {
  /** Questions asked while a person waits: short timeout, no retries. */
  readonly lookups: WebClient;
  /** Posts, edits and uploads. */
  readonly posts: WebClient;
  /** Calls at start, repeated for half an hour while Slack cannot be reached. */
  readonly patient: WebClient;
}

/** @param options.slackApiUrl another server than Slack's, ending in `/api/` */
export function createSlackClients(options: {
  botToken: string;
  slackApiUrl: string | undefined;
  log: Logger;
}): SlackClients {
  const { botToken, slackApiUrl, log } = options;
  const shared: WebClientOptions = {
    logger: boltLogger(log),
    ...(slackApiUrl === undefined ? {} : { slackApiUrl }),
  };
  return {
    lookups: new WebClient(botToken, {
      ...shared,
      timeout: lookupTimeoutMs,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
    }),
    posts: createPublisherClient(botToken, shared),
    patient: new WebClient(botToken, { ...shared, timeout: patientTimeoutMs }),
  };
}
