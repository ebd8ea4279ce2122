import type { Redis } from 'ioredis';
import { z } from 'zod';
import { ask } from './connect.ts';
import type { Keys } from './keys.ts';
import { type Limit, type MethodLimits, otherMethod } from './slack-limits.ts';
import type { ViewPriority } from './view-score.ts';

const minuteMs = 60_000;

/**
 * The bot's SlackBudget: token buckets in Redis on Redis' clock, so that all bot processes share them.
 * Rejects with StoreUnavailableError like requests do.
 */
export class RedisSlackBudget {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #limits: ReadonlyMap<string, MethodLimits>;

  constructor(redis: Redis, keys: Keys, limits: ReadonlyMap<string, MethodLimits>) {
    this.#redis = redis;
    this.#keys = keys;
    this.#limits = limits;
  }

  async take(method: string, channel: string, priority: ViewPriority): Promise<number> {
    const limits = this.#limits.get(method) ?? otherMethod;
    const bucket = (name: string, limit: Limit) => [
      name,
      limit.burst,
      limit.perMinute / minuteMs,
      limit.reserve[priority],
    ];
    const perChannel = limits.channel === undefined ? [] : bucket(`${method}:${channel}`, limits.channel);
    const reply = await ask(
      'take from the budget of Slack calls',
      this.#redis.takeBudget(this.#keys.prefix, ...bucket(method, limits.workspace), ...perChannel),
    );
    return z.int().parse(reply);
  }

  async block(method: string, channel: string, retryAfterMs: number): Promise<void> {
    const bucket = this.#limits.get(method)?.channel === undefined ? method : `${method}:${channel}`;
    await ask(
      'block a Slack method',
      this.#redis.set(this.#keys.blocked(bucket), 1, 'PX', Math.max(1, Math.ceil(retryAfterMs))),
    );
  }
}
