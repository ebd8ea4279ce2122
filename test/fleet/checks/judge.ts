import type { Check, Measured } from '../../../src/fleet/check.ts';
import { builtInChecks, checkOf } from '../../../src/fleet/checks/index.ts';
import type { CommandOutput } from '../../../src/fleet/evidence.ts';
import type { Finding } from '../../../src/fleet/finding.ts';
import type { Machine } from '../../../src/fleet/machine.ts';
import { output } from '../fixtures.ts';

/** A machine whose clock is right, on the day from which the recorded outputs are. */
export const measured: Measured = { clockSkewMs: 0, now: Date.parse('2026-11-22T17:45:00Z') };

/** The check of this name, whether the machine names it or not. */
export function check(machine: Machine, name: string): Check {
  const found = builtInChecks.find((c) => c.name === name) ?? checkOf(machine, name);
  if (found === undefined) throw new Error(`no check ${name}`);
  return found;
}

/** Judges outputs given as text, or with changes, in the order of the check's commands. */
export function judge(
  machine: Machine,
  name: string,
  ...given: (string | Partial<CommandOutput>)[]
): readonly Finding[] {
  return judgeAt(measured, machine, name, ...given);
}

/** The same for another moment or another clock. */
export function judgeAt(
  when: Measured,
  machine: Machine,
  name: string,
  ...given: (string | Partial<CommandOutput>)[]
): readonly Finding[] {
  const { commands, judge: judgeOutputs } = check(machine, name);
  const outputs = commands(machine).map((argv, index) => {
    const changes = given[index] ?? '';
    return output(argv, typeof changes === 'string' ? { stdout: changes } : changes);
  });
  return judgeOutputs(machine, outputs, when);
}

export const brief = (findings: readonly Finding[]) => findings.map((f) => [f.severity, f.subject]);
