import type { Redis } from 'ioredis';
import { z } from 'zod';
import { StaleFenceError } from '../fleet/errors.ts';
import type { Halt } from '../fleet/halt.ts';
import type { HandOver } from '../fleet/hand-over.ts';
import { nextMoment } from '../fleet/pass-time.ts';
import { describeTask, type Task } from '../fleet/request.ts';
import type { Cancellation, Run, RunState } from '../fleet/run.ts';
import { campaignNote } from './campaign-note.ts';
import { cancelDriven } from './cancel-run.ts';
import type { Cancellations } from './cancellations.ts';
import type { Disk } from './durability.ts';
import type { RedisHalts } from './halts.ts';
import { storedHandOver } from './hand-overs.ts';
import type { Keys } from './keys.ts';
import { ledgerText } from './ledger.ts';
import { approvalOf, endedActivation, moveEntries } from './move-entries.ts';
import type { OpenTraces } from './open-traces.ts';
import type { QueueSettings } from './queue-settings.ts';
import {
  maybeText,
  type Quarantine,
  readQuarantine,
  readRun,
  readStoredRun,
  runFields,
  withCancellation,
} from './records.ts';
import { spentText } from './spending.ts';
import { viewScore } from './view-score.ts';

const claimReply = z.union([
  z.literal('halts-changed'),
  z.tuple([z.coerce.number(), z.string(), maybeText, maybeText]).nullable(),
]);
const fenceReply = z.coerce.number().nullable();
const saveReply = z.union([
  z.tuple([z.literal('saved'), maybeText]),
  z.tuple([z.literal('cancelled'), z.string(), z.string()]),
  z.tuple([z.literal('stale'), maybeText, maybeText]),
]);

export interface RunStoreOptions {
  /** A connection for workers. */
  readonly redis: Redis;
  readonly disk: Disk;
  readonly cancellations: Cancellations;
  readonly openTraces: OpenTraces;
  readonly halts: RedisHalts;
  /** The halt that holds for a machine, of those that are given. */
  readonly haltOf: (halts: readonly Halt[], machine: string) => Halt | undefined;
  /** The ids of those that were lifted from it: their locks may still be there. */
  readonly liftedFrom: (halts: readonly Halt[], machine: string) => readonly string[];
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

