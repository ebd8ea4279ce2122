import type { Redis } from 'ioredis';
import { z } from 'zod';
import { StaleFenceError } from '../fleet/errors.ts';
import type { Cancellation, Run, RunState } from '../fleet/run.ts';
import type { Cancellations } from './cancellations.ts';
import type { Disk } from './durability.ts';
import type { Keys } from './keys.ts';
import type { QueueSettings } from './queue-settings.ts';
import { maybeText, type Quarantine, readQuarantine, readRun, withCancellation } from './records.ts';
import { viewScore } from './view-score.ts';

const claimReply = z.tuple([z.coerce.number(), z.string(), maybeText, maybeText]).nullable();
const fenceReply = z.coerce.number().nullable();
const saveReply = z.union([
  z.tuple([z.literal('saved'), maybeText]),
  z.tuple([z.literal('stale'), maybeText, maybeText]),
]);

export interface RunStoreOptions {
  /** A connection for workers. */
  readonly redis: Redis;
  readonly disk: Disk;
  readonly cancellations: Cancellations;
  readonly keys: Keys;
  readonly clock: () => number;
  readonly settings: QueueSettings;
}

/** A machine's turn: the fence under which this worker may act, and the run to drive. */
export interface Claim {
  readonly fence: number;
  readonly run: Run;
  /** The machine's agent could not be measured inactive before. */
  readonly quarantine?: Quarantine;
}

/** The supervisors' RunStore in Redis. While Redis is away its methods wait. */
export class RedisRunStore {
  readonly #options: RunStoreOptions;
  readonly #prefix: string;

  constructor(options: RunStoreOptions) {
    this.#options = options;
    this.#prefix = options.keys.prefix;
  }

  /** `turn` is the fence of the first claim in the worker's turn: with it nothing is taken from another worker. */
  async claim(machine: string, turn?: number): Promise<Claim | undefined> {
    const reply = claimReply.parse(await this.#options.redis.claimRun(this.#prefix, machine, turn ?? ''));
    if (reply === null) return undefined;
    const [fence, body, cancellation, quarantine] = reply;
    return {
      fence,
      run: readRun(body, cancellation),
      ...(quarantine && { quarantine: readQuarantine(quarantine) }),
    };
  }

  async raiseFence(machine: string, held: number, seen: number): Promise<number> {
    const fence = fenceReply.parse(await this.#options.redis.raiseFence(this.#prefix, machine, held, seen));
    if (fence === null) throw staleFence(machine, held);
    return fence;
  }

  async save(run: Run, from: RunState, fence: number): Promise<Run> {
    const { redis, settings, clock } = this.#options;
    const now = clock();
    const reply = saveReply.parse(
      await redis.saveRun(
        this.#prefix,
        ...[run.id, fence, from, run.state, run.verdict ?? '', JSON.stringify(run)],
        ...[viewScore('progress', now), viewScore('verdict', now)],
        ...[settings.recordsKeptMs, settings.finishedRunsPerMachine],
        run.state === 'done' ? run.inertness : '',
      ),
    );
    if (reply[0] === 'stale') {
      throw new StaleFenceError(
        `Run ${run.id} was to be saved from state ${from} under fence ${fence}, but it is in state ${reply[2] ?? 'unknown'} under fence ${reply[1] ?? 'none'}: another worker drives it now.`,
      );
    }
    await this.#options.disk.confirm();
    return withCancellation(run, reply[1]);
  }

  onCancelled(runId: string, callback: (cancellation: Cancellation) => void): () => void {
    return this.#options.cancellations.listen(runId, callback);
  }

  async setQuarantine(machine: string, fence: number, quarantine: Quarantine | undefined): Promise<void> {
    const text = quarantine === undefined ? '' : JSON.stringify(quarantine);
    const done = await this.#options.redis.setQuarantine(this.#prefix, machine, fence, text);
    if (done !== 1) throw staleFence(machine, fence);
    await this.#options.disk.confirm();
  }
}

function staleFence(machine: string, fence: number): StaleFenceError {
  return new StaleFenceError(
    `Fence ${fence} is no longer the one of ${machine}: another worker drives it now.`,
  );
}
