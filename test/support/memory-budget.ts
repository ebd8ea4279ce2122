import type { SlackBudget } from '../../src/bot/ports.ts';

/** The `SlackBudget` port in memory: no limits of its own, but a 429 is honoured by method and channel. */
export class MemoryBudget implements SlackBudget {
  readonly #until = new Map<string, number>();

  async take(method: string, channel: string): Promise<number> {
    return Math.max(0, (this.#until.get(`${method} ${channel}`) ?? 0) - Date.now());
  }

  async block(method: string, channel: string, retryAfterMs: number): Promise<void> {
    this.#until.set(`${method} ${channel}`, Date.now() + retryAfterMs);
  }
}
