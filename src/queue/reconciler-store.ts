import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { DriftNote } from '../fleet/drift.ts';
import type { Halt, HaltMember } from '../fleet/halt.ts';
import type { LedgerEntry } from '../fleet/ledger-entry.ts';
import { type Notice, noticeSchema } from '../fleet/notice.ts';
import { ask } from './connect.ts';
import type { Disk } from './durability.ts';
import type { RedisHalts } from './halts.ts';
import type { Keys } from './keys.ts';
import type { Leadership } from './leadership.ts';
import { ledgerText, type RedisLedger } from './ledger.ts';
import type { QueueSettings } from './queue-settings.ts';
import { json, machineFields, type Quarantine, readMachine, type StoredMachine } from './records.ts';
import type { RedisRunStore } from './run-store.ts';
import { viewScore } from './view-score.ts';

const fenceReply = z.coerce.number().nullable();

/** How many machines' records are read with one round trip. */
const readAtOnce = 500;

type Finding = Extract<LedgerEntry, { kind: 'reconciler.found' }>['finding'];

export interface ReconcilerStoreOptions {
  /** A connection for requests: the reconciler tries again later rather than wait for a Redis that is away. */
  readonly redis: Redis;
  readonly disk: Disk;
  readonly keys: Keys;
  readonly clock: () => number;
  readonly settings: QueueSettings;
  readonly runs: RedisRunStore;
  readonly halts: RedisHalts;
  readonly ledger: RedisLedger;
  readonly leadership: Leadership;
}

/** The supervisors' ReconcilerStore in Redis. Rejects with StoreUnavailableError like requests do. */
export class RedisReconcilerStore {
  readonly #options: ReconcilerStoreOptions;

  constructor(options: ReconcilerStoreOptions) {
    this.#options = options;
  }

  lead(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    return this.#options.leadership.lead('reconciler', work, signal);
  }

  async machines(names: readonly string[]): Promise<ReadonlyMap<string, StoredMachine>> {
    const records = new Map<string, StoredMachine>();
    for (let at = 0; at < names.length; at += readAtOnce) {
      const some = names.slice(at, at + readAtOnce);
      const read = await ask('read the machines', Promise.all(some.map((name) => this.#machine(name))));
      for (const [index, name] of some.entries()) records.set(name, read[index] ?? { fence: 0 });
    }
    return records;
  }

  async takeFence(machine: string, seen: number): Promise<number | undefined> {
    const { redis, keys } = this.#options;
    const reply = await ask('take a fence', redis.takeFence(keys.prefix, machine, seen));
    return fenceReply.parse(reply) ?? undefined;
  }

  setQuarantine(machine: string, fence: number, quarantine: Quarantine | undefined): Promise<void> {
    return this.#options.runs.setQuarantine(machine, fence, quarantine);
  }

  async setDrift(machine: string, drift: DriftNote | undefined): Promise<void> {
    const { redis, keys, disk } = this.#options;
    const key = keys.machine(machine);
    const stored = drift ? redis.hset(key, 'drift', JSON.stringify(drift)) : redis.hdel(key, 'drift');
    await ask("store a machine's drift", stored);
    await ask("put a machine's drift on disk", disk.confirm());
  }

  halts(): Promise<readonly Halt[]> {
    return this.#options.halts.active();
  }

  async haltMembers(haltId: string): Promise<ReadonlyMap<string, HaltMember>> {
    return (await this.#options.halts.halt(haltId))?.members ?? new Map();
  }

  recordHalt(haltId: string, members: ReadonlyMap<string, HaltMember>): Promise<void> {
    return this.#options.halts.record(haltId, members);
  }

  closeHalt(haltId: string): Promise<void> {
    return this.#options.halts.close(haltId);
  }

  onHaltsChanged(callback: () => void): () => void {
    return this.#options.halts.onChanged(callback);
  }

  async notice(notice: Notice): Promise<void> {
    const { redis, keys, clock, settings, disk } = this.#options;
    const { id, machine, kind: finding, text: detail, at } = notice;
    const entry: LedgerEntry = { kind: 'reconciler.found', at, machine, finding, detail };
    const saved = redis.saveNotice(
      keys.prefix,
      ...[id, JSON.stringify(notice), settings.recordsKeptMs, viewScore('verdict', clock())],
      ...[settings.ledgerEntriesMax, ledgerText(entry)],
    );
    await ask('store a notice', saved);
    await ask('put a notice on disk', disk.confirm());
  }

  async found(machine: string, finding: Finding, detail: string): Promise<void> {
    const { ledger, clock } = this.#options;
    await ledger.append({ kind: 'reconciler.found', at: clock(), machine, finding, detail });
  }

  async #machine(name: string): Promise<StoredMachine> {
    const { redis, keys } = this.#options;
    return readMachine(await redis.hmget(keys.machine(name), ...machineFields));
  }
}

/** The bot's Notices: what the reconciler wants to be posted. */
export async function readNotice(redis: Redis, keys: Keys, id: string): Promise<Notice | undefined> {
  const text = await ask('read a notice', redis.get(keys.notice(id)));
  return text === null ? undefined : json.pipe(noticeSchema).parse(text);
}
