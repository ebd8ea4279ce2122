/** How long a run waited for another worker after its own was killed. */
export interface Recovery {
  readonly machine: string;
  readonly ms: number;
  /** Redis with its wakes was there, and a worker that could take it over, all the while. */
  readonly undisturbed: boolean;
}

/**
 * Measures from a worker's death to the next claim of its machines. A claim raises the fence in the record; it is
 * seen on its way to Redis.
 */
export class Recoveries {
  readonly done: Recovery[] = [];
  readonly #owners = new Map<string, string>();
  readonly #orphans = new Map<string, { readonly at: number; readonly disturbances: number }>();
  #disturbances = 0;

  /** @param worker one life of a worker */
  claimed(machine: string, worker: string): void {
    this.#owners.set(machine, worker);
    const orphan = this.#orphans.get(machine);
    if (orphan === undefined) return;
    this.#orphans.delete(machine);
    const undisturbed = orphan.disturbances === this.#disturbances;
    this.done.push({ machine, ms: Date.now() - orphan.at, undisturbed });
  }

  /** Machines that this life of a worker claimed last. */
  ownedBy(worker: string): readonly string[] {
    return [...this.#owners].filter(([, owner]) => owner === worker).map(([machine]) => machine);
  }

  /** Redis, its wakes or the last worker are gone. */
  disturbed(): void {
    this.#disturbances += 1;
  }

  /** Whether the machine's worker was killed and no other one has claimed it since. */
  isOrphan(machine: string): boolean {
    return this.#orphans.has(machine);
  }

  /** The worker of these machines was killed during a run of theirs. */
  orphaned(machines: readonly string[], at: number): void {
    for (const machine of machines) {
      if (!this.#orphans.has(machine)) this.#orphans.set(machine, { at, disturbances: this.#disturbances });
    }
  }
}
