import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Machine } from '../../fleet/machine.ts';
import type { FindingKind } from '../../fleet/notice.ts';
import type { Clock, ReconcilerMeter, ReconcilerStore, Redact } from '../ports.ts';

interface FindingsParts {
  readonly store: ReconcilerStore;
  readonly meter: ReconcilerMeter;
  readonly redact: Redact;
  readonly clock: Clock;
  /** Characters of `[0-9a-z]` that no other notice has. */
  readonly newId: () => string;
  readonly log: Logger;
}

/** Tells what was found: in the log, as a number, in the ledger, and in the machine's channel where it has one. */
export class Findings {
  readonly #parts: FindingsParts;
  /** The newest lock that was told of, by machine. */
  readonly #foreignLocks = new Map<string, string>();

  constructor(parts: FindingsParts) {
    this.#parts = parts;
  }

  /** Tells people. `text` may quote what a machine said. */
  async tell(kind: FindingKind, machine: Machine, text: string, runId?: string | null): Promise<void> {
    await this.#tell(kind, machine, text, `n-${this.#parts.newId()}`, runId ?? undefined);
  }

  /** Tells of a lock by other means than a halt, once for each lock, whoever leads. */
  async tellForeignLock(machine: Machine, lock: { reason: string; at: string }): Promise<void> {
    const { name } = machine;
    const identity = JSON.stringify([name, lock.reason, lock.at]);
    if (this.#foreignLocks.get(name) === identity) return;
    const id = createHash('sha256').update(identity).digest('hex').slice(0, 32);
    const text = `${name} has been locked by other means than a halt since ${lock.at}, and is left so: ${lock.reason}`;
    await this.#tell('foreign-lock', machine, text, `n-${id}`, undefined);
    this.#foreignLocks.set(name, identity);
  }

  /** Writes into the ledger that an agent runs that should not. Resolves before anything is done about it. */
  async strayFound(machine: Machine, text: string, runId: string | null): Promise<void> {
    const { store, meter, redact, log } = this.#parts;
    meter.found('stray-found');
    log.warn({ machine: machine.name, run: runId }, redact(text));
    await store.found(machine.name, 'stray-found', redact(text));
  }

  async #tell(
    kind: FindingKind,
    { name, channel }: Machine,
    quoting: string,
    id: string,
    runId: string | undefined,
  ): Promise<void> {
    const { store, meter, redact, clock, log } = this.#parts;
    const text = redact(quoting);
    meter.found(kind);
    log.warn({ machine: name, run: runId, finding: kind }, text);
    if (channel === undefined) return store.found(name, kind, text);
    const notice = { id, kind, machine: name, channel, text, at: clock() };
    await store.notice({ ...notice, ...(runId !== undefined && { runId }) });
  }
}
