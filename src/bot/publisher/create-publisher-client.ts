import { WebClient, type WebClientOptions } from '@slack/web-api';

/** How long one call to Slack may take. The library's default is for ever. */
export const slackCallTimeoutMs = 7_000;

/**
 * A client that never repeats a call by itself (a repeated post would be a second message) and reports a 429
 * at once instead of holding back every other call.
 */
export function createPublisherClient(
  token: string,
  options: Pick<WebClientOptions, 'slackApiUrl' | 'logger'> = {},
): WebClient {
  return new WebClient(token, {
    ...options,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: slackCallTimeoutMs,
  });
}
