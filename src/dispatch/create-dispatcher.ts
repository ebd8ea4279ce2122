import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

/** One thing that comes due by itself: incidents, schedules, the next wave, the end of a silence, a call. */
export interface Duty {
  /** For logs. */
  readonly name: string;
  /**
   * Does what is due now, in any order, and may be broken off at any point: what it did is stored in such a way that
   * doing it again changes nothing. Aborts with `signal`, when another process leads.
   */
  run(signal: AbortSignal): Promise<void>;
}

export interface DispatcherOptions {
  readonly duties: readonly Duty[];
  /** Calls `work` in one process at a time (see `Leadership` of the queue); resolves when `signal` aborts. */
  readonly lead: (work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal) => Promise<void>;
  /** Pause between two looks of a duty at what is due. */
  readonly intervalMs: number;
  readonly log: Logger;
}

/** Does what comes due, in one process at a time over all bots. */
export interface Dispatcher {
  start(): void;
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>;
}

/** How often each duty looks for what is due. */
export const dispatchIntervalMs = 500;

/** A dispatcher, not started yet. Its duties do not wait for one another; what one throws is logged, once in a row. */
export function createDispatcher({ duties, lead, intervalMs, log }: DispatcherOptions): Dispatcher {
  const stopping = new AbortController();
  let leading: Promise<void> = Promise.resolve();

  async function repeat({ name, run }: Duty, signal: AbortSignal): Promise<void> {
    let failed = false;
    while (!signal.aborted) {
      try {
        await run(signal);
        failed = false;
      } catch (error) {
        if (!failed && !signal.aborted) log.warn({ err: error, duty: name }, 'a duty failed; trying again');
        failed = true;
      }
      await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
    }
  }

  return {
    start() {
      leading = lead(async (signal) => {
        await Promise.all(duties.map((duty) => repeat(duty, signal)));
      }, stopping.signal);
    },
    async stop() {
      stopping.abort();
      await leading;
    },
  };
}
