import { setTimeout as sleep } from 'node:timers/promises';
import type { WebClient } from '@slack/web-api';
import type { Logger } from 'pino';
import { SettingsError } from '../../fleet/errors.ts';
import type { DirtyView, SlackBudget, Views } from '../ports.ts';
import type { RecordTools } from './record-parts.ts';
import { Refresher } from './refresher.ts';
import { longestRefreshMs, type PublisherSettings, publisherDefaults } from './settings.ts';
import { SlackDesk } from './slack-desk.ts';

export interface PublisherOptions extends Omit<RecordTools, 'settings'> {
  /** From `createPublisherClient`: it must neither repeat calls nor hold others back after a 429. */
  readonly client: WebClient;
  readonly views: Views;
  readonly budget: SlackBudget;
  readonly log: Logger;
  readonly settings?: Partial<PublisherSettings>;
}

/** Keeps Slack a view of the records. Any number of processes may run one; leases keep them apart. */
export interface Publisher {
  start(): void;
  /** Takes nothing new and resolves when everything in flight is finished. */
  stop(): Promise<void>;
}

/**
 * A publisher, not started yet.
 * @throws SettingsError when a refresh may take longer than its lease: two processes would post the same thing
 */
export function createPublisher(options: PublisherOptions): Publisher {
  const { budget, client, clock, log, views } = options;
  const settings = { ...publisherDefaults, ...options.settings };
  const longestMs = longestRefreshMs(settings);
  if (views.leaseMs <= longestMs) {
    throw new SettingsError(
      `A view is leased for ${views.leaseMs} ms, but bringing it up to date may take ${longestMs} ms. Set viewLeaseMs of the queue above that, or lower refreshLimitMs of the publisher.`,
    );
  }
  const refresher = new Refresher({ ...options, settings, desk: new SlackDesk(client, budget, clock) });
  const stopping = new AbortController();
  const inFlight = new Set<Promise<void>>();
  let loop: Promise<void> = Promise.resolve();

  const pause = (ms: number) => sleep(ms, undefined, { signal: stopping.signal }).catch(() => undefined);

  async function refresh(dirty: DirtyView): Promise<void> {
    try {
      await refresher.refresh(dirty);
    } catch (error) {
      // The lease runs out and somebody takes the view again.
      log.error({ err: error, id: dirty.id }, 'view could not be brought up to date');
    }
  }

  async function take(limit: number): Promise<readonly DirtyView[] | undefined> {
    try {
      return await views.take(limit);
    } catch (error) {
      log.error({ err: error }, 'dirty views could not be read');
      return undefined;
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const taken = await take(settings.parallelism - inFlight.size);
      for (const dirty of taken ?? []) {
        const work = refresh(dirty).finally(() => inFlight.delete(work));
        inFlight.add(work);
      }
      if (taken === undefined) await pause(settings.storeRetryMs);
      else if (inFlight.size >= settings.parallelism) await Promise.race(inFlight);
      else if (taken.length === 0) await pause(settings.pollIntervalMs);
    }
    await Promise.all(inFlight);
  }

  return {
    start() {
      loop = run();
    },
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}
