import { randomBytes } from 'node:crypto';
import { createMachines } from '../edge-client/create-machines.ts';
import { probeSsh, refusesOtherHostKey } from '../edge-client/probe-ssh.ts';
import type { MachineLine } from '../runtime/command-line.ts';
import { createLogger } from '../runtime/create-logger.ts';
import { readFleetFile } from '../runtime/fleet-file.ts';
import { holdInterruption } from '../runtime/hold-interruption.ts';
import { operatorName } from '../runtime/operator-name.ts';
import { readVerifySettings } from '../runtime/settings.ts';
import { tellProofs } from '../runtime/tell-proofs.ts';
import { proofNames } from '../supervisors/verify-machine/proof.ts';
import { verificationRun } from '../supervisors/verify-machine/verification-run.ts';
import { verifyMachine } from '../supervisors/verify-machine/verify-machine.ts';
import { createTelemetry } from '../telemetry/create-telemetry.ts';
import { machineSpans } from '../telemetry/machine-spans.ts';
import { redact } from '../telemetry/redact.ts';
import { namedMachine } from './meant-machines.ts';
import { withFleetFile } from './with-fleet-file.ts';
import { write } from './write.ts';

/**
 * Proves that what is installed on a machine works. Whatever ends it early, the agent is stopped first. Resolves to
 * whether every proof was given.
 */
export async function verifyOneMachine(line: MachineLine): Promise<boolean> {
  const { fleetFile, json } = line;
  const settings = readVerifySettings(withFleetFile(fleetFile));
  const fleet = await readFleetFile(settings.fleetFile);
  const machine = namedMachine(fleet, line.machine);
  const { sshPrivateKey: privateKey, mlflow } = settings;
  const log = createLogger({ level: 'silent', redact });
  const edge = createMachines({ privateKey, log });
  const telemetry = await createTelemetry({ mlflow, log });
  using interruption = holdInterruption(process, process.stdout);
  try {
    const run = verificationRun(machine, operatorName(), Date.now(), (digits) =>
      randomBytes(digits / 2).toString('hex'),
    );
    const parts = {
      gate: edge.gate(machine),
      catalogue: fleet.actions,
      attempts: () => probeSsh(machine, privateKey, interruption.signal),
      refusesOtherHostKey: () => refusesOtherHostKey(machine, privateKey),
      tracer: telemetry.tracer,
      machineSpans: mlflow && ((of: typeof run) => machineSpans(mlflow, of, interruption.signal)),
      redact,
      clock: Date.now,
    };
    const proofs = verifyMachine(machine, run, parts, interruption.signal);
    return await tellProofs(proofs, { machine: machine.name, expected: proofNames, json, write });
  } finally {
    await Promise.all([edge.close(), telemetry.shutdown()]);
  }
}
