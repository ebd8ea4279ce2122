import type { Redis } from 'ioredis';
import { z } from 'zod';
import { ask } from './connect.ts';
import type { Disk } from './durability.ts';
import type { Keys } from './keys.ts';
import type { QueueSettings } from './queue-settings.ts';
import { priorityOf, type ViewPriority } from './view-score.ts';

const takeReply = z.array(z.string());
const kindSchema = z.enum(['run', 'campaign', 'halt', 'notice', 'hand-over', 'incident', 'silence']);
const viewName = z.templateLiteral([kindSchema, ':', z.string()]);
const postedSchema = z.object({
  channel: z.string(),
  ts: z.string(),
  digest: z.string(),
  thread: z.string().optional(),
});

type Posted = Readonly<z.infer<typeof postedSchema>>;

interface DirtyView {
  readonly kind: z.infer<typeof kindSchema>;
  readonly id: string;
  readonly priority: ViewPriority;
  readonly lease: string;
}

export interface ViewsOptions {
  /** A connection for requests. */
  readonly redis: Redis;
  readonly disk: Disk;
  readonly keys: Keys;
  readonly settings: QueueSettings;
}

/** The bot's Views in Redis. Rejects with StoreUnavailableError like requests do. */
export class RedisViews {
  readonly #redis: Redis;
  readonly #disk: Disk;
  readonly #keys: Keys;
  readonly #settings: QueueSettings;

  constructor(options: ViewsOptions) {
    this.#redis = options.redis;
    this.#disk = options.disk;
    this.#keys = options.keys;
    this.#settings = options.settings;
  }

  get leaseMs(): number {
    return this.#settings.viewLeaseMs;
  }

  async take(limit: number): Promise<readonly DirtyView[]> {
    const reply = takeReply.parse(
      await ask('lease views', this.#redis.takeViews(this.#keys.prefix, limit, this.#settings.viewLeaseMs)),
    );
    const views: DirtyView[] = [];
    for (let at = 0; at < reply.length; at += 3) {
      const [view = '', lease = '', score = ''] = reply.slice(at, at + 3);
      const [kind, id = ''] = viewName.parse(view).split(':');
      views.push({ kind: kindSchema.parse(kind), id, priority: priorityOf(Number(score)), lease });
    }
    return views;
  }

  async release(view: DirtyView): Promise<void> {
    await ask(
      'release a view',
      this.#redis.releaseView(this.#keys.prefix, `${view.kind}:${view.id}`, view.lease),
    );
  }

  async postpone(view: DirtyView, delayMs: number): Promise<void> {
    await ask(
      'postpone a view',
      this.#redis.postponeView(this.#keys.prefix, `${view.kind}:${view.id}`, view.lease, Math.ceil(delayMs)),
    );
  }

  async parts(id: string): Promise<Readonly<Record<string, { intended: number; posted?: Posted }>>> {
    const fields = await ask('read what was posted', this.#redis.hgetall(this.#keys.parts(id)));
    const parts: Record<string, { intended: number; posted?: Posted }> = {};
    for (const [field, text] of Object.entries(fields)) {
      if (!field.startsWith('intended:')) continue;
      const part = field.slice('intended:'.length);
      const posted = fields[`posted:${part}`];
      parts[part] = {
        intended: Number(text),
        ...(posted === undefined ? {} : { posted: postedSchema.parse(JSON.parse(posted)) }),
      };
    }
    return parts;
  }

  async intend(id: string, part: string, at: number): Promise<void> {
    await this.#setPart(id, `intended:${part}`, String(at));
    await ask('put an intent on disk', this.#disk.confirm());
  }

  async record(id: string, part: string, posted: Posted): Promise<void> {
    await this.#setPart(id, `posted:${part}`, JSON.stringify(posted));
  }

  async #setPart(id: string, field: string, text: string): Promise<void> {
    const key = this.#keys.parts(id);
    await ask(
      'record what is posted',
      Promise.all([
        this.#redis.hset(key, field, text),
        this.#redis.pexpire(key, this.#settings.recordsKeptMs),
      ]),
    );
  }
}
