import type { DirtyView, Posted, ViewPriority, Views } from '../../src/bot/ports.ts';

interface Entry {
  kind: DirtyView['kind'];
  priority: ViewPriority;
  version: number;
  /** Not taken before. */
  notBefore: number;
  lease: string | undefined;
  leasedVersion: number;
}

const order = { decision: 0, verdict: 1, progress: 2 } as const;

/** The `Views` port in memory, with leases that run out. `before` may throw, as if the process died there. */
export class MemoryViews implements Views {
  readonly stored = new Map<string, Map<string, { intended: number; posted?: Posted }>>();
  before: (step: 'intend' | 'record' | 'release', part: string) => void = () => {};
  readonly leaseMs: number;
  readonly #dirty = new Map<string, Entry>();
  #leases = 0;

  constructor(options: { readonly leaseMs: number }) {
    this.leaseMs = options.leaseMs;
  }

  /** Marks a record's view as out of date. */
  markDirty(kind: DirtyView['kind'], id: string, priority: ViewPriority): void {
    const entry = this.#dirty.get(id);
    if (entry === undefined) {
      const fresh = { kind, priority, version: 1, notBefore: 0, lease: undefined, leasedVersion: 0 };
      this.#dirty.set(id, fresh);
      return;
    }
    entry.version += 1;
    if (order[priority] < order[entry.priority]) entry.priority = priority;
  }

  /** As if so much time went by that every lease ran out. */
  expireLeases(): void {
    for (const entry of this.#dirty.values()) entry.notBefore = 0;
  }

  get dirtyCount(): number {
    return this.#dirty.size;
  }

  async take(limit: number): Promise<readonly DirtyView[]> {
    const now = Date.now();
    const free = [...this.#dirty]
      .filter(([, entry]) => entry.notBefore <= now)
      .toSorted(([, a], [, b]) => order[a.priority] - order[b.priority])
      .slice(0, limit);
    return free.map(([id, entry]) => {
      this.#leases += 1;
      entry.lease = String(this.#leases);
      entry.leasedVersion = entry.version;
      entry.notBefore = now + this.leaseMs;
      return { kind: entry.kind, id, priority: entry.priority, lease: entry.lease };
    });
  }

  async release(view: DirtyView): Promise<void> {
    this.before('release', '');
    const entry = this.#leased(view);
    if (entry === undefined) return;
    if (entry.version === entry.leasedVersion) this.#dirty.delete(view.id);
    else entry.notBefore = 0;
  }

  async postpone(view: DirtyView, delayMs: number): Promise<void> {
    const entry = this.#leased(view);
    if (entry !== undefined) entry.notBefore = Date.now() + delayMs;
  }

  async parts(id: string) {
    return Object.fromEntries(this.stored.get(id) ?? []);
  }

  async intend(id: string, part: string, at: number): Promise<void> {
    this.before('intend', part);
    this.#parts(id).set(part, { intended: at });
  }

  async record(id: string, part: string, posted: Posted): Promise<void> {
    this.before('record', part);
    const parts = this.#parts(id);
    parts.set(part, { intended: parts.get(part)?.intended ?? 0, posted });
  }

  #leased(view: DirtyView): Entry | undefined {
    const entry = this.#dirty.get(view.id);
    return entry?.lease === view.lease ? entry : undefined;
  }

  #parts(id: string) {
    const parts = this.stored.get(id) ?? new Map<string, { intended: number; posted?: Posted }>();
    this.stored.set(id, parts);
    return parts;
  }
}
