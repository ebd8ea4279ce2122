import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { ask } from './connect.ts';
import type { Keys } from './keys.ts';
import type { QueueSettings } from './queue-settings.ts';
import { type SigningAsk, type SigningReply, storedAsk } from './signing-ask.ts';

/** How long one blocking read waits; a connection that is silent for longer than a few of them is replaced. */
const blockSeconds = 5;
/** How long a signer is taken to be there after it last looked; a few of its looks. */
const seenForMs = 20_000;

export interface SigningAsksOptions {
  /** A connection for requests. */
  readonly redis: Redis;
  /** Opens one for workers: who waits on a connection keeps everybody else on it waiting. */
  readonly connect: () => Redis;
  readonly keys: Keys;
  readonly clock: () => number;
  readonly settings: QueueSettings;
  readonly log: Logger;
}

/** The signer's SigningAsks in Redis. */
export class RedisSigningAsks {
  readonly #options: SigningAsksOptions;
  #connection: Redis | undefined;
  /** Whether the last look came to an end, and when a look last began after one that did. */
  #lookWorked = true;
  #lookedAt: number | undefined;

  constructor(options: SigningAsksOptions) {
    this.#options = options;
  }

  /**
   * Waits for the next wish, and for a Redis that is away. undefined when `signal` aborts; a wish that arrives in that
   * moment is sent again by its worker.
   */
  async next(signal: AbortSignal): Promise<SigningAsk | undefined> {
    const { promise: aborted, resolve } = Promise.withResolvers<undefined>();
    const leave = (): void => {
      this.disconnect();
      resolve(undefined);
    };
    signal.addEventListener('abort', leave, { once: true });
    try {
      while (!signal.aborted) {
        if (this.#lookWorked) this.#beSeen();
        this.#lookWorked = false;
        this.#connection ??= this.#options.connect();
        const pop = this.#connection.bzpopmin(this.#options.keys.signerAsks(), blockSeconds);
        const popped = await Promise.race([pop, aborted]);
        this.#lookWorked = true;
        const wish = popped ? this.#read(popped[1]) : undefined;
        if (wish !== undefined) return wish;
      }
      return undefined;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  /** Rejects with StoreUnavailableError like requests do. */
  async answer({ id }: SigningAsk, reply: SigningReply): Promise<void> {
    const { redis, keys, settings } = this.#options;
    const kept = redis.set(keys.signerReply(id), JSON.stringify(reply), 'PX', settings.signReplyKeptMs);
    await ask('answer what was to be signed', kept);
  }

  /** Whether it looks for wishes, and can: false before the first `next`. */
  isLooking(): boolean {
    return this.#lookedAt !== undefined && this.#options.clock() - this.#lookedAt < seenForMs;
  }

  disconnect(): void {
    this.#connection?.disconnect();
    this.#connection = undefined;
  }

  /** Only so that people can be told where there is no signer: nothing depends on it. */
  #beSeen(): void {
    const { redis, keys, clock, log } = this.#options;
    this.#lookedAt = clock();
    redis.set(keys.signerSeen(), 1, 'PX', seenForMs).catch((error: unknown) => {
      log.debug({ err: error }, 'the signer could not say that it is there');
    });
  }

  /** Whoever can write to Redis may write anything: what cannot be read is only logged. */
  #read(text: string): SigningAsk | undefined {
    try {
      return storedAsk.parse(text);
    } catch (error) {
      this.#options.log.warn({ err: error }, 'a wish to the signer that is none');
      return undefined;
    }
  }
}
