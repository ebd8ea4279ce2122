import type { Halts } from '../../src/bot/ports.ts';
import { StoreUnavailableError } from '../../src/fleet/errors.ts';
import type { Halt, HaltMember, Release, ResumeWish } from '../../src/fleet/halt.ts';

/** The `Halts` port in memory: an event id is accepted once, members stay as the test puts them. */
export class FakeHalts implements Halts {
  readonly stored = new Map<string, { halt: Halt; readonly members: Map<string, HaltMember> }>();
  /** Makes every call fail as when Redis is away. */
  away = false;
  readonly #events = new Set<string>();

  reset(): void {
    this.stored.clear();
    this.#events.clear();
    this.away = false;
  }

  /** The one halt that is stored. */
  get only(): Halt {
    const [found, ...others] = this.stored.values();
    if (found === undefined || others.length > 0) throw new Error(`${this.stored.size} halts are stored`);
    return found.halt;
  }

  /** As the reconciler would tell. */
  tell(haltId: string, machine: string, member: HaltMember): void {
    this.stored.get(haltId)?.members.set(machine, member);
  }

  async active(): Promise<readonly Halt[]> {
    this.#reach();
    return [...this.stored.values()].map(({ halt }) => halt);
  }

  async halt(id: string) {
    this.#reach();
    return this.stored.get(id);
  }

  async begin(halt: Halt, machines: readonly string[]): Promise<{ duplicate: boolean; id: string }> {
    this.#reach();
    const earlier = [...this.stored.values()].find((each) => each.halt.eventId === halt.eventId);
    if (earlier !== undefined) return { duplicate: true, id: earlier.halt.id };
    const pending: HaltMember = { outcome: 'pending', at: halt.at };
    this.stored.set(halt.id, { halt, members: new Map(machines.map((name) => [name, pending])) });
    return { duplicate: false, id: halt.id };
  }

  async wish(haltId: string, wish: ResumeWish): Promise<void> {
    this.#change(haltId, (halt) => ({ ...halt, resumeWish: wish }));
  }

  async release(haltId: string, release: Release, eventId: string): Promise<void> {
    this.#reach();
    const event = `${eventId} ${haltId}`;
    if (this.#events.has(event)) return;
    this.#events.add(event);
    this.#change(haltId, ({ resumeWish: _wish, ...halt }) => ({
      ...halt,
      releases: [...halt.releases, release],
    }));
  }

  #change(id: string, change: (halt: Halt) => Halt): void {
    this.#reach();
    const found = this.stored.get(id);
    if (found !== undefined) found.halt = change(found.halt);
  }

  #reach(): void {
    if (this.away) throw new StoreUnavailableError('Redis did not answer. Look at the Redis server.');
  }
}
