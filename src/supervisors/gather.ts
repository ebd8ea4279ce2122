import { checkOf } from '../fleet/checks/index.ts';
import { MachineError } from '../fleet/errors.ts';
import type { CommandOutput, Evidence } from '../fleet/evidence.ts';
import { verdictOf } from '../fleet/finding.ts';
import { haltIdOfLock } from '../fleet/halt.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Run } from '../fleet/run.ts';
import type { Drive } from './context.ts';
import { failureOf } from './failure-of.ts';
import { liftQuarantine } from './quarantine.ts';
import { sameCommands } from './same-commands.ts';
import { stopAgent } from './stop-agent.ts';

/** What gathering changes in the run's record. */
export type Gathered = Pick<Run, 'findings'> &
  Partial<Pick<Run, 'evidence' | 'verdict' | 'failure' | 'inertness'>>;

/**
 * Measures the machine, makes sure that no agent runs on it, and judges the evidence that the task's check
 * needs. What the machine refuses, or cannot be asked, becomes a failure without a good verdict.
 * @throws StaleFenceError @throws StoreUnavailableError @throws the reason of an interruption
 */
export async function gather(drive: Drive): Promise<Gathered> {
  const { held, interruption, tracer } = drive;
  const step = tracer.step(held.run, 'evidence');
  try {
    const gathered = await measure(drive);
    tracer.hostWork(held.run, step, gathered.evidence?.outputs ?? []);
    step.set({ verdict: gathered.verdict ?? '' });
    step.end();
    return gathered;
  } catch (error) {
    step.end(error);
    if (interruption.signal.aborted || !(error instanceof MachineError)) throw error;
    const { code, message } = failureOf(error, drive.redact);
    return withoutEvidence(drive, { code, message: `${message}${quarantineWords(drive)}` });
  }
}

/** A machine that is still in quarantine was not measured. */
function quarantineWords({ held, machine }: Drive): string {
  const { quarantine } = held;
  if (!quarantine) return '';
  const since = new Date(quarantine.at).toISOString();
  return ` ${machine.name} has been in quarantine since ${since}, after run ${quarantine.runId}: an agent may be running on it.`;
}

async function measure(drive: Drive): Promise<Gathered> {
  const { held, interruption, gate } = drive;
  const status = await gate.status(interruption.signal);
  await held.raiseFence(status.fence);
  held.noteInstalled(status.installed);
  if (status.agent !== 'inactive' && status.agent !== 'failed') {
    drive.log.warn({ agent: status.agent, strayRun: status.run }, 'stopping an agent that should not run');
    if ((await stopAgent(drive)) === 'unknown') {
      return {
        ...withoutEvidence(drive, {
          code: 'inertness-unknown',
          message: `An agent runs on ${drive.machine.name} and could not be stopped. Look at the machine.`,
        }),
        inertness: 'unknown',
      };
    }
    await held.raiseFence(held.fence);
  } else {
    await liftQuarantine(drive);
  }
  if (status.lock) {
    return withoutEvidence(drive, {
      code: 'locked',
      message: `${drive.machine.name} is locked: ${drive.redact(status.lock.reason)}. ${howToUnlock(drive.machine, status.lock.reason)}`,
    });
  }
  const { task } = held.run.request;
  return task.kind === 'check' ? judge(drive, task.check, status.clockSkewMs) : { findings: [] };
}

function howToUnlock({ name }: Machine, reason: string): string {
  const halt = haltIdOfLock(reason);
  return halt === undefined
    ? `Whoever has the SSH key unlocks it with \`fleetbot resume --direct ${name}\`.`
    : `\`/fleet resume ${halt}\` lifts that; where that was done just now, ask again in a minute.`;
}

async function judge(drive: Drive, name: string, clockSkewMs: number): Promise<Gathered> {
  const { held, machine, gate, interruption } = drive;
  const check = checkOf(machine, name);
  if (!check) {
    return withoutEvidence(drive, {
      code: 'check-unknown',
      message: `The fleet file no longer allows the check ${name} on ${machine.name}. Ask for another one.`,
    });
  }
  const reply = await gate.evidence(held.fence, name, interruption.signal);
  const evidence: Evidence = {
    check: name,
    collectedAt: reply.collectedAt,
    outputs: reply.outputs.map((output) => redacted(output, drive)),
  };
  const expected = check.commands(machine);
  if (!sameCommands(expected, reply.outputs)) {
    return {
      ...withoutEvidence(drive, {
        code: 'policy-drift',
        message: `${machine.name} ran other commands for ${name} than the fleet file lists. Renew the machine's policy.`,
      }),
      evidence,
    };
  }
  const findings = [...check.judge(machine, evidence.outputs, { clockSkewMs, now: drive.clock() })];
  return { evidence, findings, verdict: verdictOf(findings) };
}

function redacted(output: CommandOutput, { redact }: Drive): CommandOutput {
  return {
    ...output,
    argv: output.argv.map(redact),
    stdout: redact(output.stdout),
    stderr: redact(output.stderr),
  };
}

/** No evidence, no success. */
export function withoutEvidence({ held }: Drive, failure: Run['failure']): Gathered {
  return {
    findings: [],
    failure,
    verdict: held.run.request.task.kind === 'check' ? 'inconclusive' : 'failed',
  };
}
