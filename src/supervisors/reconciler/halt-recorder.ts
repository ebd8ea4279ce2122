import type { Logger } from 'pino';
import type { Halt, HaltMember } from '../../fleet/halt.ts';
import type { Machine } from '../../fleet/machine.ts';
import type { LockOutcome } from '../measure-lock.ts';
import type { Clock, ReconcilerStore } from '../ports.ts';
import type { HaltBook } from './halt-book.ts';

/** How long outcomes are collected before they are stored together, and how many at most. */
const collectMs = 250;
const collectMax = 100;

interface HaltRecorderParts {
  readonly store: ReconcilerStore;
  readonly book: HaltBook;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Keeps what became of the machines of halts, many at a time, so that neither Redis nor Slack is flooded. */
export class HaltRecorder {
  readonly #parts: HaltRecorderParts;
  readonly #collected = new Map<string, Map<string, HaltMember>>();
  #count = 0;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<unknown> = Promise.resolve();

  constructor(parts: HaltRecorderParts) {
    this.#parts = parts;
  }

  /** Notes what became of a machine; known at once, stored soon. What is known already is not stored again. */
  record(halt: Halt, machine: Machine, { outcome, detail }: LockOutcome): void {
    const { book, clock } = this.#parts;
    if (this.#closed) return;
    const known = book.member(halt, machine);
    if (known?.outcome === outcome && known.detail === detail) return;
    const member: HaltMember = { outcome, at: clock(), ...(detail !== undefined && { detail }) };
    book.set(halt, machine, member);
    this.#collect(halt.id, machine.name, member);
    if (this.#count >= collectMax) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), collectMs);
  }

  /**
   * Stores what was collected. Returns whether all of it is stored now; the rest is tried again with the next flush.
   * Never rejects.
   */
  flush(): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const flushing = this.#flushing.then(() => this.#store());
    this.#flushing = flushing;
    return flushing;
  }

  /** Takes no more. What cannot be stored now is given up: the next leader measures it again. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
  }

  async #store(): Promise<boolean> {
    const { store, log } = this.#parts;
    const batches = [...this.#collected];
    this.#collected.clear();
    this.#count = 0;
    for (const [haltId, members] of batches) {
      try {
        await store.recordHalt(haltId, members);
      } catch (error) {
        log.warn({ err: error, halt: haltId }, 'what became of a halt could not be stored');
        const newer = this.#collected.get(haltId);
        for (const [name, member] of members) if (!newer?.has(name)) this.#collect(haltId, name, member);
      }
    }
    return this.#count === 0;
  }

  #collect(haltId: string, machine: string, member: HaltMember): void {
    const members = this.#collected.get(haltId) ?? new Map<string, HaltMember>();
    this.#collected.set(haltId, members);
    if (!members.has(machine)) this.#count += 1;
    members.set(machine, member);
  }
}
