import type { DriftNote } from '../../src/fleet/drift.ts';
import { StaleFenceError, StoreUnavailableError } from '../../src/fleet/errors.ts';
import type { Halt, HaltMember, Release } from '../../src/fleet/halt.ts';
import type { FindingKind, Notice } from '../../src/fleet/notice.ts';
import type { MachineRecord, Quarantine, ReconcilerStore } from '../../src/supervisors/ports.ts';

/** What Redis keeps for the reconciler, in memory. Hands out one store for each process of a test. */
export class MemoryRecords {
  readonly machines = new Map<string, MachineRecord>();
  readonly halts = new Map<string, Halt>();
  readonly members = new Map<string, Map<string, HaltMember>>();
  readonly notices: Notice[] = [];
  readonly findings: { machine: string; finding: FindingKind | 'stray-found'; detail: string }[] = [];
  /** How many machines were recorded with each call of `recordHalt`. */
  readonly batches: number[] = [];
  /** How often a machine's drift was stored. */
  driftWrites = 0;
  /** Makes every call but `lead` fail as when Redis is away. */
  away = false;
  /** How many calls failed so. */
  refused = 0;
  readonly listeners = new Set<() => void>();
  leader: AbortController | undefined;

  record(machine: string): MachineRecord {
    return this.machines.get(machine) ?? { fence: 0 };
  }

  /** As a worker's claim does. Returns the fence. */
  giveRun(machine: string, currentRunId: string): number {
    const fence = this.record(machine).fence + 1;
    this.machines.set(machine, { ...this.record(machine), fence, currentRunId });
    return fence;
  }

  /** As the bot does. */
  begin(halt: Halt, machines: readonly string[]): void {
    this.halts.set(halt.id, halt);
    const pending: HaltMember = { outcome: 'pending', at: halt.at };
    this.members.set(halt.id, new Map(machines.map((name) => [name, pending])));
    this.#changed();
  }

  /** As the bot does. */
  release(id: string, release: Release): void {
    const halt = this.halts.get(id);
    if (!halt) throw new Error(`no halt ${id}`);
    this.halts.set(id, { ...halt, releases: [...halt.releases, release] });
    this.#changed();
  }

  close(id: string): void {
    this.halts.delete(id);
    this.#changed();
  }

  outcome(halt: string, machine: string): HaltMember | undefined {
    return this.members.get(halt)?.get(machine);
  }

  store(): ReconcilerStore {
    return new MemoryReconcilerStore(this);
  }

  #changed(): void {
    for (const callback of this.listeners) callback();
  }
}

class MemoryReconcilerStore implements ReconcilerStore {
  readonly #records: MemoryRecords;

  constructor(records: MemoryRecords) {
    this.#records = records;
  }

  async lead(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#records.leader === undefined) {
        const lease = new AbortController();
        this.#records.leader = lease;
        await work(AbortSignal.any([signal, lease.signal])).catch(() => undefined);
        if (this.#records.leader === lease) this.#records.leader = undefined;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async machines(names: readonly string[]): Promise<ReadonlyMap<string, MachineRecord>> {
    this.#reach();
    return new Map(names.map((name) => [name, this.#records.record(name)]));
  }

  async takeFence(machine: string, seen: number): Promise<number | undefined> {
    this.#reach();
    const record = this.#records.record(machine);
    if (record.currentRunId !== undefined) return undefined;
    const fence = Math.max(record.fence, seen) + 1;
    this.#records.machines.set(machine, { ...record, fence });
    return fence;
  }

  async setQuarantine(machine: string, fence: number, quarantine: Quarantine | undefined): Promise<void> {
    this.#reach();
    const { quarantine: _before, ...record } = this.#records.record(machine);
    if (record.fence !== fence)
      throw new StaleFenceError(`Fence ${fence} is no longer the one of ${machine}.`);
    this.#records.machines.set(machine, { ...record, ...(quarantine && { quarantine }) });
  }

  async setDrift(machine: string, drift: DriftNote | undefined): Promise<void> {
    this.#reach();
    this.#records.driftWrites += 1;
    const { drift: _before, ...record } = this.#records.record(machine);
    this.#records.machines.set(machine, { ...record, ...(drift && { drift }) });
  }

  async halts(): Promise<readonly Halt[]> {
    this.#reach();
    return [...this.#records.halts.values()].toSorted((a, b) => a.at - b.at);
  }

  async haltMembers(haltId: string): Promise<ReadonlyMap<string, HaltMember>> {
    this.#reach();
    return new Map(this.#records.members.get(haltId));
  }

  async recordHalt(haltId: string, members: ReadonlyMap<string, HaltMember>): Promise<void> {
    this.#reach();
    this.#records.batches.push(members.size);
    for (const [name, member] of members) this.#records.members.get(haltId)?.set(name, member);
  }

  async closeHalt(haltId: string): Promise<void> {
    this.#reach();
    this.#records.close(haltId);
  }

  onHaltsChanged(callback: () => void): () => void {
    this.#records.listeners.add(callback);
    return () => this.#records.listeners.delete(callback);
  }

  async notice(notice: Notice): Promise<void> {
    this.#reach();
    const { id, machine, kind, text } = notice;
    if (this.#records.notices.some((known) => known.id === id)) return;
    this.#records.notices.push(notice);
    await this.found(machine, kind, text);
  }

  async found(machine: string, finding: FindingKind | 'stray-found', detail: string): Promise<void> {
    this.#reach();
    this.#records.findings.push({ machine, finding, detail });
  }

  #reach(): void {
    if (!this.#records.away) return;
    this.#records.refused += 1;
    throw new StoreUnavailableError('Redis did not answer. Look at the Redis server.');
  }
}
