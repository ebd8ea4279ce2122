import { setTimeout as sleep } from 'node:timers/promises';
import type { Middleware, SlackEventMiddlewareArgs } from '@slack/bolt';
import type { Logger } from 'pino';
import { z } from 'zod';
import { StoreUnavailableError } from '../fleet/errors.ts';
import type { AlertMessages, BotMeter, Clock, SlackIdentity } from './ports.ts';

/** How messages are kept that could not be stored at once. */
export interface AlertRetrySettings {
  /** How long one is tried again; then it is lost, and the log says so. */
  readonly retryForMs: number;
  readonly retryPauseMs: number;
  /** How many are kept in memory for another try; what comes beyond is lost, and the log says so. */
  readonly waitingMax: number;
}

export const defaultAlertRetrySettings: AlertRetrySettings = {
  retryForMs: 300_000,
  retryPauseMs: 2_000,
  waitingMax: 2_000,
};

/** What an event comes in (docs.slack.dev/apis/events-api). */
const envelopeSchema = z.object({ event_id: z.string(), api_app_id: z.string().optional() });

/**
 * Hands every event `message` that tells alerts to whoever takes them. Slack has its acknowledgement before a listener runs, and does
 * not send again what was acknowledged: a message that cannot be stored is tried again from here. Those that come
 * meanwhile wait behind it, so that an alert is not resolved before it fires.
 * @param options.us who we are, as far as Slack told at the start
 * @param options.signal aborts when nothing can be waited for any more
 */
export function alertMessages({
  alerts,
  us,
  meter,
  clock,
  signal,
  log,
  settings,
}: {
  readonly alerts: AlertMessages;
  readonly us: () => Omit<SlackIdentity, 'appId'>;
  readonly meter: BotMeter;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly settings: AlertRetrySettings;
}): Middleware<SlackEventMiddlewareArgs<'message'>> {
  let waiting = 0;
  /** All of them wait for the same, and are tried again in the order in which they came. */
  let pause: Promise<void> | undefined;
  return async ({ event, body }) => {
    const { event_id: eventId, api_app_id: appId } = envelopeSchema.parse(body);
    const delivery = { eventId, us: { ...us(), appId } };
    if (!alerts.tells(event, delivery.us)) return;
    const giveUpAt = clock() + settings.retryForMs;
    let isWaiting = false;
    let problem: StoreUnavailableError | undefined;
    try {
      do {
        if (pause === undefined) {
          problem = await alerts.take(event, delivery).then(() => undefined, storeProblem);
          if (problem === undefined) return;
          pause ??= sleep(settings.retryPauseMs, undefined, { signal })
            .catch(() => undefined)
            .then(() => {
              pause = undefined;
            });
        }
        if (clock() >= giveUpAt || (!isWaiting && waiting >= settings.waitingMax)) break;
        if (!isWaiting) {
          isWaiting = true;
          waiting += 1;
        }
        await pause;
      } while (!signal.aborted);
    } finally {
      if (isWaiting) waiting -= 1;
    }
    const { channel, ts } = event;
    log.error({ err: problem, eventId, channel, ts }, 'an alert message is lost: it could not be stored');
    meter.alertMessageLost();
  };
}

/** Anything else than a store that is away would be the same at the next try. */
function storeProblem(error: unknown): StoreUnavailableError {
  if (error instanceof StoreUnavailableError) return error;
  throw error;
}
