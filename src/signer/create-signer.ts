import type { KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { approvalIdOf } from '../fleet/approval.ts';
import { StoreUnavailableError } from '../fleet/errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Clock, Ledger, Runs, SignerMeter, SigningAsk, SigningAsks, SigningReply } from './ports.ts';
import { signCapsule } from './sign-capsule.ts';

const defaultRetryIntervalMs = 1_000;

export interface SignerOptions {
  readonly asks: SigningAsks;
  readonly runs: Runs;
  readonly ledger: Ledger;
  readonly meter: SignerMeter;
  /** The signer's own fleet file. */
  readonly fleet: () => Fleet;
  /** Ed25519, private. */
  readonly capsuleKey: KeyObject;
  /** Ed25519: the bots' public keys. */
  readonly decisionKeys: readonly KeyObject[];
  readonly capsuleLifetimeMs: number;
  readonly requestMaxAgeMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long nothing is tried after Redis failed. */
  readonly retryIntervalMs?: number;
}

export interface Signer {
  /** Begins to serve. Once. */
  start(): void;
  /** Takes no more wishes; resolves when the one at hand is answered. */
  stop(): Promise<void>;
}

/**
 * Serves workers' wishes for capsules one after the other. Every answer is in the ledger before it is given; a wish
 * that cannot be answered now is left to the worker, which repeats it. Never throws.
 */
export function createSigner(options: SignerOptions): Signer {
  const { asks, log, retryIntervalMs = defaultRetryIntervalMs } = options;
  const stopping = new AbortController();
  let serving = Promise.resolve();

  const serve = async (): Promise<void> => {
    const { signal } = stopping;
    while (!signal.aborted) {
      try {
        const ask = await asks.next(signal);
        if (ask !== undefined) await answer(ask, options);
      } catch (error) {
        log.warn({ err: error }, 'a wish to the signer cannot be served now; its worker repeats it');
        await sleep(retryIntervalMs, undefined, { signal }).catch(() => undefined);
      }
    }
  };

  return {
    start() {
      serving = serve();
    },
    stop() {
      stopping.abort();
      return serving;
    },
  };
}

async function answer(ask: SigningAsk, options: SignerOptions): Promise<void> {
  const { asks, ledger, meter, clock, log } = options;
  const reply = await replyTo(ask, options);
  const at = clock();
  const facts = { at, approval: approvalIdOf(ask.run), machine: ask.machine, fence: ask.fence };
  const ids = { run: ask.run, machine: ask.machine, fence: ask.fence };
  if ('signed' in reply) {
    await ledger.append({ kind: 'capsule.signed', ...facts });
    meter.signed();
    log.info(ids, 'signed what people approved');
  } else {
    await ledger.append({ kind: 'capsule.refused', ...facts, reason: reply.refused });
    meter.refused();
    log.warn({ ...ids, reason: reply.refused }, 'refused to sign');
  }
  await asks.answer(ask, reply);
}

/** A record that cannot be read now will not be later either: doubt denies. @throws StoreUnavailableError */
async function replyTo(ask: SigningAsk, options: SignerOptions): Promise<SigningReply> {
  const { runs, fleet, clock, log } = options;
  try {
    const run = await runs.run(ask.run);
    if (run === undefined) return { refused: `There is no run ${ask.run}.` };
    return signCapsule(ask, run, { ...options, fleet: fleet(), now: clock() });
  } catch (error) {
    if (error instanceof StoreUnavailableError) throw error;
    log.error({ err: error, run: ask.run }, 'a record that the signer cannot read');
    return {
      refused: `The signer cannot read the record of ${ask.run}. Compare its version with the worker's; its log tells more.`,
    };
  }
}
