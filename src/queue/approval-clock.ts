import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { StoreUnavailableError } from '../fleet/errors.ts';
import { passTime } from '../fleet/pass-time.ts';
import type { Run } from '../fleet/run.ts';
import type { Settled } from '../fleet/settle.ts';
import type { RedisApprovals } from './approvals.ts';

export interface ApprovalClockOptions {
  readonly approvals: Pick<RedisApprovals, 'due' | 'change'>;
  readonly pollIntervalMs: number;
  readonly clock: () => number;
  /** Called with each run that ended here because nobody answered. */
  readonly onExpired: (run: Run) => void;
  readonly log: Logger;
}

/**
 * Lets time pass for questions: people are reminded, others are asked, and in the end it is no. Any number of workers
 * may: each moment passes once.
 */
export class ApprovalClock {
  readonly #options: ApprovalClockOptions;
  readonly #stopping = new AbortController();
  #ticking: Promise<void> = Promise.resolve();
  #isAway = false;
  /** Runs about which it was told that their time does not pass. */
  readonly #stuck = new Set<string>();

  constructor(options: ApprovalClockOptions) {
    this.#options = options;
  }

  start(): void {
    this.#ticking = this.#tickOn();
  }

  /** Resolves when it has stopped. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ticking;
  }

  async #tickOn(): Promise<void> {
    const { pollIntervalMs, log } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#tick();
        this.#isAway = false;
      } catch (error) {
        if (!this.#isAway) log.warn({ err: error }, 'the time of questions does not pass; trying again');
        this.#isAway = true;
      }
      await sleep(pollIntervalMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #tick(): Promise<void> {
    const { approvals, clock, log } = this.#options;
    for (const id of await approvals.due(clock())) {
      if (this.#stopping.signal.aborted) return;
      try {
        await this.#pass(id);
      } catch (error) {
        if (error instanceof StoreUnavailableError) throw error;
        // A record that cannot be read keeps no other question open.
        if (!this.#stuck.has(id)) log.error({ err: error, run: id }, 'the time of a question does not pass');
        this.#stuck.add(id);
      }
    }
  }

  async #pass(id: string): Promise<void> {
    const { approvals, clock, onExpired, log } = this.#options;
    let passed: Settled | undefined;
    const run = await approvals.change(id, (waiting) => {
      passed = passTime(waiting, clock());
      return passed;
    });
    if (run === undefined || run !== passed?.run) return;
    const { machine } = run.request;
    log.info({ run: id, machine, trace: run.trace.traceId, state: run.approval?.state }, 'time passed');
    if (run.state === 'done') onExpired(run);
  }
}
