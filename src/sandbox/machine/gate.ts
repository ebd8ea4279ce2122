import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import {
  type ActionReply,
  type AgentState,
  gateProtocolVersion,
  type LockReply,
  type Refusal,
  type StartReply,
  type StatusReply,
  type StopReply,
} from '../../edge-client/gate-protocol.ts';
import { MachineError, type MachineErrorCode } from '../../fleet/errors.ts';
import type { Evidence } from '../../fleet/evidence.ts';
import type { TakenAction } from './action-book.ts';
import type { Actions } from './actions.ts';
import { type AgentUnit, processStart } from './agent-unit.ts';
import { killGroup, runCommand } from './broker.ts';
import { type GateState, loadGateState, saveGateState } from './gate-state.ts';
import { parseVerb, type Verb } from './parse-verb.ts';

/** Which commands make up which check, in order. */
export type Policy = ReadonlyMap<string, readonly (readonly string[])[]>;

type Reply = StatusReply | StartReply | StopReply | LockReply | ActionReply | Evidence;

/** What the gate says to one request. A connection is undefined while the gateway's port takes none. */
export type Answer =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'connection'; readonly socket: Socket | undefined }
  | { readonly kind: 'refusal'; readonly refusal: Refusal };

export interface GateOptions {
  readonly name: string;
  readonly stateDir: string;
  readonly policy: () => Policy;
  readonly unit: AgentUnit;
  readonly actions: Actions;
  readonly redact: (text: string) => string;
  readonly clock: () => number;
  readonly log: Logger;
}

/** Errors whose sentence is for whoever asked. */
const told = ['verb-refused', 'unit-failed'] as const satisfies readonly (MachineErrorCode &
  Refusal['code'])[];

const grammar =
  'status, start FENCE RUN TRACEPARENT, connect FENCE, stop FENCE, evidence FENCE CHECK, act FENCE, result ID, ' +
  'lock REASON, unlock REASON, unlock';

/** Opens a machine's gate with what it remembers; an agent that outlived the machine's process is killed. */
export async function openGate(options: GateOptions): Promise<Gate> {
  const state = await loadGateState(options.stateDir);
  const { activation } = state;
  if (activation !== null) {
    const survived =
      activation.pidStart !== null && (await processStart(activation.pid)) === activation.pidStart;
    if (survived) killGroup(activation.pid);
    options.log.warn({ run: activation.run, survived }, 'the machine ended during an activation');
    state.activation = null;
    await saveGateState(options.stateDir, state);
  }
  return new Gate(options, state);
}

/** The machine's forced command: exact grammar, one change at a time, the highest fence on disk. */
export class Gate {
  readonly #options: GateOptions;
  #state: GateState;
  #lastChange: Promise<unknown> = Promise.resolve();

  constructor(options: GateOptions, state: GateState) {
    this.#options = options;
    this.#state = state;
  }

  /** Answers one request; `stdin` is only read by `act`. Never throws. */
  async answer(line: string, stdin: () => Promise<string>): Promise<Answer> {
    const verb = parseVerb(line);
    if (verb === undefined) return refuse('verb-refused', `The gate knows only: ${grammar}. Single spaces.`);
    try {
      return await this.#serve(verb, stdin);
    } catch (error) {
      const code = error instanceof MachineError ? told.find((each) => each === error.code) : undefined;
      this.#options.log.error({ err: error, verb: verb.verb }, code ? 'refused' : 'the gate failed');
      if (code && error instanceof Error) return refuse(code, error.message);
      return refuse('internal', 'The gate failed. Its reason is in the log of the machine.');
    }
  }

  /** Stops the agent, after every change that was asked for before. */
  async close(): Promise<void> {
    await this.#oneAtATime(() => this.#stopUnit());
  }

  async #serve(verb: Verb, stdin: () => Promise<string>): Promise<Answer> {
    switch (verb.verb) {
      case 'status':
        return replyWith(await this.#status());
      case 'start':
        return this.#change(verb.fence, () => this.#start(verb));
      case 'connect':
        return this.#connect(verb.fence);
      case 'stop':
        return this.#change(verb.fence, () => this.#stop(verb.fence));
      case 'evidence':
        return this.#evidence(verb.fence, verb.check);
      case 'act': {
        const signedCapsule = await stdin();
        return this.#change(verb.fence, () => this.#act(verb.fence, signedCapsule));
      }
      case 'result':
        return replyWith(await this.#options.actions.result(verb.id));
      case 'lock':
        return this.#oneAtATime(() => this.#lock(verb.reason));
      case 'unlock':
        return this.#oneAtATime(() => this.#unlock(verb.reason));
    }
  }

  async #status(): Promise<StatusReply> {
    const { name, unit, clock } = this.#options;
    const action = await this.#uninterruptible();
    return {
      protocol: gateProtocolVersion,
      machine: name,
      agent: unit.state,
      run: unit.pid === undefined ? null : (this.#state.activation?.run ?? null),
      fence: this.#state.fence,
      lock: this.#state.lock,
      ...action,
      clock: new Date(clock()).toISOString(),
    };
  }

  async #start({ fence, run, traceparent }: Extract<Verb, { verb: 'start' }>): Promise<Answer> {
    const { unit, log } = this.#options;
    const { lock, activation, retired } = this.#state;
    if (fence <= retired) return this.#oldFence('has been stopped under this fence');
    if (lock !== null) return refuseLocked(lock);
    const acting = await this.#options.actions.underWay();
    if (acting) {
      const { id, action } = acting.capsule;
      return refuse('unit-failed', `${action} (${id}) runs on this machine. Wait for its end.`);
    }
    if (unit.token !== undefined && activation !== null) {
      if (activation.fence === fence && activation.run === run) return replyWith({ token: unit.token });
      const message = `The agent is active for ${activation.run} under fence ${activation.fence}. Stop it first.`;
      return refuse('unit-failed', message);
    }
    const started = await unit.start();
    log.info({ run, traceparent, fence, pid: started.pid }, 'the agent was started');
    try {
      const pidStart = await processStart(started.pid);
      await this.#save({ activation: { fence, run, pid: started.pid, pidStart } });
    } catch (error) {
      await unit.stop();
      throw error;
    }
    return replyWith({ token: started.token });
  }

