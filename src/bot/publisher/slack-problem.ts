import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError } from '@slack/web-api';

/** Why something does not stand in Slack as it should. */
export type SlackProblem =
  /** It is not its turn yet. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** Slack asked for a pause (429). */
  | { readonly kind: 'rate-limited'; readonly retryAfterMs: number }
  /** No answer, or one that says that Slack itself is in trouble. The call may have been carried out. */
  | { readonly kind: 'unreachable'; readonly code: string }
  /** The message, or the root of its thread, is not there any more, or can no longer be edited or answered. */
  | { readonly kind: 'gone'; readonly code: string }
  /** Slack will refuse again until people change something. */
  | { readonly kind: 'refused'; readonly code: string };

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: SlackProblem };

/** Errors of docs.slack.dev/reference/methods that say that the message itself is the trouble. */
const goneCodes = new Set([
  'message_not_found',
  'thread_not_found',
  'cannot_reply_to_message',
  'cant_update_message',
  'edit_window_closed',
]);

const slackInTroubleCodes = new Set([
  'fatal_error',
  'internal_error',
  'service_unavailable',
  'request_timeout',
  'team_added_to_org',
]);

/** Where Slack says `ratelimited` in the body and names no time. */
const unnamedPauseMs = 30_000;

/** Sorts what a call of the Web API threw. */
export function slackProblem(error: unknown): SlackProblem {
  if (error instanceof WebAPIRateLimitedError) {
    return { kind: 'rate-limited', retryAfterMs: error.retryAfter * 1_000 };
  }
  if (error instanceof WebAPIPlatformError) {
    const code = error.data.error;
    if (code === 'ratelimited' || code === 'rate_limited') {
      return { kind: 'rate-limited', retryAfterMs: unnamedPauseMs };
    }
    if (goneCodes.has(code)) return { kind: 'gone', code };
    if (slackInTroubleCodes.has(code)) return { kind: 'unreachable', code };
    return { kind: 'refused', code };
  }
  if (error instanceof WebAPIHTTPError) return { kind: 'unreachable', code: `HTTP ${error.statusCode}` };
  return { kind: 'unreachable', code: error instanceof Error ? error.message : String(error) };
}
