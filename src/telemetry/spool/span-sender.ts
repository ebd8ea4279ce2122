import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import type { Delivery } from './export-spans.ts';
import { inHalves } from './in-halves.ts';
import type { Batch } from './segment-reader.ts';

/** When spans are sent, in milliseconds. */
export interface SendTimings {
  /** Spans wait this long for others to be sent with. */
  readonly batchDelayMs: number;
  /** The pause after MLflow took nothing; each one after it is twice as long … */
  readonly retryMinMs: number;
  /** … up to this. */
  readonly retryMaxMs: number;
}

export interface SpanSenderOptions {
  /** The next spans; undefined where there are none at the moment. */
  readonly next: () => Promise<Batch | undefined>;
  readonly deliver: (spans: readonly ReadableSpan[]) => Promise<Delivery>;
  /** Told of each span that MLflow will never take. */
  readonly refuse: (span: ReadableSpan, error: Error | undefined) => Promise<void>;
  readonly explain: (error: Error | undefined) => string;
  readonly timings: SendTimings;
  readonly log: Logger;
}

/** How often a span is tried that MLflow alone refuses, where it has taken none that could be compared with it. */
const doubtfulAttempts = 20;

/**
 * Sends spans one batch after the other, and tries a batch for ever that MLflow does not take for a while. A batch
 * in which MLflow refuses a span is halved until that span is alone. The first failure of a streak is logged with
 * its cure, and the end of the streak.
 */
export class SpanSender {
  readonly #options: SpanSenderOptions;
  readonly #waiters = new Set<() => void>();
  #news = Promise.withResolvers<void>();
  #hurry = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  #stopped = false;
  /** There may be more than `next` has said. */
  #more = true;
  #isHeldBack = false;
  #exported = 0;
  /** The last one that MLflow has taken: taking it again changes nothing there. */
  #taken: ReadableSpan | undefined;
  #oldest: number | undefined;

  constructor(options: SpanSenderOptions) {
    this.#options = options;
  }

  get exported(): number {
    return this.#exported;
  }

  /** When the oldest span ended that was tried and not taken, in milliseconds since the epoch. */
  get oldest(): number | undefined {
    return this.#oldest;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** There is more to send, soon. */
  notify(): void {
    this.#more = true;
    this.#news.resolve();
  }

  /** Sends without delay. Resolves when all is sent, or an attempt that began after this call has failed. */
  flush(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.add(resolve);
    this.#more = true;
    this.#hurry.resolve();
    return promise;
  }

  /** Begins nothing new. Resolves when what is on its way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#hurry.resolve();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { next, timings, log } = this.#options;
    while (!this.#stopped) {
      this.#more = false;
      try {
        const batch = await next();
        if (batch) await this.#send(batch);
        else if (!this.#more) await this.#rest();
      } catch (error) {
        log.warn({ err: error }, 'spans that wait cannot be read; another attempt follows');
        this.#settle();
        await this.#pause(timings.retryMaxMs);
      }
    }
    this.#settle();
  }

  async #send(batch: Batch): Promise<void> {
    this.#oldest = endOf(batch.spans[0]);
    const isSent = await inHalves(batch.spans, (spans) => this.#insist(spans), this.#options.refuse);
    if (!isSent) return;
    await batch.done();
    this.#oldest = undefined;
  }

  /** Sends until MLflow has taken or refused them, or the sender is stopped. */
  async #insist(spans: readonly ReadableSpan[]): Promise<Delivery> {
    const { timings, explain, log } = this.#options;
    let pauseMs = timings.retryMinMs;
    for (let attempt = 1; ; attempt += 1) {
      const waiters = [...this.#waiters];
      const delivery = await this.#attempt(spans, attempt);
      if (delivery.outcome === 'taken') this.#exported += spans.length;
      if (delivery.outcome !== 'held') {
        if (this.#isHeldBack) log.info('MLflow answers again: spans that waited are sent');
        this.#isHeldBack = false;
        return delivery;
      }
      if (!this.#isHeldBack)
        log.warn(
          { heldSpans: spans.length },
          `${explain(delivery.error)} These spans wait, on disk or else in memory, and are sent again: none of them is lost so far.`,
        );
      this.#isHeldBack = true;
      this.#settle(waiters);
      if (!this.#stopped) await this.#pause(pauseMs);
      if (this.#stopped) return delivery;
      pauseMs = Math.min(pauseMs * 2, timings.retryMaxMs);
    }
  }

  /** Never `doubtful`: where MLflow does not take a span either that it has taken before, nothing is wrong with this one. */
  async #attempt(spans: readonly ReadableSpan[], attempt: number): Promise<Delivery> {
    const { deliver } = this.#options;
    const delivery = await deliver(spans);
    if (delivery.outcome === 'taken') this.#taken = spans.at(-1);
    if (delivery.outcome !== 'doubtful') return delivery;
    const isWrong =
      spans.length > 1 ||
      (this.#taken ? (await deliver([this.#taken])).outcome === 'taken' : attempt >= doubtfulAttempts);
    return { outcome: isWrong ? 'refused' : 'held', error: delivery.error };
  }

  /** Until there is more, and some time for others to join it; not where somebody waits. */
  async #rest(): Promise<void> {
    this.#settle();
    await Promise.race([this.#news.promise, this.#hurry.promise]);
    this.#news = Promise.withResolvers();
    if (this.#waiters.size === 0 && !this.#stopped) await this.#pause(this.#options.timings.batchDelayMs);
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    timer.unref();
    await Promise.race([promise, this.#hurry.promise]);
    clearTimeout(timer);
    this.#hurry = Promise.withResolvers();
  }

  /** Those that wait for a flush have their answer. */
  #settle(waiters: Iterable<() => void> = this.#waiters): void {
    for (const resolve of waiters) {
      resolve();
      this.#waiters.delete(resolve);
    }
  }
}

const [msPerSecond, nanosecondsPerMs] = [1_000, 1_000_000];

function endOf(span: ReadableSpan | undefined): number | undefined {
  return span && span.endTime[0] * msPerSecond + span.endTime[1] / nanosecondsPerMs;
}
