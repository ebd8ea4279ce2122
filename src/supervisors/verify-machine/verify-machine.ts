import { checkOf } from '../../fleet/checks/index.ts';
import { driftOf } from '../../fleet/drift.ts';
import { MachineError, toFailure } from '../../fleet/errors.ts';
import type { CommandOutput } from '../../fleet/evidence.ts';
import { verdictOf } from '../../fleet/finding.ts';
import type { Machine } from '../../fleet/machine.ts';
import type { Run } from '../../fleet/run.ts';
import { isGone } from '../measure-lock.ts';
import type { Clock, MachineBrake, MachineGate, MachineStatus, Redact, Tracer } from '../ports.ts';
import { sameCommands } from '../same-commands.ts';
import { Disproof, NotTried, type Proof, prove } from './proof.ts';

/** What a verification needs beside the machine's gate. */
export interface VerifyParts {
  readonly gate: MachineGate & MachineBrake;
  /** What fleetbot's SSH key must not be able to do there. */
  readonly attempts: () => Promise<readonly { readonly what: string; readonly refused: boolean }[]>;
  /** Whether another host key than the pinned one is refused. */
  readonly refusesOtherHostKey: () => Promise<boolean>;
  readonly tracer: Tracer;
  /**
   * Resolves with the names of the machine's own spans in a trace, once there are any. undefined where traces are
   * not kept.
   */
  readonly machineSpans: ((run: Run) => Promise<readonly string[]>) | undefined;
  readonly redact: Redact;
  readonly clock: Clock;
}

/** What the agent is asked to do, and what proves that it did. */
const command = 'on-host uname -srm';
/** What uname(1) prints first, whatever the gateway puts around it. */
const kernelRelease = /\bLinux \d+\./;
export const verificationQuestion = `Run exactly this one command and answer with what it prints: ${command}`;

/**
 * Proves that what is installed on a machine works, from here and in reality: nothing is taken from a record. Uses
 * fences above the highest that the machine has seen, which fails a run that begins there meanwhile. Starts the agent
 * once and stops it, whatever happens. Yields each proof as it is known; stops early where nothing more can be proved,
 * and when it is interrupted.
 * @param run the run under which the machine keeps what it did; its request's question is `verificationQuestion`
 */
export async function* verifyMachine(
  machine: Machine,
  run: Run,
  parts: VerifyParts,
  signal: AbortSignal,
): AsyncGenerator<Proof> {
  const { gate, clock } = parts;
  let status: MachineStatus | undefined;
  yield await prove('reached', clock, async () => {
    status = await gate.status(signal);
    return describeStatus(machine, status);
  });
  if (status === undefined || !isGone(status.agent)) return;
  const { fence, lock } = status;
  yield await prove('pin', clock, () => pin(machine, parts));
  yield await prove('gate', clock, () => refusals(parts));
  yield await prove('installed', clock, async () => installed(machine, status?.installed));
  yield await prove('fence', clock, () => fences(machine, parts, fence, signal));
  yield await prove('broker', clock, () => evidence(machine, parts, fence + 2, status, signal));
  if (lock !== null) {
    yield await prove('agent', clock, async () => {
      throw new NotTried(
        `${machine.name} is locked (${parts.redact(lock.reason)}), so no agent starts there.`,
      );
    });
    return;
  }
  if (signal.aborted) return;
  const agentFence = fence + 3;
  try {
    yield await prove('agent', clock, () => agent(machine, run, parts, agentFence, signal));
  } finally {
    yield await prove('stop', clock, () => stop(machine, run, parts, agentFence + 1));
  }
  if (signal.aborted) return;
  yield await prove('trace', clock, () => trace(run, parts));
}

/** @throws Disproof when an agent runs there */
function describeStatus(machine: Machine, { agent, run, clockSkewMs, fence }: MachineStatus): string {
  if (!isGone(agent)) {
    throw new Disproof(
      `The agent of ${machine.name} is ${agent}${run === null ? '' : ` for run ${run}`}. Verify it when nothing is ` +
        'asked of it.',
    );
  }
  const ahead = clockSkewMs < 0 ? 'behind' : 'ahead of';
  return `says that it is ${machine.name}, its agent ${agent}, its fence ${fence}, its clock ${Math.abs(clockSkewMs)} ms ${ahead} ours`;
}

async function pin({ name, hostKey }: Machine, { refusesOtherHostKey }: VerifyParts): Promise<string> {
  if (!(await refusesOtherHostKey()))
    throw new Disproof(`Another host key than the pinned one was taken for ${name}.`);
  const [type] = hostKey.split(' ');
  return `shows the pinned ${type} key; another one would be refused`;
}

async function refusals({ attempts }: VerifyParts): Promise<string> {
  const tried = await attempts();
  const allowed = tried.filter(({ refused }) => !refused).map(({ what }) => what);
  if (allowed.length > 0) {
    throw new Disproof(
      `The SSH key may do more than the gate's verbs: ${allowed.join(', ')}. Run setup-edge.sh again, and see that no ` +
        'other authorized_keys file holds the key.',
    );
  }
  return `refuses ${tried.map(({ what }) => what).join(', ')}`;
}