  async #stop(fence: number): Promise<Answer> {
    // Before the agent ends: a start of this fence that is still on its way must come to nothing.
    await this.#save({ retired: fence });
    return replyWith({ agent: await this.#stopUnit() });
  }

  async #stopUnit(): Promise<AgentState> {
    const agent = await this.#options.unit.stop();
    if (this.#state.activation !== null) await this.#save({ activation: null });
    return agent;
  }

  async #connect(fence: number): Promise<Answer> {
    const { unit } = this.#options;
    const { activation } = this.#state;
    if (fence < this.#state.fence) return this.#oldFence();
    if (unit.state !== 'active' || activation?.fence !== fence) {
      return refuse('not-active', `No agent is active under fence ${fence}; its unit is ${unit.state}.`);
    }
    return { kind: 'connection', socket: await unit.connect() };
  }

  async #evidence(fence: number, check: string): Promise<Answer> {
    const { policy, redact, clock } = this.#options;
    const commands = policy().get(check);
    if (commands === undefined) {
      return refuse(
        'verb-refused',
        `The check "${check}" is not among those that this machine is authorised for.`,
      );
    }
    // Only the fence waits for its turn: a slow command must not hold up the brake.
    const refusal = await this.#oneAtATime(() => this.#admit(fence));
    if (refusal !== undefined) return refusal;
    const collectedAt = new Date(clock()).toISOString();
    const outputs = [];
    for (const argv of commands) outputs.push(await runCommand(argv, { redact, clock }));
    return replyWith({ check, collectedAt, outputs });
  }

  async #act(fence: number, signedCapsule: string): Promise<Answer> {
    const { actions, unit } = this.#options;
    const { lock } = this.#state;
    if (lock !== null) return refuseLocked(lock);
    return replyWith(await actions.begin(signedCapsule, fence, unit.pid === undefined));
  }

  /** As replies tell of an action that goes on whatever is asked of the machine. */
  async #uninterruptible(): Promise<Pick<LockReply, 'action'>> {
    const action = await this.#options.actions.underWay();
    return action?.interruptible === false ? named(action) : {};
  }

  async #lock(reason: string): Promise<Answer> {
    // On disk before the agent is stopped: a machine that dies in between comes back locked.
    await this.#save({ lock: { reason, at: new Date(this.#options.clock()).toISOString() } });
    const agent = await this.#stopUnit();
    const action = await this.#options.actions.halt();
    return replyWith({ locked: true, agent, ...(action && named(action)) });
  }

  async #unlock(reason: string | undefined): Promise<Answer> {
    const { lock } = this.#state;
    const locked = lock !== null && reason !== undefined && lock.reason !== reason;
    if (!locked) await this.#save({ lock: null });
    return replyWith({ locked, agent: this.#options.unit.state, ...(await this.#uninterruptible()) });
  }

  #change(fence: number, change: () => Promise<Answer>): Promise<Answer> {
    return this.#oneAtATime(async () => (await this.#admit(fence)) ?? change());
  }

  /** Lets a fence in, remembering it, or refuses it. */
  async #admit(fence: number): Promise<Answer | undefined> {
    if (fence < this.#state.fence) return this.#oldFence();
    if (fence > this.#state.fence) await this.#save({ fence });
    return undefined;
  }

  #oldFence(why = 'has been taken over by another supervisor'): Answer {
    const { fence } = this.#state;
    const message = `The machine has seen fence ${fence} and ${why}. Use a higher one.`;
    return { kind: 'refusal', refusal: { code: 'old-fence', message, fence } };
  }

  #oneAtATime<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#lastChange.then(work);
    this.#lastChange = turn.catch(() => undefined);
    return turn;
  }

  async #save(changes: Partial<GateState>): Promise<void> {
    const state = { ...this.#state, ...changes };
    await saveGateState(this.#options.stateDir, state);
    this.#state = state;
  }
}

function named({ capsule: { id, action } }: TakenAction): Pick<LockReply, 'action'> {
  return { action: { id, name: action } };
}

function refuseLocked({ at, reason }: NonNullable<GateState['lock']>): Answer {
  return refuse('locked', `The machine has been locked since ${at}: ${reason}. Unlock it first.`);
}

function replyWith(reply: Reply): Answer {
  return { kind: 'reply', reply };
}

function refuse(code: Refusal['code'], message: string): Answer {
  return { kind: 'refusal', refusal: { code, message } };
}
