import type { Check, Measured as Moment } from '../fleet/check.ts';
import { checkOf } from '../fleet/checks/index.ts';
import type { Failure, RunFailureCode } from '../fleet/errors.ts';
import type { CommandOutput, Evidence } from '../fleet/evidence.ts';
import { verdictOf } from '../fleet/finding.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Measurement } from '../fleet/run.ts';
import type { Drive } from './context.ts';
import type { Step } from './ports.ts';
import { sameCommands } from './same-commands.ts';

/** What a check found; where it could not be judged nothing, and why not. */
export interface Measured {
  readonly measurement: Measurement;
  readonly failure?: Failure;
}

/**
 * Runs a check's commands on the machine and judges what they print. Both are recorded under `step`.
 * @throws MachineError @throws the reason of `signal`
 */
export async function measureCheck(
  drive: Drive,
  step: Step,
  name: string,
  clockSkewMs: number,
  signal: AbortSignal,
): Promise<Measured> {
  const { held, machine, gate, tracer, clock } = drive;
  const check = checkOf(machine, name);
  if (!check) {
    return unjudged(
      'check-unknown',
      `The fleet file no longer allows the check ${name} on ${machine.name}. Ask for another one.`,
    );
  }
  const reply = await gate.evidence(held.fence, name, signal);
  const outputs = reply.outputs.map((output) => redacted(output, drive));
  tracer.hostWork(held.run, step, outputs);
  const evidence: Evidence = { check: name, collectedAt: reply.collectedAt, outputs };
  const measured = judge(check, machine, evidence, {
    isAsListed: sameCommands(check.commands(machine), reply.outputs),
    moment: { clockSkewMs, now: clock() },
  });
  tracer.judged(held.run, step, { check: name, expected: expectedOf(machine, name), ...measured });
  return measured;
}

/** @param isAsListed whether exactly the commands of the fleet file were run */
function judge(
  check: Check,
  machine: Machine,
  evidence: Evidence,
  { isAsListed, moment }: { readonly isAsListed: boolean; readonly moment: Moment },
): Measured {
  if (!isAsListed) {
    return unjudged(
      'policy-drift',
      `${machine.name} ran other commands for ${check.name} than the fleet file lists. Renew the machine's policy.`,
      evidence,
    );
  }
  const findings = [...check.judge(machine, evidence.outputs, moment)];
  return { measurement: { evidence, findings, verdict: verdictOf(findings) } };
}

/** What the fleet file expects of the machine as far as the check goes. */
function expectedOf({ expect, customChecks }: Machine, check: string): unknown {
  return Object.entries({ ...expect, ...customChecks }).find(([name]) => name === check)?.[1];
}

/** No evidence, no success. */
function unjudged(code: RunFailureCode, message: string, evidence?: Evidence): Measured {
  return {
    measurement: { ...(evidence && { evidence }), findings: [], verdict: 'inconclusive' },
    failure: { code, message },
  };
}

function redacted(output: CommandOutput, { redact }: Drive): CommandOutput {
  return {
    ...output,
    argv: output.argv.map(redact),
    stdout: redact(output.stdout),
    stderr: redact(output.stderr),
  };
}
