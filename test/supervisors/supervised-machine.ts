import { pino } from 'pino';
import { afterAll, beforeAll } from 'vitest';
import type { Fleet } from '../../src/fleet/fleet.ts';
import type { Task } from '../../src/fleet/request.ts';
import type { Run } from '../../src/fleet/run.ts';
import { createQueue, type Queue } from '../../src/queue/create-queue.ts';
import type { QueueSettings } from '../../src/queue/queue-settings.ts';
import { defaultSupervisorSettings, type SupervisorSettings } from '../../src/supervisors/context.ts';
import { createSupervisor, type DriveRun } from '../../src/supervisors/create-supervisor.ts';
import type { Claim } from '../../src/supervisors/ports.ts';
import { redact } from '../../src/telemetry/redact.ts';
import { fleetOfOne } from '../fleet/fixtures.ts';
import { dfOutputs } from '../support/df-outputs.ts';
import { type FakeBehaviour, FakeMachine } from '../support/fake-machine.ts';
import { noLimits } from '../support/no-limits.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { type Around, aroundGate, aroundStore } from './around.ts';
import { RecordedTracer } from './recorded-tracer.ts';

const silent = pino({ level: 'silent' });

export interface SupervisedOptions {
  /** YAML of the machine, indented by four. */
  readonly yaml?: string;
  readonly behaviour?: Partial<FakeBehaviour>;
  readonly settings?: Partial<SupervisorSettings>;
  readonly queue?: Partial<QueueSettings>;
}

let prefixes = 0;

/** The machine rhel-01 in memory, and its queue in a real Redis under a prefix of its own. */
export class SupervisedMachine implements AsyncDisposable {
  readonly queue: Queue;
  readonly machine: FakeMachine;
  readonly tracer = new RecordedTracer();
  /** The fleet file in force; a test may change it. */
  fleet: Fleet;
  readonly #settings: SupervisorSettings;
  readonly #queues: Queue[] = [];
  readonly #openQueue: () => Promise<Queue>;
  #events = 0;

  private constructor(queue: Queue, openQueue: () => Promise<Queue>, options: SupervisedOptions) {
    this.queue = queue;
    this.#openQueue = openQueue;
    this.fleet = fleetOfOne(options.yaml);
    this.machine = new FakeMachine({
      outputs: () => dfOutputs(),
      ...options.behaviour,
    });
    this.#settings = {
      ...defaultSupervisorSettings,
      stopRetryDelayMs: 5,
      progressIntervalMs: 20,
      ...options.settings,
    };
  }

  static async open(redisUrl: string, options: SupervisedOptions = {}): Promise<SupervisedMachine> {
    prefixes += 1;
    const settings = { prefix: `{supervised${process.pid}-${prefixes}}`, ...options.queue };
    const openQueue = () => createQueue({ redisUrl, log: silent, settings });
    return new SupervisedMachine(await openQueue(), openQueue, options);
  }

  /** The same queue as another worker's process opens it. */
  async anotherQueue(): Promise<Queue> {
    const queue = await this.#openQueue();
    this.#queues.push(queue);
    return queue;
  }

  /** Accepts a request and returns the id of its run. */
  async request(task: Task = { kind: 'check', check: 'disk' }): Promise<string> {
    this.#events += 1;
    const { runIds } = await this.queue.requests.accept(
      [
        {
          eventId: `Ev${this.#events}`,
          machine: 'rhel-01',
          task,
          requester: { kind: 'person', userId: 'U1', teamId: 'T1' },
          origin: { channel: 'C01' },
          acceptedAt: Date.now(),
        },
      ],
      noLimits,
    );
    return runIds[0] ?? '';
  }

  /** A supervisor of its own, as another worker would have. */
  supervisor(around: Around = {}, queue = this.queue): DriveRun {
    const gate = aroundGate(this.machine, around);
    return createSupervisor({
      fleet: () => this.fleet,
      runs: aroundStore(queue.runs, around),
      machines: { gate: () => gate },
      tracer: this.tracer,
      redact,
      clock: Date.now,
      log: silent,
      settings: this.#settings,
    });
  }

  async claim(): Promise<Claim> {
    const claim = await this.queue.runs.claim('rhel-01');
    if (!claim) throw new Error('the machine has nothing to do');
    return claim;
  }

  /** Drives the machine's next run to its end and returns its record. */
  async driveNext(around: Around = {}, signal = new AbortController().signal): Promise<Run> {
    const claim = await this.claim();
    await this.supervisor(around)(claim, signal);
    return this.run(claim.run.id);
  }

  /** Accepts a request and drives it to its end. */
  async serve(task?: Task, around: Around = {}): Promise<Run> {
    await this.request(task);
    return this.driveNext(around);
  }

  async run(id: string): Promise<Run> {
    const run = await this.queue.requests.run(id);
    if (!run) throw new Error(`no run ${id}`);
    return run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.queue, ...this.#queues].map((queue) => queue.close()));
  }
}

/** One Redis for a test file. Returns how to open a machine over it. */
export function supervisedMachines(): (options?: SupervisedOptions) => Promise<SupervisedMachine> {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(async () => {
    await redis?.stop();
  });
  return (options = {}) => SupervisedMachine.open(redis.url, options);
}
