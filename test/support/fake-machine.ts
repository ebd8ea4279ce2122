import { MachineError } from '../../src/fleet/errors.ts';
import type { CommandOutput } from '../../src/fleet/evidence.ts';
import type { AgentAnswer, AgentTask, MachineGate, MachineStatus } from '../../src/supervisors/ports.ts';

/** What a fake machine answers, where a test wants something else than the good case. */
export interface FakeBehaviour {
  readonly outputs: (check: string) => CommandOutput[];
  readonly answer: (task: AgentTask, signal: AbortSignal | undefined) => Promise<AgentAnswer>;
  /** Called before every verb; throws to make it fail. */
  readonly before: (verb: keyof MachineGate) => void | Promise<void>;
}

/**
 * A machine in memory that keeps the gate's rules (fences, one activation) and books of what was done to it.
 * Instant: what the benchmark measures with it is our own work. Passes the machine-gate conformance suite.
 */
export class FakeMachine implements MachineGate {
  readonly books: string[] = [];
  readonly behaviour: FakeBehaviour;
  highestFence = 0;
  retiredFence = 0;
  agent: MachineStatus['agent'] = 'inactive';
  run: string | null = null;
  lock: MachineStatus['lock'] = null;
  #token = '';

  constructor(behaviour: Partial<FakeBehaviour> = {}) {
    this.behaviour = {
      outputs: () => [],
      answer: async () => ({ text: 'All is well.\nVERDICT: ok', toolCalls: [] }),
      before: () => undefined,
      ...behaviour,
    };
  }

  async status(): Promise<MachineStatus> {
    await this.behaviour.before('status');
    const { agent, run, lock, highestFence } = this;
    return { agent, run, lock, fence: highestFence, clockSkewMs: 0 };
  }

  async evidence(fence: number, check: string): Promise<{ collectedAt: string; outputs: CommandOutput[] }> {
    await this.behaviour.before('evidence');
    this.#enter(fence);
    this.books.push(`evidence ${check}`);
    return { collectedAt: new Date().toISOString(), outputs: this.behaviour.outputs(check) };
  }

  async start(fence: number, runId: string): Promise<{ token: string }> {
    await this.behaviour.before('start');
    this.#enter(fence);
    if (fence <= this.retiredFence) throw new MachineError('old-fence', 'This fence was stopped.');
    if (this.agent === 'active') throw new MachineError('unit-failed', 'The agent is active.');
    this.agent = 'active';
    this.run = runId;
    this.#token = `token-of-${runId}-${fence}`;
    this.books.push(`start ${runId}`);
    return { token: this.#token };
  }

  async stop(fence: number): Promise<void> {
    await this.behaviour.before('stop');
    this.#enter(fence);
    this.retiredFence = fence;
    this.agent = 'inactive';
    this.run = null;
    this.books.push('stop');
  }

  async ready(fence: number): Promise<void> {
    await this.behaviour.before('ready');
    this.#enter(fence);
  }

  async task(fence: number, token: string, task: AgentTask, signal?: AbortSignal): Promise<AgentAnswer> {
    await this.behaviour.before('task');
    this.#enter(fence);
    if (token !== this.#token) throw new MachineError('verb-refused', 'Wrong token.');
    this.books.push(`task ${task.runId}`);
    return this.behaviour.answer(task, signal);
  }

  #enter(fence: number): void {
    if (fence < this.highestFence)
      throw new MachineError('old-fence', `Fence ${this.highestFence} was seen.`);
    this.highestFence = fence;
  }
}