  /**
   * `turn` is the fence of the first claim in the worker's turn: with it nothing is taken from another worker.
   * A machine that is halted gets nothing new; the run that it has is cancelled and given out to be ended.
   */
  async claim(machine: string, turn?: number): Promise<Claim | undefined> {
    const { redis, halts, haltOf, liftedFrom } = this.#options;
    let known = halts.known;
    for (;;) {
      const halt = haltOf(known.halts, machine);
      const lifted = liftedFrom(known.halts, machine);
      const args = [machine, turn ?? '', known.version, halt === undefined ? '' : 1, ...lifted];
      const reply = claimReply.parse(await redis.claimRun(this.#prefix, ...args));
      if (reply === 'halts-changed') {
        known = await halts.refresh();
        continue;
      }
      if (reply === null) return undefined;
      const [fence, body, cancellation, quarantine] = reply;
      const run = readRun(body, cancellation);
      return {
        fence,
        run: halt === undefined ? run : await this.cancelForHalt(run, halt),
        ...(quarantine && { quarantine: readQuarantine(quarantine) }),
      };
    }
  }

  /** Asks a run of a halted machine to end. Returns it with the cancellation that counts. */
  async cancelForHalt(run: Run, halt: Halt): Promise<Run> {
    if (run.cancellation !== undefined) return run;
    const cancellation: Cancellation = { userId: halt.by.userId, at: halt.at, halt: halt.id };
    await cancelDriven(this.#options.redis, run, cancellation, this.#options);
    await this.#options.disk.confirm();
    return { ...run, cancellation };
  }

  async raiseFence(machine: string, held: number, seen: number): Promise<number> {
    const fence = fenceReply.parse(await this.#options.redis.raiseFence(this.#prefix, machine, held, seen));
    if (fence === null) throw staleFence(machine, held);
    return fence;
  }

  /**
   * With `awaiting` the machine is free for its next request and people are asked. Where the run was cancelled
   * meanwhile they are not: nothing is stored, and it is returned as it was, with its cancellation.
   */
  async save(run: Run, from: RunState, fence: number): Promise<Run> {
    const { redis, settings, clock } = this.#options;
    const now = clock();
    const asks = run.state === 'awaiting';
    const isWell = run.state === 'done' && run.verdict === 'ok';
    const ended = endedActivation(run, from);
    const entries = run.state === from ? [] : moveEntries(run, ended, fence, now);
    const reply = saveReply.parse(
      await redis.saveRun(
        this.#prefix,
        ...[run.id, fence, from, run.state, run.verdict ?? '', JSON.stringify(run)],
        ...[viewScore(asks ? 'decision' : 'progress', now), viewScore(asks ? 'decision' : 'verdict', now)],
        ...[settings.recordsKeptMs, settings.finishedRunsPerMachine],
        campaignNote(run),
        ...(asks ? [nextMoment(approvalOf(run)), approvalOf(run).question.askedAt] : ['', '']),
        ...[isWell ? describeTask(run.request.task) : ''],
        ...[ended ? spentText(run, ended, now, settings.spendingKeptMs) : ''],
        ...[settings.ledgerEntriesMax, ...entries.map(ledgerText)],
      ),
    );
    if (reply[0] === 'stale') {
      throw new StaleFenceError(
        `Run ${run.id} was to be saved from state ${from} under fence ${fence}, but it is in state ${reply[2] ?? 'unknown'} under fence ${reply[1] ?? 'none'}: another worker drives it now.`,
      );
    }
    await this.#options.disk.confirm();
    if (reply[0] === 'cancelled') return readRun(reply[2], reply[1]);
    return withCancellation(run, reply[1]);
  }

  /** The machine's runs in `awaiting`. */
  async waiting(machine: string): Promise<readonly Run[]> {
    const { redis, keys } = this.#options;
    const ids = await redis.lrange(keys.awaiting(machine), 0, -1);
    const read = await Promise.all(ids.map((id) => redis.hmget(keys.run(id), ...runFields)));
    const runs = read.flatMap((fields) => readStoredRun(fields)?.run ?? []);
    // One may have been decided since they were listed.
    return runs.filter(({ state }) => state === 'awaiting');
  }

  /** The last hand-over of what this task found on the machine; undefined where all was well there since. */
  async handedOver(machine: string, task: Task): Promise<HandOver | undefined> {
    const { redis, keys } = this.#options;
    const id = await redis.hget(keys.handedOver(machine), describeTask(task));
    const body = id === null ? null : await redis.get(keys.handOver(id));
    return body === null ? undefined : storedHandOver.parse(body);
  }

  /** Notes that the trace of a run that is done was ended. Returns at once; see `OpenTraces`. */
  traced(runId: string): void {
    this.#options.openTraces.ended(runId);
  }

  onCancelled(runId: string, callback: (cancellation: Cancellation) => void): () => void {
    return this.#options.cancellations.listen(runId, callback);
  }

  async setQuarantine(machine: string, fence: number, quarantine: Quarantine | undefined): Promise<void> {
    const { redis, clock, settings } = this.#options;
    const text = quarantine === undefined ? '' : JSON.stringify(quarantine);
    const entry = ledgerText({
      kind: 'quarantine.changed',
      at: clock(),
      machine,
      quarantined: quarantine !== undefined,
      reason: quarantine?.reason ?? 'measured inactive',
    });
    const args = [machine, fence, text, settings.ledgerEntriesMax, entry];
    const done = await redis.setQuarantine(this.#prefix, ...args);
    if (done !== 1) throw staleFence(machine, fence);
    await this.#options.disk.confirm();
  }
}

function staleFence(machine: string, fence: number): StaleFenceError {
  return new StaleFenceError(
    `Fence ${fence} is no longer the one of ${machine}: another worker drives it now.`,
  );
}
