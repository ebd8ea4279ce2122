import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { SignedCapsule } from '../fleet/capsule.ts';
import { SignerError } from '../fleet/errors.ts';
import type { Run } from '../fleet/run.ts';
import { ask } from './connect.ts';
import type { RandomBytes } from './ids.ts';
import type { Keys } from './keys.ts';
import type { QueueSettings } from './queue-settings.ts';
import { type SigningAsk, type SigningReply, storedReply } from './signing-ask.ts';

const idBytes = 16;

export interface SignerOptions {
  /** A connection for requests. */
  readonly redis: Redis;
  readonly keys: Keys;
  readonly clock: () => number;
  readonly random: RandomBytes;
  readonly settings: QueueSettings;
}

/** The supervisors' Signer: puts wishes where signers find them. Rejects with StoreUnavailableError like requests do. */
export class RedisSigner {
  readonly #options: SignerOptions;

  constructor(options: SignerOptions) {
    this.#options = options;
  }

  /** @throws SignerError, the signal's reason */
  async capsule(
    { run, fence, traceparent }: { readonly run: Run; readonly fence: number; readonly traceparent: string },
    signal: AbortSignal,
  ): Promise<SignedCapsule> {
    const { redis, keys, random } = this.#options;
    const id = Buffer.from(random(idBytes)).toString('hex');
    const { machine } = run.request;
    const wish = JSON.stringify({ id, run: run.id, machine, fence, traceparent } satisfies SigningAsk);
    try {
      const reply = await this.#replyTo(id, wish, signal);
      if ('signed' in reply) return reply.signed;
      throw new SignerError('signer-refused', reply.refused);
    } finally {
      // One that stays is signed for nobody, or refused.
      await redis.zrem(keys.signerAsks(), wish).catch(() => undefined);
    }
  }

  /** Whether a signer looked for wishes a moment ago. */
  async seen(): Promise<boolean> {
    const { redis, keys } = this.#options;
    return (await ask('look for a signer', redis.exists(keys.signerSeen()))) === 1;
  }

  async #replyTo(id: string, wish: string, signal: AbortSignal): Promise<SigningReply> {
    const { redis, keys, clock, settings } = this.#options;
    const begunAt = clock();
    let askAt = begunAt;
    for (;;) {
      signal.throwIfAborted();
      const now = clock();
      if (now >= begunAt + settings.signTimeoutMs) throw away(settings.signTimeoutMs);
      if (now >= askAt) {
        // One that no signer has taken yet keeps its place.
        await ask('ask for a signature', redis.zadd(keys.signerAsks(), 'NX', now, wish));
        askAt = now + settings.signResendMs;
      }
      const reply = await ask('look for the signature', redis.get(keys.signerReply(id)));
      if (reply !== null) return storedReply.parse(reply);
      await sleep(settings.signPollIntervalMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

function away(timeoutMs: number): SignerError {
  return new SignerError(
    'signer-away',
    `No signer answered within ${timeoutMs / 1_000} s, so nothing was changed. Look whether a fleetbot with FLEETBOT_ROLE=signer runs, then ask for the action again.`,
  );
}