function installed(machine: Machine, found: MachineStatus['installed']): string {
  if (found === undefined) {
    throw new Disproof(
      `${machine.name} does not tell what is installed on it. Install the current kit there.`,
    );
  }
  const drift = driftOf(machine, found);
  if (drift.length > 0) {
    const parts = drift.map(
      ({ part, expected, found: seen }) => `${part} is ${seen ?? 'unknown'}, not ${expected}`,
    );
    throw new Disproof(
      `${parts.join('; ')}. Renew it: fleetbot edge policy ${machine.name}, then setup-edge.sh.`,
    );
  }
  return `gate, broker and plugin ${found.gate}, policy ${found.policy ?? 'none'}, image ${found.image ?? 'none'}`;
}

async function fences(
  machine: Machine,
  { gate }: VerifyParts,
  seen: number,
  signal: AbortSignal,
): Promise<string> {
  const [check] = machine.checks;
  if (check === undefined) throw new NotTried('the fleet file allows no check there');
  const fence = seen + 2;
  await gate.evidence(fence, check, signal);
  try {
    await gate.evidence(fence - 1, check, signal);
  } catch (error) {
    if (error instanceof MachineError && error.code === 'old-fence')
      return `took ${fence}, and then refused ${fence - 1}`;
    throw error;
  }
  throw new Disproof(
    `${machine.name} took the fence ${fence - 1} after ${fence}. Install the current gate there.`,
  );
}

/** The verdicts are told; whether they are good is not what is verified. */
async function evidence(
  machine: Machine,
  { gate, clock, redact }: VerifyParts,
  fence: number,
  status: MachineStatus | undefined,
  signal: AbortSignal,
): Promise<string> {
  const verdicts: string[] = [];
  for (const name of machine.checks) {
    const check = checkOf(machine, name);
    if (check === undefined) continue;
    const { outputs } = await gate.evidence(fence, name, signal);
    if (!sameCommands(check.commands(machine), outputs)) {
      throw new Disproof(
        `${machine.name} ran other commands for ${name} than the fleet file lists. Renew its policy.`,
      );
    }
    if (outputs.length > 0 && !outputs.some(hasRun)) {
      throw new Disproof(
        `The broker of ${machine.name} could run no command of ${name}. Look at the journal of fleetbot-broker there.`,
      );
    }
    const measured = { clockSkewMs: status?.clockSkewMs ?? 0, now: clock() };
    verdicts.push(`${name} ${verdictOf(check.judge(machine, outputs, measured))}`);
  }
  return redact(verdicts.join(', '));
}

/** As in shells, 126 and 127 stand for programs that cannot be run or are not there. */
function hasRun({ exitCode }: CommandOutput): boolean {
  return exitCode !== null && exitCode !== 126 && exitCode !== 127;
}

async function agent(
  machine: Machine,
  run: Run,
  { gate, tracer, redact, clock }: VerifyParts,
  fence: number,
  signal: AbortSignal,
): Promise<string> {
  const step = tracer.step(run, 'agent.task');
  try {
    const startedAt = clock();
    const { token } = await gate.start(fence, run.id, step.traceparent, signal);
    await gate.ready(fence, signal);
    const readyMs = Math.round(clock() - startedAt);
    const { traceparent } = step;
    const task = { runId: run.id, agentId: machine.agent.id, message: verificationQuestion, traceparent };
    const answer = await gate.task(fence, token, task, signal);
    step.end();
    const quoted = (text: string) => `"${redact(text.trim().slice(0, 200))}"`;
    if (machine.agent.transport !== 'gateway-ws') {
      return `ready after ${readyMs} ms; answered (its commands cannot be seen over ${machine.agent.transport}): ${quoted(answer.text)}`;
    }
    const call = answer.toolCalls.find(({ input }) => input.includes(command));
    if (call === undefined) {
      throw new Disproof(
        `The agent answered, but did not run "${command}": ${quoted(answer.text)}. See that its model can use tools.`,
      );
    }
    if (call.failed || !kernelRelease.test(call.output)) {
      throw new Disproof(
        `The agent ran "${command}" and got: ${quoted(call.output)}. See that agent.commands in the fleet file lists it.`,
      );
    }
    return `ready after ${readyMs} ms; ran "${command}": ${quoted(call.output)}`;
  } catch (error) {
    step.end(error);
    throw error;
  }
}

/** @throws Disproof also when another run's agent is there meanwhile, which is left alone */
async function stop(machine: Machine, run: Run, { gate }: VerifyParts, fence: number): Promise<string> {
  try {
    const now = await gate.status();
    if (!isGone(now.agent) && now.run !== null && now.run !== run.id) {
      throw new Disproof(
        `The agent of ${machine.name} is ${now.agent} for run ${now.run} and was left alone.`,
      );
    }
    await gate.stop(fence);
  } catch (error) {
    if (error instanceof Disproof) throw error;
    throw new Disproof(
      `${toFailure(error).message} The agent of ${machine.name} may still run: say fleetbot halt --direct ${machine.name}.`,
    );
  }
  const { agent: state, run: left } = await gate.status();
  if (!isGone(state) || left !== null) {
    throw new Disproof(
      `The agent of ${machine.name} is ${state} after it was stopped. Look at the machine now.`,
    );
  }
  return `the agent is measured ${state}`;
}

async function trace(run: Run, { tracer, machineSpans }: VerifyParts): Promise<string> {
  tracer.finish(run);
  if (machineSpans === undefined) {
    throw new NotTried(
      'MLflow is not configured here: set MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_ID to look for the trace.',
    );
  }
  const names = await machineSpans(run);
  return `tr-${run.trace.traceId} holds the machine's own ${[...new Set(names)].join(', ')}`;
}
