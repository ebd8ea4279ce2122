import { edgePolicy } from '../fleet/edge-policy.ts';
import type { PolicyLine } from '../runtime/command-line.ts';
import { readFleetFile } from '../runtime/fleet-file.ts';
import { readFleetFilePath } from '../runtime/settings.ts';
import { namedMachine } from './meant-machines.ts';
import { write } from './write.ts';

/** Prints the policy of a machine's broker. */
export async function printPolicy(line: PolicyLine): Promise<void> {
  const fleet = await readFleetFile(line.fleetFile ?? readFleetFilePath(process.env));
  write(edgePolicy(namedMachine(fleet, line.machine), fleet.actions));
}
