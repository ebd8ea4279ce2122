import type { AgentBehaviour, Behaviour, VerbFault } from '../support/simulated-fleet/behaviour.ts';
import type { Random } from './random.ts';

type VerbName = Parameters<Behaviour['fault']>[0];
type FaultName = 'slow' | 'hungBefore' | 'hungAfter' | 'cutBefore' | 'cutAfter' | 'silent' | 'refused';

const link = { cutBefore: 0.006, cutAfter: 0.006, hungBefore: 0.003, hungAfter: 0.003, silent: 0.002 };
const chances: Readonly<Partial<Record<VerbName, Partial<Record<FaultName, number>>>>> = {
  status: { ...link, slow: 0.02 },
  evidence: { ...link, slow: 0.02 },
  start: { ...link, slow: 0.02, refused: 0.02 },
  connect: link,
  stop: { ...link, slow: 0.02 },
};
const agentEnds = { 'dies-starting': 0.015, 'dies-tasking': 0.02, hangs: 0.005 };
const readyAfter = { aMoment: 0.2, aWhile: 0.05 };
const readyMs = { atOnce: [0, 0], aMoment: [20, 200], aWhile: [300, 1_500] } as const;
const taskTakes = { aWhile: 0.15, seconds: 0.05 };
const taskMs = { aMoment: [5, 60], aWhile: [100, 1_000], seconds: [2_000, 5_200] } as const;
const offClocks = 0.25;
const hourMs = 3_600_000;
const mostHoursOff = 20;

/** The faults of all machines, drawn from the seed, as long as it lasts. */
export class Storm {
  readonly #random: Random;
  #slow = false;
  #over = false;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Tasks take seconds from now on. */
  slowDown(): void {
    this.#slow = true;
  }

  end(): void {
    this.#over = true;
  }

  /** A quarter of the machines have a clock that is hours off. */
  clockSkewMs(machine: string): number {
    const random = this.#random.fork(`clock of ${machine}`);
    if (!random.chance(offClocks)) return 0;
    return (random.chance(0.5) ? 1 : -1) * random.between(1, mostHoursOff) * hourMs;
  }

  behaviour(machine: string): Behaviour {
    const faults = this.#random.fork(`faults of ${machine}`);
    const agents = this.#random.fork(`agents of ${machine}`);
    return {
      fault: (verb) => {
        const name = faults.draw(chances[verb] ?? {});
        const ms = faults.between(100, 1_500);
        return this.#over || name === undefined ? undefined : faultOf(name, ms);
      },
      activation: () => {
        const behaviour = draw(agents, this.#slow && !this.#over);
        return this.#over ? { ...behaviour, ends: 'answers' } : behaviour;
      },
    };
  }
}

/** A machine is silent for longer than a verb is slow: verbs and connections run into their limits. */
const silentFactor = 5;

function faultOf(name: FaultName, ms: number): VerbFault {
  switch (name) {
    case 'slow':
      return { kind: 'slow', ms };
    case 'hungBefore':
      return { kind: 'hung', done: false };
    case 'hungAfter':
      return { kind: 'hung', done: true };
    case 'cutBefore':
      return { kind: 'cut', done: false };
    case 'cutAfter':
      return { kind: 'cut', done: true };
    case 'silent':
      return { kind: 'silent', ms: ms * silentFactor };
    case 'refused':
      return { kind: 'refused' };
  }
}

function draw(random: Random, slow: boolean): AgentBehaviour {
  const [readyFrom, readyTo] = readyMs[random.draw(readyAfter) ?? 'atOnce'];
  const [taskFrom, taskTo] = taskMs[slow ? 'seconds' : (random.draw(taskTakes) ?? 'aMoment')];
  return {
    readyAfterMs: random.between(readyFrom, readyTo),
    taskMs: random.between(taskFrom, taskTo),
    ends: random.draw(agentEnds) ?? 'answers',
  };
}
