import type { Redis } from 'ioredis';
import { z } from 'zod';
import { StoreUnavailableError } from '../fleet/errors.ts';
import type { Durability } from './safety.ts';

const waitaofReply = z.tuple([z.int(), z.int()]);

/**
 * Makes sure that what one connection wrote is on the server's disk. One WAITAOF is under way at a time;
 * who asks meanwhile shares the next one, so that load does not multiply them.
 * Protocol: `WAITAOF numlocal numreplicas timeout` answers how many fsynced (Redis 7.2, Valkey).
 */
export class Disk {
  readonly #redis: Redis;
  readonly #durability: Durability;
  readonly #timeoutMs: number;
  #underWay: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(redis: Redis, durability: Durability, timeoutMs: number) {
    this.#redis = redis;
    this.#durability = durability;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Resolves when everything that was written over this connection before the call is on disk.
   * @throws StoreUnavailableError when it is not within the limit
   */
  confirm(): Promise<void> {
    if (this.#durability !== 'waitaof') return Promise.resolve();
    this.#next ??= this.#underWay.then(() => {
      this.#next = undefined;
      const wait = this.#wait();
      this.#underWay = wait.catch(() => undefined);
      return wait;
    });
    return this.#next;
  }

  async #wait(): Promise<void> {
    const [local] = waitaofReply.parse(await this.#redis.call('WAITAOF', 1, 0, this.#timeoutMs));
    if (local >= 1) return;
    throw new StoreUnavailableError(
      `Redis did not put it on disk within ${this.#timeoutMs} ms, so it is not confirmed: it may be lost in a crash. Check the disk of the Redis server.`,
    );
  }
}
