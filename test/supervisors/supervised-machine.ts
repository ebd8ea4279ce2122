import { pino } from 'pino';
import { afterAll, beforeAll } from 'vitest';
import { questionDigest } from '../../src/fleet/approval.ts';
import type { Fleet } from '../../src/fleet/fleet.ts';
import type { Request, Task } from '../../src/fleet/request.ts';
import type { Requester } from '../../src/fleet/requester.ts';
import type { Run } from '../../src/fleet/run.ts';
import { settle } from '../../src/fleet/settle.ts';
import { createQueue, type Queue } from '../../src/queue/create-queue.ts';
import type { QueueSettings } from '../../src/queue/queue-settings.ts';
import { defaultSupervisorSettings, type SupervisorSettings } from '../../src/supervisors/context.ts';
import { createSupervisor, type DriveRun } from '../../src/supervisors/create-supervisor.ts';
import type { Claim, Peers, Signer } from '../../src/supervisors/ports.ts';
import { redact } from '../../src/telemetry/redact.ts';
import { fleetOfOne } from '../fleet/fixtures.ts';
import { dfOutputs } from '../support/df-outputs.ts';
import { type FakeBehaviour, FakeMachine } from '../support/fake-machine.ts';
import { noLimits } from '../support/no-limits.ts';
import { nobodyAsked } from '../support/no-signals.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { type Around, aroundGate, aroundSigner, aroundStore } from './around.ts';
import { BlindSigner } from './blind-signer.ts';
import { RecordedTracer } from './recorded-tracer.ts';

const silent = pino({ level: 'silent' });

export interface SupervisedOptions {
  /** YAML of the machine, indented by four. */
  readonly yaml?: string;
  /** YAML of the rest of the fleet file. */
  readonly rest?: string;
  readonly behaviour?: Partial<FakeBehaviour>;
  readonly settings?: Partial<SupervisorSettings>;
  readonly queue?: Partial<QueueSettings>;
}

/** Who says who asked, if anybody. */
type Seal = ((request: Request) => string) | 'none';

let prefixes = 0;

/** The machine rhel-01 in memory, and its queue in a real Redis under a prefix of its own. */
export class SupervisedMachine implements AsyncDisposable {
  readonly queue: Queue;
  readonly machine: FakeMachine;
  readonly tracer = new RecordedTracer();
  /** Signs whatever it is asked for; a test may put another one in its place. */
  signer: Signer = new BlindSigner();
  /** Asks nobody; a test may put others in their place. */
  peers: Peers = nobodyAsked;
  /** The fleet file in force; a test may change it. */
  fleet: Fleet;
  readonly #settings: SupervisorSettings;
  readonly #queues: Queue[] = [];
  readonly #openQueue: () => Promise<Queue>;
  #events = 0;

  private constructor(
    queue: Queue,
    openQueue: () => Promise<Queue>,
    fleet: Fleet,
    options: SupervisedOptions,
  ) {
    this.queue = queue;
    this.#openQueue = openQueue;
    this.fleet = fleet;
    this.machine = new FakeMachine({
      outputs: () => dfOutputs(),
      ...options.behaviour,
    });
    this.#settings = {
      ...defaultSupervisorSettings,
      stopRetryDelayMs: 5,
      progressIntervalMs: 20,
      resultPollIntervalMs: 5,
      resultGraceMs: 1_000,
      ...options.settings,
    };
  }

  static async open(redisUrl: string, options: SupervisedOptions = {}): Promise<SupervisedMachine> {
    prefixes += 1;
    const settings = { prefix: `{supervised${process.pid}-${prefixes}}`, ...options.queue };
    let opened: SupervisedMachine | undefined;
    const fleet = fleetOfOne(options.yaml, options.rest);
    const openQueue = () =>
      createQueue({ redisUrl, log: silent, settings, fleet: () => opened?.fleet ?? fleet });
    opened = new SupervisedMachine(await openQueue(), openQueue, fleet, options);
    return opened;
  }

  /** The same queue as another worker's process opens it. */
  async anotherQueue(): Promise<Queue> {
    const queue = await this.#openQueue();
    this.#queues.push(queue);
    return queue;
  }

  /** Accepts a request and returns the id of its run. */
  request(task: Task = { kind: 'check', check: 'disk' }, seal: Seal = () => 'a seal'): Promise<string> {
    return this.requestFrom({ kind: 'person', userId: 'U1', teamId: 'T1' }, task, seal);
  }

  /** The same of whoever asks. */
  async requestFrom(requester: Requester, task: Task, seal: Seal = () => 'a seal'): Promise<string> {
    this.#events += 1;
    const request: Request = {
      eventId: `Ev${this.#events}`,
      machine: 'rhel-01',
      task,
      requester,
      origin: { channel: 'C01' },
      acceptedAt: Date.now(),
    };
    const sealed = seal === 'none' ? request : { ...request, seal: seal(request) };
    const { runIds } = await this.queue.requests.accept([sealed], noLimits);
    return runIds[0] ?? '';
  }

  /** A supervisor of its own, as another worker would have. */
  supervisor(around: Around = {}, queue = this.queue): DriveRun {
    const gate = aroundGate(this.machine, around);
    return createSupervisor({
      fleet: () => this.fleet,
      runs: aroundStore(queue.runs, around),
      restraints: queue.restraints,
      machines: { gate: () => gate },
      signer: aroundSigner(this.signer, around),
      peers: this.peers,
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

  /** People decide what a run asks. */
  async decide(id: string, kind: 'approved' | 'denied' | 'expired' = 'approved'): Promise<Run> {
    const run = await this.queue.approvals.change(id, (asking) => decided(asking, kind));
    if (!run) throw new Error(`no run ${id}`);
    return run;
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

function decided(run: Run, kind: 'approved' | 'denied' | 'expired') {
  if (!run.approval) throw new Error(`run ${run.id} asks nothing`);
  const now = Date.now();
  const decision = {
    approval: run.approval.question.id,
    question: questionDigest(run.approval.question),
    kind: kind === 'approved' ? 'approve' : 'deny',
    by: { kind: 'person', userId: 'U2', teamId: 'T1' },
    groups: [],
    at: now,
    eventId: `Ev-${run.id}`,
  } as const;
  const votes = kind === 'expired' ? [] : [{ decision: { ...decision, groups: [] }, signature: 'signed' }];
  return settle(run, { ...run.approval, votes }, kind, now);
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
