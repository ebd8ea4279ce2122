import type { SilenceState, Silences } from '../../src/bot/ports.ts';
import { StoreUnavailableError } from '../../src/fleet/errors.ts';
import type { HeldBack, Silence } from '../../src/fleet/silence.ts';

/** The `Silences` port in memory: an event id is accepted once, `holding` is what the test puts there and people's. */
export class FakeSilences implements Silences {
  readonly stored = new Map<string, SilenceState>();
  /** Open windows. */
  readonly windows: Silence[] = [];
  /** Makes every call fail as when Redis is away. */
  away = false;
  readonly #events = new Map<string, string>();

  reset(): void {
    this.stored.clear();
    this.windows.length = 0;
    this.#events.clear();
    this.away = false;
  }

  /** The one silence that is stored. */
  get only(): Silence {
    const [found, ...others] = this.stored.values();
    if (found === undefined || others.length > 0) throw new Error(`${this.stored.size} silences are stored`);
    return found.silence;
  }

  /** As a worker would note it. */
  heldBack(id: string, heldBack: readonly HeldBack[]): void {
    const found = this.stored.get(id);
    if (found !== undefined) this.stored.set(id, { ...found, heldBack });
  }

  async active(): Promise<readonly Silence[]> {
    this.#reach();
    return [...this.stored.values()].filter(({ over }) => !over).map(({ silence }) => silence);
  }

  async holding(): Promise<readonly Silence[]> {
    return [...this.windows, ...(await this.active())];
  }

  async silence(id: string): Promise<SilenceState | undefined> {
    this.#reach();
    return this.stored.get(id);
  }

  async begin(silence: Silence, eventId: string): Promise<{ duplicate: boolean; id: string }> {
    this.#reach();
    const earlier = this.#events.get(eventId);
    if (earlier !== undefined) return { duplicate: true, id: earlier };
    this.#events.set(eventId, silence.id);
    this.stored.set(silence.id, { silence, heldBack: [], over: false });
    return { duplicate: false, id: silence.id };
  }

  async end(id: string, ended: NonNullable<Silence['ended']>): Promise<Silence | undefined> {
    this.#reach();
    const found = this.stored.get(id);
    if (found === undefined || found.over) return found?.silence;
    const silence = { ...found.silence, ended };
    this.stored.set(id, { ...found, silence, over: true });
    return silence;
  }

  #reach(): void {
    if (this.away) throw new StoreUnavailableError('Redis did not answer. Look at the Redis server.');
  }
}
