import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentAnswer, AgentTask } from '../../src/fleet/agent-task.ts';
import { AgentError, MachineError } from '../../src/fleet/errors.ts';
import type { CommandOutput } from '../../src/fleet/evidence.ts';
import type { LockReply, MachineBrake, MachineGate, MachineStatus } from '../../src/supervisors/ports.ts';

/** What a fake machine answers, where a test wants something else than the good case. */
export interface FakeBehaviour {
  readonly outputs: (check: string) => CommandOutput[];
  /** An answer that never comes is ended by an abort or a stop, as a real one is. */
  readonly answer: (task: AgentTask) => Promise<AgentAnswer>;
}

interface Activation {
  readonly run: string;
  readonly fence: number;
  readonly token: string;
  /** Ends the task that is under way. */
  abandon?: (reason: unknown) => void;
}

/**
 * A machine in memory that keeps the gate's rules (fences, one activation) and books of what was done to it.
 * Instant: what the benchmark measures with it is our own work. Passes the machine-gate conformance suite.
 */
export class FakeMachine implements MachineGate, MachineBrake {
  readonly books: string[] = [];
  readonly behaviour: FakeBehaviour;
  highestFence = 0;
  locked: MachineStatus['lock'] = null;
  /** An action that must not be interrupted. */
  action: MachineStatus['action'];
  /** What it says is installed; as simulated machines do, nothing. */
  installed: MachineStatus['installed'];
  /** After how many milliseconds every call fails, as when nobody answers. */
  unreachableAfterMs: number | undefined;
  #retiredFence = 0;
  #activation: Activation | undefined;

  constructor(behaviour: Partial<FakeBehaviour> = {}) {
    this.behaviour = {
      outputs: () => [],
      answer: async () => ({ text: 'All is well.\nVERDICT: ok', toolCalls: [] }),
      ...behaviour,
    };
  }

  async status(signal?: AbortSignal): Promise<MachineStatus> {
    await this.#reach(signal);
    return {
      agent: this.#activation ? 'active' : 'inactive',
      run: this.#activation?.run ?? null,
      lock: this.locked,
      ...(this.action && { action: this.action }),
      ...(this.installed && { installed: this.installed }),
      fence: this.highestFence,
      clockSkewMs: 0,
    };
  }

  async evidence(
    fence: number,
    check: string,
    signal?: AbortSignal,
  ): Promise<{ collectedAt: string; outputs: CommandOutput[] }> {
    await this.#reach(signal);
    this.#admit(fence);
    this.books.push(`evidence ${check}`);
    return { collectedAt: new Date().toISOString(), outputs: this.behaviour.outputs(check) };
  }

  async start(
    fence: number,
    run: string,
    _traceparent: string,
    signal?: AbortSignal,
  ): Promise<{ token: string }> {
    await this.#reach(signal);
    this.#admit(fence);
    if (fence <= this.#retiredFence) throw new MachineError('old-fence', 'This fence was stopped.');
    if (this.locked) throw new MachineError('locked', `Locked: ${this.locked.reason}.`);
    if (this.#activation) throw new MachineError('unit-failed', 'The agent is active.');
    const token = `token-of-${run}-${fence}`;
    this.#activation = { run, fence, token };
    this.books.push(`start ${run}`);
    return { token };
  }

  async stop(fence: number): Promise<void> {
    await this.#reach();
    this.#admit(fence);
    this.#retiredFence = fence;
    this.#stopUnit();
    this.books.push('stop');
  }

  async lock(reason: string): Promise<LockReply> {
    await this.#reach();
    this.locked = { reason, at: new Date().toISOString() };
    this.#stopUnit();
    this.books.push(`lock ${reason}`);
    return { locked: true, agent: 'inactive', action: this.action };
  }

  async unlock(reason: string): Promise<LockReply> {
    await this.#reach();
    if (this.locked?.reason === reason) this.locked = null;
    this.books.push('unlock');
    return { locked: this.locked !== null, agent: this.#activation ? 'active' : 'inactive' };
  }

  async ready(fence: number, signal?: AbortSignal): Promise<void> {
    await this.#reach(signal);
    this.#connect(fence);
  }

  async task(fence: number, token: string, task: AgentTask, signal?: AbortSignal): Promise<AgentAnswer> {
    const activation = this.#connect(fence);
    if (token !== activation.token) throw new AgentError('agent-refused', 'Wrong token.');
    this.books.push(`task ${task.runId}`);
    const { promise, resolve, reject } = Promise.withResolvers<AgentAnswer>();
    const abort = () => reject(signal?.reason);
    activation.abandon = reject;
    signal?.addEventListener('abort', abort, { once: true });
    try {
      signal?.throwIfAborted();
      this.behaviour.answer(task).then(resolve, reject);
      return await promise;
    } finally {
      delete activation.abandon;
      signal?.removeEventListener('abort', abort);
    }
  }

  async #reach(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.unreachableAfterMs === undefined) return;
    await sleep(this.unreachableAfterMs, undefined, { signal });
    throw new MachineError('unreachable', 'The machine does not answer. Check that it is up.');
  }

  #stopUnit(): void {
    this.#activation?.abandon?.(new AgentError('agent-lost', 'The agent was stopped.'));
    this.#activation = undefined;
  }

  #admit(fence: number): void {
    if (fence < this.highestFence) {
      throw new MachineError('old-fence', `Fence ${this.highestFence} was seen.`);
    }
    this.highestFence = fence;
  }

  /** A connection to the gateway is for the activation's own fence alone, and raises none. */
  #connect(fence: number): Activation {
    if (fence < this.highestFence) {
      throw new MachineError('old-fence', `Fence ${this.highestFence} was seen.`);
    }
    if (this.#activation?.fence !== fence) throw new MachineError('unit-failed', 'No agent of this fence.');
    return this.#activation;
  }
}
