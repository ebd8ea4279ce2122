import { checkOf } from '../../fleet/checks/index.ts';
import { driftOf, expectedOn, mendingOf } from '../../fleet/drift.ts';
import { MachineError } from '../../fleet/errors.ts';
import type { CommandOutput } from '../../fleet/evidence.ts';
import { verdictOf } from '../../fleet/finding.ts';
import type { Machine } from '../../fleet/machine.ts';
import type { Run } from '../../fleet/run.ts';
import { isGone } from '../measure-lock.ts';
import type { MachineStatus } from '../ports.ts';
import { sameCommands } from '../same-commands.ts';
import { Disproof, NotTried, type Proof, prove } from './proof.ts';
import { tryAgent, tryStop } from './try-agent.ts';
import type { VerifyParts } from './verify-parts.ts';

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
  yield await prove('installed', clock, async () => installed(machine, parts, status?.installed));
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
    yield await prove('agent', clock, () => tryAgent(machine, run, parts, agentFence, signal));
  } finally {
    yield await prove('stop', clock, () => tryStop(machine, run, parts, agentFence + 1));
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

function installed(machine: Machine, { catalogue }: VerifyParts, found: MachineStatus['installed']): string {
  if (found === undefined) {
    throw new Disproof(
      `${machine.name} does not tell what is installed on it. Install the current kit there.`,
    );
  }
  const drift = driftOf(expectedOn(machine, catalogue), found);
  if (drift.length > 0) {
    const parts = drift.map((each) => {
      const mending = mendingOf(machine.name, each).map((part) =>
        typeof part === 'string' ? part : part.command,
      );
      return `${each.part} is ${each.found ?? 'unknown'}, not ${each.expected}. ${mending.join(' ')}`;
    });
    throw new Disproof(`${parts.join('. ')}.`);
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

async function trace(run: Run, { tracer, machineSpans, clock }: VerifyParts): Promise<string> {
  const timeline = [...run.timeline, { state: 'done' as const, at: clock() }];
  tracer.finish({ ...run, state: 'done', timeline });
  if (machineSpans === undefined) {
    throw new NotTried(
      'MLflow is not configured here: set MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_ID to look for the trace.',
    );
  }
  const names = await machineSpans(run);
  return `tr-${run.trace.traceId} holds the machine's own ${[...new Set(names)].join(', ')}`;
}
