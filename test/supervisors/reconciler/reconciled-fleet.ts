import { pino } from 'pino';
import { z } from 'zod';
import { approvalRulesSchema } from '../../../src/fleet/fleet.ts';
import type { Halt, Release } from '../../../src/fleet/halt.ts';
import { loadFleet } from '../../../src/fleet/load-fleet.ts';
import type { Machine } from '../../../src/fleet/machine.ts';
import type { MachineBrake, ReconcilerMeter, ReconcilerStore } from '../../../src/supervisors/ports.ts';
import { createReconciler, type Reconciler } from '../../../src/supervisors/reconciler/create-reconciler.ts';
import type { ReconcilerSettings } from '../../../src/supervisors/reconciler/parts.ts';
import { hostKey } from '../../fleet/fixtures.ts';
import { FakeMachine } from '../../support/fake-machine.ts';
import { MemoryRecords } from '../../support/memory-reconciler-store.ts';
import { noSignals } from '../../support/no-signals.ts';

export const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const person = { kind: 'person', userId: 'U1', teamId: 'T1' } as const;

/** A person's order, as the bot would store it. */
export function haltOf(id: string, selector: string, at = 10): Halt {
  return {
    ...{ id, eventId: `Ev-${id}`, selector, reason: 'leak', by: person },
    ...{ origin: { channel: 'C01' }, at, releases: [] },
  };
}

export function releaseOf(selector: string): Release {
  return { selector, by: person, at: 20 };
}

const textOf = (line: string): string => z.object({ text: z.string() }).parse(JSON.parse(line)).text;

/** Machines in memory, what is recorded of them in memory, and reconcilers. */
export class ReconciledFleet implements AsyncDisposable {
  readonly records = new MemoryRecords();
  readonly fakes = new Map<string, FakeMachine>();
  readonly machines: Map<string, Machine>;
  readonly counted: string[] = [];
  /** What the log says, debug lines left out. */
  readonly logged: string[] = [];
  readonly rounds: Parameters<ReconcilerMeter['round']>[0][] = [];
  /** What was counted as drifted, in order; undefined where a term ended. */
  readonly drifted: (Record<string, number> | undefined)[] = [];
  readonly #settings: ReconcilerSettings;
  readonly #reconcilers: Reconciler[] = [];
  #ids = 0;

  /** @param channels whether the machines have a channel */
  constructor(
    names: readonly string[],
    settings: Partial<ReconcilerSettings> = {},
    { channels = true } = {},
  ) {
    const entries = names.map((name, index) => {
      const channel = channels ? `\n    channel: C0${index}` : '';
      return `  - name: ${name}\n    address: ${name}.test\n    hostKey: ${hostKey(index + 1)}${channel}\n    limits: { stopTimeoutMs: 300 }\n`;
    });
    const fleet = loadFleet(`version: 1\nmachines:\n${entries.join('')}`, 'fleet.yaml');
    this.machines = new Map(fleet.machines);
    for (const name of names) this.fakes.set(name, new FakeMachine());
    this.#settings = {
      ...{ roundIntervalMs: 3_600_000, attentionIntervalMs: 25, concurrency: 100 },
      ...settings,
    };
  }

  on(name: string): FakeMachine {
    const fake = this.fakes.get(name);
    if (!fake) throw new Error(`no machine ${name}`);
    return fake;
  }

  /** Starts a reconciler of its own, as another worker would have. */
  reconcile(
    store: ReconcilerStore = this.records.store(),
    gate: (machine: Machine) => MachineBrake = ({ name }) => this.on(name),
  ): Reconciler {
    const reconciler = createReconciler({
      fleet: () => ({
        ...{ file: 'fleet.yaml', machines: this.machines, access: [], prices: {} },
        ...{ actions: new Map(), suggestions: [], approvals: approvalRulesSchema.parse({}) },
        ...noSignals,
        perPerson: { requestsPerMinute: 30 },
      }),
      store,
      brakes: { gate },
      meter: {
        found: (kind) => this.counted.push(kind),
        round: (result) => this.rounds.push(result),
        drifted: (machines) => this.drifted.push(machines && Object.fromEntries(machines)),
      },
      redact: (text) => text.replaceAll('hunter2', '***'),
      clock: Date.now,
      newId: () => String(++this.#ids),
      log: pino({ messageKey: 'text' }, { write: (line) => this.logged.push(textOf(line)) }),
      settings: this.#settings,
    });
    this.#reconcilers.push(reconciler);
    reconciler.start();
    return reconciler;
  }

  /** Halts what the selector says, as the bot does. */
  halt(id: string, names: readonly string[], selector = names.join(','), at = 10): void {
    this.records.begin(haltOf(id, selector, at), names);
  }

  outcome(halt: string, machine: string): string | undefined {
    return this.records.outcome(halt, machine)?.outcome;
  }

  outcomes(halt: string): Record<string, number> {
    const members = [...(this.records.members.get(halt)?.values() ?? [])];
    const groups = Map.groupBy(members, ({ outcome }) => outcome);
    return Object.fromEntries([...groups].map(([outcome, some]) => [outcome, some.length]));
  }

  /** The kinds of findings in the ledger, in order. */
  get findings(): readonly string[] {
    return this.records.findings.map(({ finding }) => finding);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#reconcilers.map((reconciler) => reconciler.stop()));
  }
}
