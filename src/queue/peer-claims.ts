import { z } from 'zod';
import type { PeerClaim } from '../fleet/peers.ts';
import { ask } from './connect.ts';
import type { StoreOptions } from './store-options.ts';

const claimedReply = z.array(z.string());

/**
 * Which machines were asked about which trouble because of another machine's run. Rejects with StoreUnavailableError
 * like requests do.
 */
export class RedisPeerClaims {
  readonly #options: Pick<StoreOptions, 'redis' | 'keys'>;

  constructor(options: Pick<StoreOptions, 'redis' | 'keys'>) {
    this.#options = options;
  }

  /**
   * Claims each machine for those of the troubles for which no other run has claimed it, and the run's own machine as
   * one that needs not be asked. The same run gets the same machines again. What is accepted afterwards is on disk
   * only after the claims are.
   * @returns those that it has claimed for any of them: the run may ask these
   */
  async claim(wish: PeerClaim, windowMs: number): Promise<readonly string[]> {
    return this.#run('claim the machines', wish, Math.ceil(windowMs));
  }

  /** Gives back what the run has claimed of these machines: they were not asked. */
  async release(wish: PeerClaim): Promise<void> {
    await this.#run('give the machines back', wish, 0);
  }

  async #run(what: string, { run, check, troubles, machines }: PeerClaim, ms: number) {
    const { redis, keys } = this.#options;
    const args = [run.id, ms, run.request.machine, check, troubles.length, ...troubles, ...machines];
    return claimedReply.parse(await ask(what, redis.claimPeers(keys.prefix, ...args)));
  }
}
