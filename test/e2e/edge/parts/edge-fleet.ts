import pino from 'pino';
import { expect, vi } from 'vitest';
import { createMachines } from '../../../../src/edge-client/create-machines.ts';
import type { Gate } from '../../../../src/edge-client/gate.ts';
import type { Machine } from '../../../../src/fleet/machine.ts';
import type { Run } from '../../../../src/fleet/run.ts';
import { readFleetFile } from '../../../../src/runtime/fleet-file.ts';
import type { EdgeMachine } from '../../../support/edge-machines/edge-machine.ts';
import type { ReceivedSpan } from '../../../support/otlp-receiver.ts';
import { Centre, startCentre } from '../../parts/centre.ts';
import type { Answer } from '../../parts/channel.ts';
import { eventually } from '../../parts/eventually.ts';
import { furnish } from './faults.ts';
import { type GovernedMachines, type GovernedSpec, startGovernedMachines } from './governed-machines.ts';

/** Three gateways that start on two processors; the lease of a worker that died; the reconciler's patience. */
const longRunMs = 150_000;

/**
 * Starts real machines, sets them up, and starts fleetbot, which traces to where the machines do.
 * @param fleet what else is in the fleet file
 */
export async function startEdgeFleet(specs: readonly GovernedSpec[], fleet: object = {}): Promise<EdgeFleet> {
  await using stack = new AsyncDisposableStack();
  const governed = stack.use(await startGovernedMachines(specs, { fleet }));
  for (const { name } of specs) await furnish(governed.machine(name));
  const { folder, fleetFile, keyFile, spans } = governed;
  const { machines } = await readFleetFile(fleetFile);
  const centre = await startCentre(
    { folder, fleetFile, keyFile, mlflowUrl: spans.url },
    stack,
    (parts) => new Centre(parts),
  );
  centre.owns(stack.move());
  return new EdgeFleet(governed, centre, machines);
}

/** Real machines and their fleetbot, and what is really the case on them. */
export class EdgeFleet implements AsyncDisposable {
  readonly governed: GovernedMachines;
  readonly centre: Centre;
  readonly #machines: ReadonlyMap<string, Machine>;

  constructor(governed: GovernedMachines, centre: Centre, machines: ReadonlyMap<string, Machine>) {
    this.governed = governed;
    this.centre = centre;
    this.#machines = machines;
  }

  machine(name: string): EdgeMachine {
    return this.governed.machine(name);
  }

  /** Asks the machine's gate without fleetbot, over a connection of its own. */
  async atGate<T>(name: string, ask: (gate: Gate) => Promise<T>): Promise<T> {
    const machine = this.#machines.get(name);
    if (!machine) throw new RangeError(`the fleet file has no machine ${name}`);
    const { privateKey } = this.governed.key;
    const edge = createMachines({ privateKey, log: pino({ level: 'silent' }) });
    try {
      return await ask(edge.gate(machine));
    } finally {
      await edge.close();
    }
  }

  status(name: string): ReturnType<Gate['status']> {
    return this.atGate(name, (gate) => gate.status());
  }

  /** What the SRE's words lead to, once everything stands in Slack. */
  async runOf(words: string): Promise<Run> {
    return (await (await this.centre.sre.ask(words)).ended()).run;
  }

  /** How a run ends that takes long, on purpose or because several agents start at once. */
  endOf(answer: Answer): Promise<Run> {
    return this.runThat(answer, ({ state }) => expect(state).toBe('done'));
  }

  /** A run that takes long, once what is asserted of it holds. */
  runThat(answer: Answer, holds: (run: Run) => void): Promise<Run> {
    return vi.waitFor(
      async () => {
        const run = await answer.run();
        holds(run);
        return run;
      },
      { timeout: longRunMs, interval: 500 },
    );
  }

  /** Resolves with the time at which the verdict stands in Slack. */
  verdictPostedAt({ id }: Answer): Promise<number> {
    return vi.waitFor(
      async () => {
        expect((await this.centre.queue.views.parts(id)).verdict?.posted).toBeDefined();
        return Date.now();
      },
      { timeout: longRunMs, interval: 20 },
    );
  }

  /** The spans of a run: fleetbot's, and those of the machine where its agent took part. */
  spansOf(run: Run): Promise<readonly ReceivedSpan[]> {
    return eventually(() => {
      const spans = this.governed.spans.spans.filter(({ traceId }) => traceId === run.trace.traceId);
      expect(spans.map(({ name }) => name)).toContain('message.processed');
      if (run.diagnosis?.comment !== undefined)
        expect(spans.some(({ attributes }) => attributes['host.name'] !== undefined)).toBe(true);
      return spans;
    });
  }

  /** Asserts that the unit is inactive, the port closed and no process of the agent's left. */
  async expectInert(name: string): Promise<void> {
    expect(await this.status(name)).toMatchObject({
      agent: expect.stringMatching(/^(inactive|failed)$/),
      run: null,
    });
    expect(await this.machine(name).run(['ss', '-Hltn', 'sport = :18789'])).toBe('');
    const processes = await this.machine(name).run(['ps', '-eo', 'uid=,args=']);
    expect(processes).not.toMatch(/openclaw-gateway|\/opt\/fleetbot|\/opt\/openclaw/);
  }

  /** Resolves when it is so. */
  async becomesInert(name: string): Promise<void> {
    await vi.waitFor(() => this.expectInert(name), { timeout: longRunMs, interval: 1_000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.centre[Symbol.asyncDispose]();
  }
}
