import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { haltIdOfLock } from '../../fleet/halt.ts';
import type { Machine } from '../../fleet/machine.ts';
import type { FindingKind } from '../../fleet/notice.ts';
import type { Clock, ReconcilerMeter, ReconcilerStore, Redact } from '../ports.ts';
import { NoticeQuota, quotaSpentText } from './notice-quota.ts';

/** Each of these is about an agent that ran where none should. */
const alwaysPosted: ReadonlySet<FindingKind> = new Set<FindingKind>(['stray-stopped', 'stray-unstoppable']);

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
  readonly #quota = new NoticeQuota();

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
    const [what, force] =
      haltIdOfLock(lock.reason) === undefined
        ? ['by other means than a halt', '']
        : ['for a halt that is over, or that this machine no longer belongs to,', '--force '];
    const text = `${name} has been locked ${what} since ${lock.at}, and is left so: ${lock.reason}. No agent starts there. Once it may work again, whoever has the fleet file and the SSH key runs: fleetbot resume --direct ${force}${name}`;
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
    const posting = alwaysPosted.has(kind) ? 'more' : this.#quota.take(channel, clock());
    if (posting === 'none') return store.found(name, kind, text);
    const said = posting === 'last' ? `${text} ${quotaSpentText}` : text;
    const notice = { id, kind, machine: name, channel, text: said, at: clock() };
    await store.notice({ ...notice, ...(runId !== undefined && { runId }) });
  }
}
