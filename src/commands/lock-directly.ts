import { createMachines } from '../edge-client/create-machines.ts';
import { InputError } from '../fleet/errors.ts';
import type { Machine } from '../fleet/machine.ts';
import { unmatchedAlternatives } from '../fleet/selector.ts';
import type { LockLine } from '../runtime/command-line.ts';
import { confirm } from '../runtime/confirm.ts';
import { createLogger } from '../runtime/create-logger.ts';
import { readFleetFile } from '../runtime/fleet-file.ts';
import { operatorName } from '../runtime/operator-name.ts';
import { readDirectSettings } from '../runtime/settings.ts';
import { tellLocks } from '../runtime/tell-locks.ts';
import { haltDirectly, resumeDirectly } from '../supervisors/lock-directly.ts';
import { redact } from '../telemetry/redact.ts';
import { complain } from './complain.ts';
import { chosenMachines, noMachine } from './meant-machines.ts';
import { withFleetFile } from './with-fleet-file.ts';
import { write } from './write.ts';

/** Machines that are asked at a time. */
const directConcurrency = 100;

/** A question names this many machines. */
const namedMachines = 5;

/**
 * Locks or unlocks machines over their gates, with the fleet file and the SSH key alone. Resolves to whether all
 * that was asked for is done.
 */
export async function lockDirectly(line: LockLine): Promise<boolean> {
  const { fleetFile, command } = line;
  const settings = readDirectSettings(withFleetFile(fleetFile));
  const fleet = await readFleetFile(settings.fleetFile);
  const machines = chosenMachines(fleet, line.selector);
  const unmatched = unmatchedAlternatives(fleet, line.selector);
  for (const part of unmatched) complain(new InputError(noMachine(fleet, part)));
  if (!(await isWanted(line, machines))) return false;
  const log = createLogger({ level: 'silent', redact });
  const edge = createMachines({ privateKey: settings.sshPrivateKey, log });
  try {
    const options = { concurrency: directConcurrency, redact };
    const results =
      command === 'halt'
        ? haltDirectly(machines, line.reason, edge, { ...options, by: operatorName() })
        : resumeDirectly(machines, edge, { ...options, force: line.force });
    const wanted = command === 'halt' ? 'inactive' : 'unlocked';
    const told = { wanted, json: line.json, write, clock: () => performance.now() } as const;
    return (await tellLocks(results, told)) && unmatched.length === 0;
  } finally {
    await edge.close();
  }
}

/** @throws InputError where there is nobody to ask */
async function isWanted(line: LockLine, machines: readonly Machine[]): Promise<boolean> {
  if (line.command === 'resume' || line.yes) return true;
  if (!process.stdin.isTTY) {
    throw new InputError('fleetbot halt --direct needs --yes where nobody can be asked.');
  }
  const names = machines.slice(0, namedMachines).map(({ name }) => name);
  const more = machines.length > names.length ? ' …' : '';
  return confirm(`Stop and lock ${machines.length} machines (${names.join(', ')}${more})?`, {
    input: process.stdin,
    output: process.stderr,
  });
}
