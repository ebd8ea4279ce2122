import type { Verb } from '../../../src/sandbox/machine/parse-verb.ts';

/** What goes wrong with one request to a machine's gate. `done`: it has its effect all the same. */
export type VerbFault =
  | { readonly kind: 'slow'; readonly ms: number }
  /** Never answered. */
  | { readonly kind: 'hung'; readonly done: boolean }
  /** Every connection is reset. */
  | { readonly kind: 'cut'; readonly done: boolean }
  /** From now on nothing is read or written, and nobody is told: a machine whose network is gone. */
  | { readonly kind: 'silent'; readonly ms: number }
  /** Of a `start`: the unit fails. */
  | { readonly kind: 'refused' };

/** How the agent of one activation behaves. */
export interface AgentBehaviour {
  /** From the start until its gateway takes connections. */
  readonly readyAfterMs: number;
  readonly taskMs: number;
  readonly ends: 'answers' | 'dies-starting' | 'dies-tasking' | 'hangs';
}

/** What a machine asks before it does anything. */
export interface Behaviour {
  fault(verb: Verb['verb']): VerbFault | undefined;
  activation(): AgentBehaviour;
}

/** A machine that does what it is told, at once. */
export const wellBehaved: Behaviour = {
  fault: () => undefined,
  activation: () => ({ readyAfterMs: 0, taskMs: 0, ends: 'answers' }),
};
