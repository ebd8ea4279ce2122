import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { z } from 'zod';
import { type Cancellation, cancellationSchema } from '../fleet/run.ts';
import type { Keys } from './keys.ts';
import { storedCancellation } from './records.ts';

type Callback = (cancellation: Cancellation) => void;

const messageSchema = z.object({ runId: z.string(), cancellation: cancellationSchema });

/** What `cancel` publishes for the workers. */
export function cancellationMessage(runId: string, cancellation: Cancellation): string {
  return JSON.stringify({ runId, cancellation });
}

/**
 * How often the record is looked at for a run that is listened to: makes up for what was published while the
 * connection was down, or dead without anybody's knowing.
 */
const lookUpIntervalMs = 5_000;

/** Tells listeners in this process when a run is cancelled in any. */
export class Cancellations {
  readonly #redis: Redis;
  readonly #subscriber: Redis;
  readonly #keys: Keys;
  readonly #log: Logger;
  readonly #callbacks = new Map<string, Set<Callback>>();

  /** `subscriber` is a connection of its own: one that subscribes can do nothing else. */
  constructor(redis: Redis, subscriber: Redis, keys: Keys, log: Logger) {
    this.#redis = redis;
    this.#subscriber = subscriber;
    this.#keys = keys;
    this.#log = log;
    subscriber.on('message', (channel: string, text: string) => {
      if (channel === keys.cancelled()) this.#hear(text);
    });
  }

  /** Starts to receive. */
  async start(): Promise<void> {
    await this.#subscriber.subscribe(this.#keys.cancelled());
  }

  /** Calls back once, also when the run is cancelled already. Returns how to stop listening. */
  listen(runId: string, callback: Callback): () => void {
    const callbacks = this.#callbacks.get(runId) ?? new Set();
    this.#callbacks.set(runId, callbacks.add(callback));
    this.#lookUp(runId);
    const timer = setInterval(() => this.#lookUp(runId), lookUpIntervalMs);
    return () => {
      clearInterval(timer);
      callbacks.delete(callback);
      if (callbacks.size === 0 && this.#callbacks.get(runId) === callbacks) this.#callbacks.delete(runId);
    };
  }

  /** Whoever can publish may publish anything: what cannot be read is only logged. */
  #hear(text: string): void {
    try {
      const { runId, cancellation } = messageSchema.parse(JSON.parse(text));
      this.#tell(runId, cancellation);
    } catch (error) {
      this.#log.warn({ err: error }, 'a message that is no cancellation');
    }
  }

  #tell(runId: string, cancellation: Cancellation): void {
    const callbacks = this.#callbacks.get(runId);
    this.#callbacks.delete(runId);
    for (const callback of callbacks ?? []) callback(cancellation);
  }

  #lookUp(runId: string): void {
    this.#redis
      .hget(this.#keys.run(runId), 'cancellation')
      .then((text) => text !== null && this.#tell(runId, storedCancellation.parse(text)))
      .catch((error: unknown) => this.#log.warn({ err: error, run: runId }, 'cancellation not looked up'));
  }
}
