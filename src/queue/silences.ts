import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Fleet } from '../fleet/fleet.ts';
import type { Held } from '../fleet/held-back.ts';
import type { LedgerEntry } from '../fleet/ledger-entry.ts';
import type { Machine } from '../fleet/machine.ts';
import { windowsOpenAt } from '../fleet/maintenance.ts';
import type { PersonRef } from '../fleet/requester.ts';
import { type HeldBack, heldBackSchema, type Silence, silenceSchema } from '../fleet/silence.ts';
import { ask } from './connect.ts';
import type { Disk } from './durability.ts';
import type { Keys } from './keys.ts';
import { ledgerText } from './ledger.ts';
import type { QueueSettings } from './queue-settings.ts';
import { json } from './records.ts';
import { viewScore } from './view-score.ts';

const beginReply = z.union([
  z.literal('saved'),
  z.tuple([z.literal('duplicate'), z.string()]).transform(([, id]) => ({ duplicateOf: id })),
]);
const endReply = z.union([z.literal(0), z.literal(1)]);
const storedSilence = json.pipe(silenceSchema);

/** The field of a silence's hash that holds the silence itself; nothing held back is called so. */
const silenceField = ':silence';
/** How many ends are announced at once. */
const endsAtOnce = 50;

/** A silence with what it held back so far. `over`: it ended, and nothing is held back any more. */
export interface StoredSilence {
  readonly silence: Silence;
  readonly heldBack: readonly HeldBack[];
  readonly over: boolean;
}

export interface SilencesOptions {
  readonly redis: Redis;
  readonly disk: Disk;
  readonly keys: Keys;
  readonly clock: () => number;
  readonly settings: QueueSettings;
  /** The fleet in force, for its maintenance windows; undefined where none is known. */
  readonly fleet: () => Pick<Fleet, 'machines' | 'maintenance'> | undefined;
}

/** People's silences in Redis, and what became of the fleet file's windows. Rejects like requests do. */
export class RedisSilences {
  readonly #options: SilencesOptions;

  constructor(options: SilencesOptions) {
    this.#options = options;
  }

  /** People's that are not over, the one that ends first first. */
  async active(): Promise<readonly Silence[]> {
    const { redis, keys, clock } = this.#options;
    const bodies = await ask('read the silences', redis.hvals(keys.silences()));
    const now = clock();
    return bodies
      .map((body) => storedSilence.parse(body))
      .filter(({ until }) => now < until)
      .toSorted((a, b) => a.until - b.until);
  }

  /**
   * People's and windows that hold now.
   * @param machine only the windows that hold for it
   */
  async holding(machine?: Machine): Promise<readonly Silence[]> {
    const { clock, fleet } = this.#options;
    const inForce = fleet();
    const windows = inForce === undefined ? [] : windowsOpenAt(inForce, clock(), machine);
    return [...windows, ...(await this.active())];
  }

  async silence(id: string): Promise<StoredSilence | undefined> {
    const { redis, keys } = this.#options;
    const [fields, endsAt] = await ask(
      'read the silence',
      Promise.all([redis.hgetall(keys.silence(id)), redis.zscore(keys.silenceEnds(), id)]),
    );
    const { [silenceField]: body, ...counts } = fields;
    if (body === undefined) return undefined;
    const heldBack = Object.entries(counts).map(([field, times]) => readHeldBack(field, times));
    return { silence: storedSilence.parse(body), heldBack, over: endsAt === null };
  }

  /** Stores a person's silence. Its event id is accepted once. */
  async begin(silence: Silence & { readonly by: PersonRef }, eventId: string) {
    const { redis, keys, clock, settings, disk } = this.#options;
    const { id, machines, reason, by, from, until } = silence;
    const entry: LedgerEntry = {
      ...{ kind: 'silence.began', at: from, by, silence: id, selector: machines, until, reason },
    };
    const reply = beginReply.parse(
      await ask(
        'store the silence',
        redis.beginSilence(
          ...[keys.prefix, id, JSON.stringify(silence), until, eventId, settings.seenEventsKept],
          ...[settings.ledgerEntriesMax, ledgerText(entry), viewScore('decision', clock())],
        ),
      ),
    );
    await ask('put the silence on disk', disk.confirm());
    return reply === 'saved' ? { duplicate: false, id } : { duplicate: true, id: reply.duplicateOf };
  }

  /**
   * Ends a person's silence before its time, as `close` does. Returns it as it is then, ended by whoever was first;
   * undefined where there is none of this id.
   */
  async end(
    id: string,
    ended: { readonly by: PersonRef; readonly at: number },
  ): Promise<Silence | undefined> {
    for (;;) {
      const found = await this.silence(id);
      if (found === undefined || found.over) return found?.silence;
      const silence = { ...found.silence, ended };
      if (await this.#end(silence, ended.at, ended.by)) return silence;
    }
  }

  /** Those whose time is over and of whom that is not told yet. */
  async due(): Promise<readonly Silence[]> {
    const { redis, keys, clock } = this.#options;
    const ids = await ask(
      'look which silences are over',
      redis.zrangebyscore(keys.silenceEnds(), '-inf', clock(), 'LIMIT', 0, endsAtOnce),
    );
    const found = await Promise.all(ids.map((id) => this.silence(id)));
    return found.flatMap((each) => each?.silence ?? []);
  }

  /**
   * Ends one whose time is over, and has that told; alerts of open incidents that it held back and that still fire are
   * due to be looked at. Returns whether nobody had before.
   */
  async close(silence: Silence): Promise<boolean> {
    return this.#end(silence, this.#options.clock());
  }

  /** Counts what a silence held back, once for each event id. */
  async holdBack(silence: Silence, held: readonly Held[], eventId: string): Promise<void> {
    const { redis, keys, clock, settings, disk } = this.#options;
    const { id, until } = silence;
    const fields = held.map(({ kind, machine, what }) => JSON.stringify([kind, machine, what]));
    await ask(
      'note what a silence held back',
      redis.holdBackForSilence(
        ...[keys.prefix, id, JSON.stringify(silence), until, `${eventId} ${id}`, settings.seenEventsKept],
        ...[viewScore('progress', clock()), ...fields],
      ),
    );
    await ask('put on disk what a silence held back', disk.confirm());
  }

  async #end(silence: Silence, at: number, by?: PersonRef): Promise<boolean> {
    const { redis, keys, clock, settings, disk } = this.#options;
    const entry: LedgerEntry = { kind: 'silence.ended', at, silence: silence.id, ...(by && { by }) };
    const reply = await ask(
      'end the silence',
      redis.endSilence(
        ...[keys.prefix, silence.id, JSON.stringify(silence), silence.until, settings.recordsKeptMs],
        ...[settings.ledgerEntriesMax, ledgerText(entry), viewScore('decision', clock()), clock()],
      ),
    );
    await ask('put the end of a silence on disk', disk.confirm());
    return endReply.parse(reply) === 1;
  }
}

const heldBackField = json.pipe(
  z.tuple([heldBackSchema.shape.kind, heldBackSchema.shape.machine, heldBackSchema.shape.what]),
);

function readHeldBack(field: string, times: string): HeldBack {
  const [kind, machine, what] = heldBackField.parse(field);
  return { kind, machine, what, times: Number(times) };
}
