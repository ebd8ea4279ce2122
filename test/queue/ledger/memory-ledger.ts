import type { LedgerSource, SourceEntry } from '../../../src/queue/ledger/ledger-source.ts';

/** The ledger in memory, as Redis keeps it: positions rise with time, numbers by one. */
export class MemoryLedger implements LedgerSource {
  entries: SourceEntry[] = [];
  readonly told = new Map<string, number>();
  /** Thrown by every method while it is set. */
  broken: Error | undefined;
  #now = 1_000;
  #seq = 0;

  add(count: number): void {
    for (let added = 0; added < count; added += 1) {
      this.#seq += 1;
      this.#now += 10;
      const entry = JSON.stringify({
        kind: 'run.cancelled',
        at: this.#now,
        by: 'Zoë',
        run: `r-${this.#seq}`,
      });
      this.entries.push({ position: `${this.#now}-0`, seq: this.#seq, entry });
    }
  }

  /** Redis comes back without its last entries; `clockBackMs`: on a server whose clock is behind. */
  lose(count: number, clockBackMs = 0): void {
    this.entries.splice(-count);
    this.#seq -= count;
    const last = Number.parseInt(this.entries.at(-1)?.position ?? '0', 10);
    this.#now = Math.max(last, this.#now - clockBackMs);
  }

  async read(from: string, limit: number): Promise<readonly SourceEntry[]> {
    if (this.broken) throw this.broken;
    const first = from === '' ? 0 : Number.parseInt(from, 10);
    return this.entries.filter(({ position }) => Number.parseInt(position, 10) >= first).slice(0, limit);
  }

  async exported(exporter: string, seq: number): Promise<void> {
    if (this.broken) throw this.broken;
    this.told.set(exporter, seq);
  }
}
