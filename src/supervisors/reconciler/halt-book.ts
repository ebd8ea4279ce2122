import { type Halt, type HaltMember, holder, lifter } from '../../fleet/halt.ts';
import type { Machine } from '../../fleet/machine.ts';
import { selectAll } from '../../fleet/selector.ts';
import type { ReconcilerStore } from '../ports.ts';

/** What the halts want of one machine. */
export interface Order {
  /** Those that hold for it, oldest first. */
  readonly holding: readonly Halt[];
  /** Those that were lifted from it, and may have left their lock. */
  readonly lifted: readonly Halt[];
}

/** A halt with its selectors read: they may name thousands of machines, and are held against thousands. */
interface Known {
  readonly halt: Halt;
  readonly holds: (machine: Machine) => boolean;
  readonly isLifted: (machine: Machine) => boolean;
}

/** The halts and what is known of their machines, as the leading process sees them. */
export class HaltBook {
  #halts: readonly Known[] = [];
  #members = new Map<string, Map<string, HaltMember>>();
  #reading: Promise<void> = Promise.resolve();

  /** Reads the halts again. What is known of the machines of a known halt is only written here, so never read again. */
  refresh(store: ReconcilerStore): Promise<void> {
    // One after the other: an older answer must not replace a newer one.
    this.#reading = this.#reading.catch(() => undefined).then(() => this.#read(store));
    return this.#reading;
  }

  has(id: string): boolean {
    return this.#halts.some(({ halt }) => halt.id === id);
  }

  /** The halt, where it holds for the machine or was lifted from it. */
  haltFor(id: string, machine: Machine): Halt | undefined {
    return this.#halts.find((known) => known.halt.id === id && isConcerned(known, machine))?.halt;
  }

  orderOf(machine: Machine): Order {
    const holding: Halt[] = [];
    const lifted: Halt[] = [];
    for (const { halt, holds, isLifted } of this.#halts) {
      if (holds(machine)) holding.push(halt);
      else if (isLifted(machine) && isLeft(this.member(halt, machine))) lifted.push(halt);
    }
    return { holding, lifted };
  }

  /** Whether every halt of the order is known to have what it wants of the machine. */
  isConfirmed({ holding, lifted }: Order, machine: Machine): boolean {
    return lifted.length === 0 && holding.every((halt) => this.member(halt, machine)?.outcome === 'inactive');
  }

  member(halt: Halt, machine: Pick<Machine, 'name'>): HaltMember | undefined {
    return this.#members.get(halt.id)?.get(machine.name);
  }

  set(halt: Halt, machine: Machine, member: HaltMember): void {
    this.#members.get(halt.id)?.set(machine.name, member);
  }

  /**
   * The halts that hold for no machine any more and have left no lock. One that was lifted only in part stays while
   * a machine of it is away from the fleet file, or has other labels: nobody has lifted the halt from it.
   */
  over(machines: ReadonlyMap<string, Machine>): readonly Halt[] {
    const over = this.#halts.filter((known) => {
      const { halt, holds } = known;
      if (halt.releases.length === 0) return false;
      const members = [...(this.#members.get(halt.id) ?? [])];
      const there = members.filter(([name]) => {
        const machine = machines.get(name);
        return machine !== undefined && isConcerned(known, machine);
      });
      if (there.length < members.length && !isLiftedWhole(halt)) return false;
      return !there.some(([, member]) => isLeft(member)) && !machines.values().some(holds);
    });
    return over.map(({ halt }) => halt);
  }

  async #read(store: ReconcilerStore): Promise<void> {
    const halts = await store.halts();
    const members = new Map<string, Map<string, HaltMember>>();
    for (const { id } of halts) {
      members.set(id, this.#members.get(id) ?? new Map(await store.haltMembers(id)));
    }
    this.#halts = halts.map((halt) => ({ halt, holds: holder(halt), isLifted: lifter(halt) }));
    this.#members = members;
  }
}

function isConcerned({ holds, isLifted }: Known, machine: Machine): boolean {
  return holds(machine) || isLifted(machine);
}

/** Whether the halt may have left its lock on a machine. */
function isLeft(member: HaltMember | undefined): boolean {
  return member !== undefined && member.outcome !== 'unlocked';
}

function isLiftedWhole({ releases, selector: halted }: Halt): boolean {
  return releases.some(({ selector }) => selector === selectAll || selector === halted);
}
