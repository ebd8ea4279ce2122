import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { compareFleets } from '../../fleet/compare-fleets.ts';
import type { Fleet } from '../../fleet/fleet.ts';
import { fleetDigest } from '../../fleet/fleet-digest.ts';
import type { LedgerEntry } from '../../fleet/ledger-entry.ts';

/** Under which the ledger remembers the policy that it told of last. */
const policySlot = 'policy';

const defaultRetryIntervalMs = 5_000;

export interface PolicyRecorderOptions {
  /** Appends unless the slot holds the value already, which it does afterwards. */
  readonly appendOnce: (slot: string, value: string, entry: LedgerEntry) => Promise<boolean>;
  readonly log: Logger;
  readonly clock: () => number;
  /** How long nothing is tried after a failure. */
  readonly retryIntervalMs?: number;
}

/**
 * Tells the ledger which fleet file is in force, once over all processes. What cannot be written now is written
 * later, in order.
 */
export class PolicyRecorder {
  readonly #options: PolicyRecorderOptions;
  readonly #stopping = new AbortController();
  #told: Fleet | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: PolicyRecorderOptions) {
    this.#options = options;
  }

  /** Resolves when it is in the ledger, or when the recorder was stopped. */
  record(fleet: Fleet): Promise<void> {
    const entry = this.#entryOf(fleet);
    this.#told = fleet;
    this.#writing = this.#writing.then(() => this.#write(entry));
    return this.#writing;
  }

  /** Gives up what could not be written yet. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#writing;
  }

  async #write(entry: PolicyEntry): Promise<void> {
    const { appendOnce, log, retryIntervalMs = defaultRetryIntervalMs } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await appendOnce(policySlot, entry.digest, entry);
        return;
      } catch (error) {
        log.warn({ err: error }, 'the ledger cannot be told of the new fleet file; trying again');
        await sleep(retryIntervalMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  #entryOf(fleet: Fleet): PolicyEntry {
    const before = this.#told ?? { ...fleet, machines: new Map(), access: [] };
    const change = compareFleets(before, fleet);
    const { added, removed, changed, accessChanged, actionsChanged, signalsChanged, costsChanged } = change;
    return {
      ...{ kind: 'policy.changed', at: this.#options.clock(), digest: fleetDigest(fleet) },
      ...(this.#told && { before: fleetDigest(this.#told) }),
      machines: fleet.machines.size,
      ...{ added: [...added], removed: [...removed], changed: [...changed], accessChanged },
      ...(actionsChanged && { actionsChanged }),
      ...(signalsChanged && { signalsChanged }),
      ...(costsChanged && { costsChanged }),
    };
  }
}

type PolicyEntry = Extract<LedgerEntry, { kind: 'policy.changed' }>;
