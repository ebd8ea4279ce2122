import type { MachineGate, RunStore, Signer } from '../../src/supervisors/ports.ts';

/**
 * What happens around every call that a supervisor makes: before it is made, and after it took effect but
 * before its answer arrives. Calls are named `store STATE`, `raise fence`, `quarantine`, `waiting`, `handed over`, `sign`, and like the
 * gate's verbs. What never resolves is a worker that was killed there.
 */
export interface Around {
  readonly before?: (call: string, signal: AbortSignal | undefined) => void | Promise<void>;
  readonly after?: (call: string) => void | Promise<void>;
  /** Whether the news of cancellations get lost. */
  readonly deaf?: boolean;
}

async function surrounded<T>(
  around: Around,
  call: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  await around.before?.(call, signal);
  const result = await work();
  await around.after?.(call);
  return result;
}

export function aroundStore(store: RunStore, around: Around): RunStore {
  return {
    claim: (machine) => store.claim(machine),
    onCancelled: (runId, callback) => (around.deaf ? () => {} : store.onCancelled(runId, callback)),
    traced: (runId) => store.traced(runId),
    save: (...args) => surrounded(around, `store ${args[0].state}`, () => store.save(...args)),
    raiseFence: (...args) => surrounded(around, 'raise fence', () => store.raiseFence(...args)),
    handedOver: (...args) => surrounded(around, 'handed over', () => store.handedOver(...args)),
    waiting: (...args) => surrounded(around, 'waiting', () => store.waiting(...args)),
    setQuarantine: (...args) => surrounded(around, 'quarantine', () => store.setQuarantine(...args)),
  };
}

export function aroundGate(gate: MachineGate, around: Around): MachineGate {
  return {
    status: (...args) => surrounded(around, 'status', () => gate.status(...args), args[0]),
    evidence: (...args) => surrounded(around, 'evidence', () => gate.evidence(...args), args[2]),
    start: (...args) => surrounded(around, 'start', () => gate.start(...args), args[3]),
    stop: (...args) => surrounded(around, 'stop', () => gate.stop(...args)),
    ready: (...args) => surrounded(around, 'ready', () => gate.ready(...args), args[1]),
    task: (...args) => surrounded(around, 'task', () => gate.task(...args), args[3]),
    act: (...args) => surrounded(around, 'act', () => gate.act(...args)),
    result: (...args) => surrounded(around, 'result', () => gate.result(...args), args[1]),
  };
}

export function aroundSigner(signer: Signer, around: Around): Signer {
  return { capsule: (...args) => surrounded(around, 'sign', () => signer.capsule(...args), args[1]) };
}
