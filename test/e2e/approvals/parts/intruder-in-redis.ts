import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { approvalSchema, type Vote } from '../../../../src/fleet/approval.ts';
import type { SignedCapsule } from '../../../../src/fleet/capsule.ts';
import type { Run } from '../../../../src/fleet/run.ts';
import { Keys } from '../../../../src/queue/keys.ts';
import { queueDefaults } from '../../../../src/queue/queue-settings.ts';
import { type SigningReply, storedReply } from '../../../../src/queue/signing-ask.ts';
import { Wakes } from '../../../../src/queue/wakes.ts';
import { eventually } from '../../parts/eventually.ts';

/** Somebody who can write whatever they like into Redis, and has none of the keys. */
export class IntruderInRedis implements Disposable {
  readonly #redis: Redis;
  readonly #keys = new Keys(queueDefaults.prefix);
  readonly #wakes: Wakes;

  constructor(url: string) {
    this.#redis = new Redis(url, { maxRetriesPerRequest: null });
    this.#wakes = new Wakes(this.#redis, queueDefaults.prefix, pino({ level: 'silent' }));
  }

  /** Has a run that waits for people look as if they had approved it by these votes, and gives it to its machine. */
  async approve(run: Run, votes: readonly Vote[], changes: Partial<Run> = {}): Promise<void> {
    const keys = this.#keys;
    const { machine } = run.request;
    const at = Date.now();
    const approval = approvalSchema.parse({ ...run.approval, ...changes.approval, state: 'approved', votes });
    const timeline = [...run.timeline, { state: 'approved', at }];
    const forged = {
      ...run,
      ...changes,
      state: 'approved',
      timeline,
      approval: { ...approval, settledAt: at },
    };
    await this.#redis
      .multi()
      .hset(keys.run(run.id), { body: JSON.stringify(forged), state: 'approved' })
      .zrem(keys.approvalsWaiting(), run.id)
      .zrem(keys.approvalsAsked(), run.id)
      .lrem(keys.awaiting(machine), 1, run.id)
      .lpush(keys.inbox(machine), run.id)
      .sadd(keys.busy(), machine)
      .exec();
    await this.#wakes.wake([machine]);
  }

  /** Asks the signer as a worker does; resolves with its answer. */
  async askSigner({ id: run, request: { machine } }: Run, fence: number): Promise<SigningReply> {
    const id = randomBytes(16).toString('hex');
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const wish = JSON.stringify({ id, run, machine, fence, traceparent });
    await this.#redis.zadd(this.#keys.signerAsks(), Date.now(), wish);
    return eventually(async () => storedReply.parse(await this.#redis.get(this.#keys.signerReply(id))));
  }

  /** Every capsule that still lies there. */
  async capsules(): Promise<readonly SignedCapsule[]> {
    const names = await this.#redis.keys(`${this.#keys.prefix.replace(/[{}]/g, '\\$&')}signer:reply:*`);
    const replies = await Promise.all(names.map((name) => this.#redis.get(name)));
    return replies.flatMap((reply) => {
      const read = storedReply.parse(reply);
      return 'signed' in read ? [read.signed] : [];
    });
  }

  [Symbol.dispose](): void {
    this.#redis.disconnect();
  }
}
