import type { HandOvers } from '../../src/bot/ports.ts';
import { StoreUnavailableError } from '../../src/fleet/errors.ts';
import type { HandOver } from '../../src/fleet/hand-over.ts';
import type { HandOverMove } from '../../src/fleet/hand-over-moves.ts';
import type { LedgerEntry } from '../../src/fleet/ledger-entry.ts';

/** Hand-overs in memory. */
export class FakeHandOvers implements HandOvers {
  readonly stored = new Map<string, HandOver>();
  readonly entries: LedgerEntry[] = [];
  /** Makes every call fail as when Redis is away. */
  away = false;
  /** Throws, as if the process died there, before what is stored. */
  beforeChange: () => void = () => {};

  add(handOver: HandOver): void {
    this.stored.set(handOver.id, handOver);
  }

  async due(now: number): Promise<readonly string[]> {
    this.#reach();
    return [...this.stored.values()].filter(({ nextAt = Infinity }) => nextAt <= now).map(({ id }) => id);
  }

  async handOver(id: string): Promise<HandOver | undefined> {
    this.#reach();
    return structuredClone(this.stored.get(id));
  }

  async change(
    id: string,
    change: (handOver: HandOver) => HandOverMove | undefined,
  ): Promise<HandOver | undefined> {
    this.#reach();
    const before = this.stored.get(id);
    const move = before && change(structuredClone(before));
    if (move === undefined) return structuredClone(before);
    this.beforeChange();
    this.stored.set(id, move.handOver);
    this.entries.push(...move.entries);
    return move.handOver;
  }

  reset(): void {
    this.stored.clear();
    this.entries.length = 0;
    this.away = false;
    this.beforeChange = () => {};
  }

  #reach(): void {
    if (this.away) throw new StoreUnavailableError('Redis did not answer. Look at the Redis server.');
  }
}
