import { setTimeout as sleep } from 'node:timers/promises';
import { Places } from '../places.ts';
import { Attention, type VisitResult } from './attention.ts';
import { Findings } from './findings.ts';
import { HaltBook } from './halt-book.ts';
import { HaltRecorder } from './halt-recorder.ts';
import { countDrift } from './note-drift.ts';
import type { ReconcilerParts } from './parts.ts';
import type { Term } from './term.ts';
import { visitMachine } from './visit-machine.ts';
import { Visits } from './visits.ts';

/** The reconciler while this process leads. */
export class Leader {
  readonly #term: Term;
  readonly #visits = new Visits((machine) => this.#visit(machine));
  readonly #attention: Attention;
  /** A round's own, so that a halt does not wait behind one. */
  readonly #roundPlaces: Places;
  readonly #attentionPlaces: Places;
  #attending = false;
  #attendAgain = false;

  constructor(parts: ReconcilerParts, signal: AbortSignal) {
    const { concurrency, attentionIntervalMs } = parts.settings;
    const book = new HaltBook();
    this.#term = {
      ...parts,
      ...{ signal, book, recorder: new HaltRecorder({ ...parts, book }), findings: new Findings(parts) },
      ...{ quarantined: new Set(), misplaced: new Map(), drift: new Map(), expected: new WeakMap() },
    };
    this.#attention = new Attention(attentionIntervalMs);
    this.#roundPlaces = new Places(concurrency);
    this.#attentionPlaces = new Places(concurrency);
  }

  /** Resolves when the term is over. */
  async work(): Promise<void> {
    const { roundIntervalMs, attentionIntervalMs } = this.#term.settings;
    const stopListening = this.#term.store.onHaltsChanged(() => void this.#try(() => this.#attend()));
    try {
      await Promise.all([
        this.#every(roundIntervalMs, 0, () => this.#round()),
        this.#every(attentionIntervalMs, attentionIntervalMs, () => this.#attend()),
      ]);
    } finally {
      stopListening();
      this.#term.meter.drifted(undefined);
      await this.#term.recorder.close();
    }
  }

  async #every(intervalMs: number, firstMs: number, work: () => Promise<void>): Promise<void> {
    const { signal, settings } = this.#term;
    const retryMs = Math.min(intervalMs, settings.attentionIntervalMs);
    for (let waitMs = firstMs; !signal.aborted; ) {
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) waitMs = (await this.#try(work)) ? intervalMs : retryMs;
    }
  }

  /** Returns whether the work was done. */
  async #try(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      const { signal, log } = this.#term;
      if (!signal.aborted) log.warn({ err: error }, 'the reconciler could not do its work, and tries again');
      return false;
    }
  }

  /** Visits every machine. */
  async #round(): Promise<void> {
    const { fleet, meter, clock, signal } = this.#term;
    const startedAt = clock();
    const names = [...fleet().machines.keys()];
    await this.#read(names);
    const visits = Promise.all(names.map((name) => this.#roundPlaces.hold(() => this.#visits.visit(name))));
    // Visits that are under way end by themselves.
    await orAborted(visits, signal);
    if (signal.aborted) return;
    const unreachable = (await visits).filter((result) => result === 'unreachable').length;
    meter.round({ machines: names.length, unreachable, durationMs: clock() - startedAt });
    meter.drifted(countDrift(this.#term));
    await this.#closeHalts();
  }

  /** Begins a visit to every machine that needs one now. Called meanwhile, it looks once more. */
  async #attend(): Promise<void> {
    this.#attendAgain = true;
    if (this.#attending) return;
    this.#attending = true;
    try {
      while (this.#attendAgain) {
        this.#attendAgain = false;
        await this.#read([...this.#term.fleet().machines.keys()]);
        const visits = this.#attention
          .due(this.#wants(), this.#term.clock())
          .map((name) => this.#attentionPlaces.hold(() => this.#visits.visit(name)));
        void Promise.all(visits).then(() => this.#try(() => this.#closeHalts()));
      }
    } finally {
      this.#attending = false;
    }
  }

  /** What is wanted of each machine that is not as it should be. */
  #wants(): ReadonlyMap<string, string> {
    const { fleet, book, quarantined } = this.#term;
    const wants = new Map<string, string>();
    for (const machine of fleet().machines.values()) {
      const order = book.orderOf(machine);
      const isQuarantined = quarantined.has(machine.name);
      if (book.isConfirmed(order, machine) && !isQuarantined) continue;
      const [holding, lifted] = [order.holding, order.lifted].map((halts) => halts.map(({ id }) => id));
      wants.set(machine.name, JSON.stringify({ holding, lifted, isQuarantined }));
    }
    return wants;
  }

  async #read(names: readonly string[]): Promise<void> {
    const { store, book, quarantined, drift } = this.#term;
    const [records] = await Promise.all([store.machines(names), book.refresh(store)]);
    quarantined.clear();
    drift.clear();
    for (const [name, { quarantine, currentRunId, drift: note }] of records) {
      if (quarantine && currentRunId === undefined) quarantined.add(name);
      if (note) drift.set(name, note);
    }
  }

  async #visit(name: string): Promise<VisitResult> {
    const { fleet, clock, signal, log } = this.#term;
    const machine = fleet().machines.get(name);
    let result: VisitResult = 'unsettled';
    try {
      if (machine && !signal.aborted) result = await visitMachine(this.#term, machine);
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error, machine: name }, 'the machine could not be reconciled');
    }
    this.#attention.ended(name, result, clock());
    return result;
  }

  /** Stores what is known of the halts, and closes those that are over. */
  async #closeHalts(): Promise<void> {
    const { store, fleet, log, book, recorder } = this.#term;
    if (!(await recorder.flush())) return;
    for (const { id } of book.over(fleet().machines)) {
      await store.closeHalt(id);
      log.info({ halt: id }, 'the halt is over, and no lock of it is left');
    }
  }
}

/** Resolves with the work, or as soon as the signal aborts. */
async function orAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const abort = () => resolve();
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  await Promise.race([work, aborted]);
  signal.removeEventListener('abort', abort);
}
