import type { Redis } from 'ioredis';
import { z } from 'zod';
import {
  type Halt,
  type HaltMember,
  haltMemberSchema,
  haltSchema,
  type Release,
  type ResumeWish,
} from '../fleet/halt.ts';
import type { LedgerEntry } from '../fleet/ledger-entry.ts';
import { ask } from './connect.ts';
import { ledgerText } from './ledger.ts';
import { json } from './records.ts';
import type { StoreOptions } from './store-options.ts';
import { viewScore } from './view-score.ts';

const saveReply = z.union([
  z.enum(['saved', 'changed']),
  z.tuple([z.literal('duplicate'), z.string()]).transform(([, id]) => ({ duplicateOf: id })),
]);
const storedHalt = json.pipe(haltSchema);
const storedMember = json.pipe(haltMemberSchema);

/** The field of a halt's hash that holds the halt itself; no machine has such a name. */
const haltField = ':halt';

/** What is known of the halts at one moment. */
export interface KnownHalts {
  readonly version: string;
  /** Oldest first. */
  readonly halts: readonly Halt[];
}

/** The bot's Halts in Redis, and what workers and the reconciler keep of them. Rejects like requests do. */
export class RedisHalts {
  readonly #options: StoreOptions;
  readonly #callbacks = new Set<() => void>();
  #known: KnownHalts = { version: '0', halts: [] };

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  /**
   * Hears of changes from now on, over a connection that subscribes; looks for itself now and then, because news
   * can be lost. Returns how to stop.
   */
  async listen(subscriber: Redis): Promise<() => void> {
    const { keys, settings, log } = this.#options;
    const look = (): void => {
      this.#look().catch((error: unknown) => log.warn({ err: error }, 'the halts could not be read'));
    };
    subscriber.on('message', (channel: string) => {
      if (channel === keys.halts()) look();
    });
    await subscriber.subscribe(keys.halts());
    const timer = setInterval(look, settings.haltsPollIntervalMs);
    return () => clearInterval(timer);
  }

  onChanged(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  /** The halts as this process last read them; `claim` tells when they are no longer those in force. */
  get known(): KnownHalts {
    return this.#known;
  }

  async refresh(): Promise<KnownHalts> {
    const { redis, keys } = this.#options;
    // The version first: what changes in between is then read again, not missed.
    const version = (await ask('read the halts', redis.get(keys.haltsVersion()))) ?? '0';
    const bodies = await ask('read the halts', redis.hvals(keys.halts()));
    const halts = bodies.map((body) => storedHalt.parse(body)).toSorted((a, b) => a.at - b.at);
    const changed = version !== this.#known.version;
    this.#known = { version, halts };
    if (changed) for (const callback of this.#callbacks) callback();
    return this.#known;
  }

  /** Those that hold for a machine or have left a lock, oldest first. */
  async active(): Promise<readonly Halt[]> {
    return (await this.refresh()).halts;
  }

  async halt(
    id: string,
  ): Promise<{ readonly halt: Halt; readonly members: ReadonlyMap<string, HaltMember> } | undefined> {
    const { redis, keys } = this.#options;
    const { [haltField]: body, ...members } = await ask('read the halt', redis.hgetall(keys.halt(id)));
    if (body === undefined) return undefined;
    const read = Object.entries(members).map(([name, text]) => [name, storedMember.parse(text)] as const);
    return { halt: storedHalt.parse(body), members: new Map(read) };
  }

  async begin(halt: Halt, machines: readonly string[]): Promise<{ duplicate: boolean; id: string }> {
    const { id, selector, reason, by, at, eventId } = halt;
    const pending = JSON.stringify({ outcome: 'pending', at } satisfies HaltMember);
    const outcome = await this.#save({
      ...{ halt, before: '', eventId },
      entry: { kind: 'halt.began', at, by, halt: id, selector, reason },
      members: machines.flatMap((machine) => [machine, pending]),
    });
    if (typeof outcome === 'object') return { duplicate: true, id: outcome.duplicateOf };
    if (outcome === 'changed') throw new RangeError(`There is a halt ${id} already.`);
    return { duplicate: false, id };
  }

  async wish(haltId: string, wish: ResumeWish): Promise<void> {
    const { selector, by, at } = wish;
    const entry = { kind: 'halt.resume-asked', at, by, halt: haltId, selector } as const;
    await this.#change(haltId, (halt) => ({ ...halt, resumeWish: wish }), entry, '');
  }

  async release(haltId: string, release: Release, eventId: string): Promise<void> {
    const { selector, by, agreedBy, at } = release;
    const entry: LedgerEntry = {
      ...{ kind: 'halt.released' as const, at, by, halt: haltId, selector },
      ...(agreedBy && { agreedBy }),
    };
    const released = ({ resumeWish: _wish, ...halt }: Halt): Halt => ({
      ...halt,
      releases: [...halt.releases, release],
    });
    await this.#change(haltId, released, entry, `${eventId} ${haltId}`);
  }

  /** Keeps what became of machines of a halt, and brings messages up to date. What was unlocked goes on. */
  async record(haltId: string, members: ReadonlyMap<string, HaltMember>): Promise<void> {
    if (members.size === 0) return;
    const { redis, keys, clock, wake } = this.#options;
    const fields = [...members].flatMap(([machine, member]) => [machine, JSON.stringify(member)]);
    const scores = [viewScore('decision', clock()), viewScore('progress', clock())];
    await ask('record a halt', redis.recordHalt(keys.prefix, haltId, ...scores, ...fields));
    await wake([...members].flatMap(([machine, { outcome }]) => (outcome === 'unlocked' ? machine : [])));
  }

  /** No machine keeps a lock of it: it is looked at no more. */
  async close(haltId: string): Promise<void> {
    const { redis, keys, clock, settings } = this.#options;
    const score = viewScore('decision', clock());
    await ask('close a halt', redis.closeHalt(keys.prefix, haltId, settings.recordsKeptMs, score));
  }

  async #look(): Promise<void> {
    const { redis, keys } = this.#options;
    const version = (await ask('read the halts', redis.get(keys.haltsVersion()))) ?? '0';
    if (version !== this.#known.version) await this.refresh();
  }

  /** Reads, changes and stores a halt until nobody has changed it in between. An unknown one stays unknown. */
  async #change(
    haltId: string,
    change: (halt: Halt) => Halt,
    entry: LedgerEntry,
    eventId: string,
  ): Promise<void> {
    const { redis, keys } = this.#options;
    for (;;) {
      const before = await ask('read the halt', redis.hget(keys.halt(haltId), haltField));
      if (before === null) return;
      const halt = change(storedHalt.parse(before));
      if ((await this.#save({ halt, before, eventId, entry, members: [] })) !== 'changed') return;
    }
  }

  async #save(change: {
    readonly halt: Halt;
    /** The stored text that is replaced; '' for a new halt. */
    readonly before: string;
    readonly eventId: string;
    readonly entry: LedgerEntry;
    readonly members: readonly string[];
  }): Promise<z.infer<typeof saveReply>> {
    const { redis, keys, clock, settings, disk } = this.#options;
    const { halt, before, eventId, entry, members } = change;
    const reply = await ask(
      'store the halt',
      redis.saveHalt(
        keys.prefix,
        ...[halt.id, before, JSON.stringify(halt), eventId, settings.seenEventsKept],
        ...[settings.ledgerEntriesMax, ledgerText(entry), viewScore('decision', clock())],
        ...members,
      ),
    );
    await ask('put the halt on disk', disk.confirm());
    return saveReply.parse(reply);
  }
}
