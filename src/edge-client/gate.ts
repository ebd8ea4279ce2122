import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentAnswer, AgentTask } from '../fleet/agent-task.ts';
import type { SignedCapsule } from '../fleet/capsule.ts';
import { AgentError, InputError, MachineError } from '../fleet/errors.ts';
import type { Evidence } from '../fleet/evidence.ts';
import type { Machine } from '../fleet/machine.ts';
import { openChannelSocket } from './channel-socket.ts';
import type { ConnectionPool } from './connection-pool.ts';
import {
  type ActionReply,
  type AgentState,
  actionReplySchema,
  evidenceReplySchema,
  type LockReply,
  lockReplySchema,
  type StartReply,
  type StatusReply,
  startReplySchema,
  statusReplySchema,
  stopReplySchema,
} from './gate-protocol.ts';
import { waitUntilReady } from './readiness.ts';
import { runVerb, type Verb } from './run-verb.ts';
import { transports } from './transports/index.ts';

/** The most that a check's evidence may weigh; the broker cuts each command's output far earlier. */
const evidenceMaxBytes = 4 * 1024 * 1024;
/** How often a unit that is still stopping is looked at. */
const stopPollMs = 250;
/**
 * How long an action may take to begin: the gate waits 90 s for its books at most, and 60 s for its broker
 * (FLOCK_WAIT_SECONDS and ACTION_SECONDS in edge/gate).
 */
const actTimeoutMs = 160_000;
/** An action's output: the broker keeps 16 KiB of each stream, each byte of which may be six in JSON. */
const resultMaxBytes = 256 * 1024;
/** The gate's answers to `act` that say: it has not begun, and does not. */
const actRefusals: readonly string[] = ['verb-refused', 'locked', 'unit-failed'];
/** The gate's grammar allows no more in a lock's reason. */
const lockReasonMaxCharacters = 200;

/** What a machine says of an action; `refused` is said of one that has not begun, by `act` alone. */
export type ActionReport = Omit<ActionReply, 'id' | 'outcome'> & {
  readonly outcome: ActionReply['outcome'] | 'refused';
};

/** The machine as `status` reports it. */
export type Status = Pick<StatusReply, 'agent' | 'run' | 'fence' | 'lock' | 'action' | 'installed'> & {
  /** Milliseconds that the machine's clock is ahead of ours, give or take half the round trip. */
  readonly clockSkewMs: number;
};

/**
 * One machine's gate, over its kept SSH connection. Each verb takes no longer than the machine's limit for it
 * and throws MachineError; an aborted signal ends it early with the signal's reason. The verbs and what they
 * mean are in `gate-protocol.ts`.
 */
export class Gate {
  readonly #machine: Machine;
  readonly #pool: ConnectionPool;
  readonly #clock: () => number;

  constructor(machine: Machine, pool: ConnectionPool, clock: () => number) {
    this.#machine = machine;
    this.#pool = pool;
    this.#clock = clock;
  }

