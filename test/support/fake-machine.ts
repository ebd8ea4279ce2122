import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentAnswer, AgentTask } from '../../src/fleet/agent-task.ts';
import { type Capsule, capsuleSchema, type SignedCapsule } from '../../src/fleet/capsule.ts';
import { AgentError, MachineError } from '../../src/fleet/errors.ts';
import type { CommandOutput } from '../../src/fleet/evidence.ts';
import type {
  ActionReport,
  LockReply,
  MachineBrake,
  MachineGate,
  MachineStatus,
} from '../../src/supervisors/ports.ts';

/** What a fake machine answers, where a test wants something else than the good case. */
export interface FakeBehaviour {
  readonly outputs: (check: string) => CommandOutput[];
  /** An answer that never comes is ended by an abort or a stop, as a real one is. */
  readonly answer: (task: AgentTask) => Promise<AgentAnswer>;
  /** What becomes of an action that has begun; until it resolves, the action runs. */
  readonly action: (capsule: Capsule) => Promise<ActionReport>;
}

interface Activation {
  readonly run: string;
  readonly fence: number;
  readonly token: string;
  /** Ends the task that is under way. */
  abandon?: (reason: unknown) => void;
}

/**
 * A machine in memory that keeps the gate's rules (fences, one activation, an action at most once) and books of what
 * was done to it. Believes every signature. Instant: what the benchmark measures with it is our own work. Passes the
 * machine-gate conformance suite.
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
  /** The actions that were run, in order. */
  readonly executions: Capsule[] = [];
  #retiredFence = 0;
  readonly #reports = new Map<string, ActionReport>();
  #activation: Activation | undefined;

  constructor(behaviour: Partial<FakeBehaviour> = {}) {
    this.behaviour = {
      outputs: () => [],
      answer: async () => ({ text: 'All is well.\nVERDICT: ok', toolCalls: [] }),
      action: async () => ({ outcome: 'done', detail: 'It ended with exit code 0.', exitCode: 0 }),
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
    if (this.action) throw new MachineError('unit-failed', 'An action is under way.');
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

  async act(fence: number, { capsule: text }: SignedCapsule): Promise<ActionReport> {
    await this.#reach();
    this.#admit(fence);
    const capsule = capsuleSchema.parse(JSON.parse(text));
    const refusal = this.#refusalOf(capsule, fence);
    if (refusal !== undefined) return { outcome: 'refused', detail: refusal };
    const { id, action: name } = capsule;
    const running: ActionReport = { outcome: 'running', detail: 'It has begun.' };
    this.books.push(`act ${name}`);
    this.executions.push(capsule);
    this.#reports.set(id, running);
    this.action = { id, name };
    void this.behaviour.action(capsule).then((report) => {
      this.#reports.set(id, report);
      this.action = undefined;
    });
    return running;
  }

  async result(approvalId: string, signal?: AbortSignal): Promise<ActionReport> {
    await this.#reach(signal);
    return this.#reports.get(approvalId) ?? { outcome: 'unknown', detail: 'No such action was begun.' };
  }

  /** Forgets every action, as a machine does that was set back to an older state of its disk. */
  forget(): void {
    this.#reports.clear();
  }

  #refusalOf(capsule: Capsule, fence: number): string | undefined {
    if (capsule.fence !== fence) return `The capsule is for fence ${capsule.fence}.`;
    if (this.locked) return `Locked: ${this.locked.reason}.`;
    if (this.#activation) return 'The agent is active.';
    if (this.action) return `The action ${this.action.name} is under way.`;
    if (this.#reports.has(capsule.id)) return 'This approval was used.';
    return undefined;
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
