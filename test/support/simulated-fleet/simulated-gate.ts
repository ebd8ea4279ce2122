import type { Duplex } from 'node:stream';
import {
  type AgentState,
  gateProtocolVersion,
  type LockReply,
  type Refusal,
  type StartReply,
  type StatusReply,
  type StopReply,
} from '../../../src/edge-client/gate-protocol.ts';
import type { CommandOutput, Evidence } from '../../../src/fleet/evidence.ts';
import type { Verb } from '../../../src/sandbox/machine/parse-verb.ts';
import type { Behaviour } from './behaviour.ts';
import type { Books, End } from './books.ts';
import { SimulatedAgent } from './simulated-agent.ts';

/** What a gate says. A connection is undefined while the gateway's port takes none. */
export type GateAnswer =
  | { readonly kind: 'reply'; readonly reply: StatusReply | StartReply | StopReply | LockReply | Evidence }
  | { readonly kind: 'connection'; readonly stream: Duplex | undefined }
  | { readonly kind: 'refusal'; readonly refusal: Refusal };

export interface SimulatedGateOptions {
  readonly name: string;
  readonly books: Books;
  readonly behaviour: Behaviour;
  /** The machine's own clock. */
  readonly clock: () => number;
  /** What the commands of a check print; undefined for a check that is not authorised. */
  readonly outputs: (check: string) => readonly CommandOutput[] | undefined;
  /** Dead-man switch of the agent's unit. */
  readonly runtimeMaxMs: number;
}

interface Activation {
  readonly agent: SimulatedAgent;
  readonly fence: number;
  readonly run: string;
  readonly deadMan: NodeJS.Timeout;
}

/** The forced command of a machine by the rules of `gate-protocol.ts`, in memory. Every verb is one step. */
export class SimulatedGate {
  readonly #options: SimulatedGateOptions;
  #fence = 0;
  /** The highest fence that was stopped. */
  #retired = 0;
  #lock: StatusReply['lock'] = null;
  #state: AgentState = 'inactive';
  #activation: Activation | undefined;

  constructor(options: SimulatedGateOptions) {
    this.#options = options;
  }

  /** @param refused the unit fails when it is started */
  answer(verb: Verb, refused = false): GateAnswer {
    const answer = this.#serve(verb, refused);
    this.#options.books.add({
      kind: 'verb',
      verb: verb.verb,
      ...('fence' in verb && { fence: verb.fence }),
      ...('run' in verb && { run: verb.run }),
      outcome: answer.kind === 'refusal' ? answer.refusal.code : 'accepted',
    });
    return answer;
  }

  #serve(verb: Verb, refused: boolean): GateAnswer {
    switch (verb.verb) {
      case 'status':
        return reply(this.#status());
      case 'start':
        return this.#admit(verb.fence) ?? this.#start(verb, refused);
      case 'connect':
        return this.#connect(verb.fence);
      case 'stop':
        return this.#admit(verb.fence) ?? this.#stop(verb.fence);
      case 'evidence':
        return this.#admit(verb.fence) ?? this.#evidence(verb.check);
      case 'lock':
        this.#lock = { reason: verb.reason, at: this.#now() };
        this.#end('locked');
        return reply({ locked: true, agent: this.#state });
      case 'unlock':
        if (verb.reason === undefined || verb.reason === this.#lock?.reason) this.#lock = null;
        return reply({ locked: this.#lock !== null, agent: this.#state });
      case 'act':
      case 'result':
        return refusal('verb-refused', 'No action is authorised on this machine.');
    }
  }

  /** Ends what runs, as the end of the machine does. */
  close(): void {
    this.#end('stopped');
  }

  #status(): StatusReply {
    return {
      protocol: gateProtocolVersion,
      machine: this.#options.name,
      agent: this.#state,
      run: this.#activation?.run ?? null,
      fence: this.#fence,
      lock: this.#lock,
      clock: this.#now(),
    };
  }

  #start({ fence, run }: Extract<Verb, { verb: 'start' }>, refused: boolean): GateAnswer {
    if (fence <= this.#retired) return this.#oldFence();
    if (this.#lock) return refusal('locked', `Locked: ${this.#lock.reason}.`);
    const active = this.#activation;
    if (active?.fence === fence && active.run === run) return reply({ token: active.agent.token });
    if (active) return refusal('unit-failed', `The agent is active for ${active.run}.`);
    if (refused) {
      this.#state = 'failed';
      return refusal('unit-failed', 'The unit did not start.');
    }
    const { behaviour, books, runtimeMaxMs } = this.#options;
    books.add({ kind: 'alive', fence, run });
    const agent = new SimulatedAgent(
      behaviour.activation(),
      () => books.add({ kind: 'task', run }),
      () => this.#activation?.agent === agent && this.#end('crashed'),
    );
    const deadMan = setTimeout(() => this.#end('expired'), runtimeMaxMs);
    this.#activation = { agent, fence, run, deadMan };
    this.#state = 'active';
    return reply({ token: agent.token });
  }

  #stop(fence: number): GateAnswer {
    this.#retired = fence;
    this.#end('stopped');
    return reply({ agent: this.#state });
  }

  #connect(fence: number): GateAnswer {
    if (fence < this.#fence) return this.#oldFence();
    if (this.#activation?.fence !== fence) {
      return refusal('not-active', `No agent is active under fence ${fence}; its unit is ${this.#state}.`);
    }
    return { kind: 'connection', stream: this.#activation.agent.connect() };
  }

  #evidence(check: string): GateAnswer {
    const outputs = this.#options.outputs(check);
    if (outputs === undefined) return refusal('verb-refused', `The check "${check}" is not authorised.`);
    return reply({ check, collectedAt: this.#now(), outputs: [...outputs] });
  }

  #admit(fence: number): GateAnswer | undefined {
    if (fence < this.#fence) return this.#oldFence();
    this.#fence = fence;
    return undefined;
  }

  #oldFence(): GateAnswer {
    const message = `The machine has seen fence ${this.#fence}. Use a higher one.`;
    return { kind: 'refusal', refusal: { code: 'old-fence', message, fence: this.#fence } };
  }

  #end(why: End): void {
    const { agent, run, deadMan } = this.#activation ?? {};
    this.#activation = undefined;
    if (agent === undefined || run === undefined) return;
    clearTimeout(deadMan);
    agent.kill();
    this.#options.books.add({ kind: 'gone', run, why });
    this.#state = why === 'stopped' || why === 'locked' ? 'inactive' : 'failed';
  }

  #now(): string {
    return new Date(this.#options.clock()).toISOString();
  }
}

function reply(body: Extract<GateAnswer, { kind: 'reply' }>['reply']): GateAnswer {
  return { kind: 'reply', reply: body };
}

function refusal(code: Refusal['code'], message: string): GateAnswer {
  return { kind: 'refusal', refusal: { code, message } };
}