  async status(signal?: AbortSignal): Promise<Status> {
    // Logging in takes many times what an answer does, and says nothing of the machine's clock.
    await this.#pool.connect(this.#machine, signal);
    const askedAt = this.#clock();
    const reply = await this.#run({
      line: 'status',
      reply: statusReplySchema,
      timeoutMs: this.#machine.limits.statusTimeoutMs,
      repeatable: true,
      signal,
    });
    const halfWay = (askedAt + this.#clock()) / 2;
    const { machine, agent, run, fence, lock, action, installed } = reply;
    if (machine !== this.#machine.name) {
      throw new MachineError(
        'protocol',
        `${this.#machine.name} says that it is ${machine}. Correct its address or its name in the fleet file.`,
      );
    }
    const clockSkewMs = Math.round(Date.parse(reply.clock) - halfWay);
    return {
      ...{ agent, run, fence, lock, clockSkewMs },
      ...(action && { action }),
      ...(installed && { installed }),
    };
  }

  /** Runs the check's commands on the host, through the broker. */
  async evidence(fence: number, check: string, signal?: AbortSignal): Promise<Evidence> {
    const evidence = await this.#run({
      line: `evidence ${fence} ${check}`,
      reply: evidenceReplySchema,
      timeoutMs: this.#machine.limits.evidenceTimeoutMs,
      repeatable: true,
      stdoutMaxBytes: evidenceMaxBytes,
      signal,
    });
    if (evidence.check !== check) {
      throw new MachineError(
        'protocol',
        `${this.#machine.name} was asked for ${check} and answered with ${evidence.check}. Install the same version on both sides.`,
      );
    }
    return evidence;
  }

  /** Starts the agent's unit. Never asked twice: after an error the agent may or may not run. */
  async start(fence: number, runId: string, traceparent: string, signal?: AbortSignal): Promise<StartReply> {
    return await this.#run({
      line: `start ${fence} ${runId} ${traceparent}`,
      reply: startReplySchema,
      timeoutMs: this.#machine.limits.startTimeoutMs,
      repeatable: false,
      signal,
    });
  }

  /**
   * Stops the agent's unit. Resolves only when no process of it is left: measured `inactive` or `failed`.
   * @throws MachineError `timeout` when it is still there after the machine's `stopTimeoutMs`
   */
  async stop(fence: number): Promise<void> {
    const { limits, name } = this.#machine;
    const deadline = this.#clock() + limits.stopTimeoutMs;
    let { agent } = await this.#run({
      line: `stop ${fence}`,
      reply: stopReplySchema,
      timeoutMs: limits.stopTimeoutMs,
      repeatable: true,
    });
    while (!isGone(agent)) {
      if (this.#clock() >= deadline) {
        throw new MachineError(
          'timeout',
          `The agent of ${name} is still ${agent} ${limits.stopTimeoutMs} ms after it was told to stop. ` +
            'Look at its unit on the machine.',
        );
      }
      await sleep(stopPollMs);
      ({ agent } = await this.status());
    }
  }

  /** Resolves when the agent's gateway takes tasks. @throws AgentError `agent-not-ready`; MachineError */
  async ready(fence: number, signal?: AbortSignal): Promise<void> {
    await waitUntilReady({
      machine: this.#machine.name,
      open: (openSignal) => this.connect(fence, openSignal),
      timeoutMs: this.#machine.limits.readyTimeoutMs,
      signal,
    });
  }

  /**
   * Gives the agent one task, over the machine's transport, and waits for its answer.
   * @throws AgentError; MachineError where no channel could be opened; the signal's reason
   */
  async task(fence: number, token: string, task: AgentTask, signal?: AbortSignal): Promise<AgentAnswer> {
    const { limits, agent, name } = this.#machine;
    const tooLate = new AbortController();
    const timer = setTimeout(() => {
      tooLate.abort(
        new AgentError(
          'agent-timeout',
          `The agent of ${name} did not finish within ${limits.taskTimeoutMs} ms and was told to stop. Ask for less, ` +
            'or raise taskTimeoutMs in the fleet file.',
        ),
      );
    }, limits.taskTimeoutMs);
    try {
      return await transports[agent.transport].send({
        machine: name,
        open: (openSignal) => this.connect(fence, openSignal),
        token,
        task,
        limits,
        signal: signal ? AbortSignal.any([signal, tooLate.signal]) : tooLate.signal,
        clock: this.#clock,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Locks the machine: its agent is stopped and none starts until it is unlocked. Needs no fence. */
  async lock(reason: string): Promise<LockReply> {
    const words = reason.replace(/[\p{C}\p{Z}]+/gu, ' ').trim();
    const printable = [...words].slice(0, lockReasonMaxCharacters).join('').trim();
    if (printable === '') throw new InputError('A lock needs a reason. Say in a few words why.');
    return await this.#run({
      line: `lock ${printable}`,
      reply: lockReplySchema,
      timeoutMs: this.#machine.limits.stopTimeoutMs,
      repeatable: true,
    });
  }

  /** Lifts the lock that has this reason. The reply says whether another one is there. */
  async unlock(reason: string): Promise<LockReply> {
    return await this.#run({
      line: `unlock ${reason}`,
      reply: lockReplySchema,
      timeoutMs: this.#machine.limits.statusTimeoutMs,
      repeatable: true,
    });
  }

  /**
   * Hands an approved action's capsule to the broker: `running` once it has begun, `refused` where it does not. Never
   * asked twice. @throws MachineError `old-fence`: it has not begun; after any other, ask `result`
   */
  async act(fence: number, capsule: SignedCapsule): Promise<ActionReport> {
    try {
      return await this.#run({
        line: `act ${fence}`,
        reply: actionReplySchema,
        timeoutMs: actTimeoutMs,
        repeatable: false,
        stdin: JSON.stringify(capsule),
      });
    } catch (error) {
      if (!(error instanceof MachineError && actRefusals.includes(error.code))) throw error;
      return { outcome: 'refused', detail: error.message };
    }
  }

  /** What the machine knows of an action. */
  async result(approvalId: string, signal?: AbortSignal): Promise<ActionReport> {
    return await this.#run({
      line: `result ${approvalId}`,
      reply: actionReplySchema,
      timeoutMs: this.#machine.limits.statusTimeoutMs,
      repeatable: true,
      stdoutMaxBytes: resultMaxBytes,
      signal,
    });
  }

  /** Opens a connection to the agent's gateway. What the gate has against it shows when the socket is used. */
  async connect(fence: number, signal?: AbortSignal): Promise<Socket> {
    const lease = await this.#pool.exec(this.#machine, `connect ${fence}`, signal);
    return openChannelSocket(lease, this.#machine.name);
  }

  #run<Reply>(verb: Verb<Reply>): Promise<Reply> {
    return runVerb(this.#pool, this.#machine, verb);
  }
}

function isGone(agent: AgentState): boolean {
  return agent === 'inactive' || agent === 'failed';
}
