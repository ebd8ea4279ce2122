import { randomBytes } from 'node:crypto';
import { createMachines } from './edge-client/create-machines.ts';
import { probeSsh, refusesOtherHostKey } from './edge-client/probe-ssh.ts';
import { edgePolicy } from './fleet/edge-policy.ts';
import { InputError, problemLine, toFailure } from './fleet/errors.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { Machine } from './fleet/machine.ts';
import { selectMachines, unmatchedAlternatives } from './fleet/selector.ts';
import { publicKeyLine } from './fleet/ssh-signature.ts';
import { suggest } from './fleet/suggest.ts';
import { describeVerification } from './queue/ledger/describe-verification.ts';
import { keyId, publicKeyText } from './queue/ledger/ledger-key.ts';
import { verifyLedger } from './queue/ledger/verify-ledger.ts';
import type { KeyLine, LockLine, MachineLine, PolicyLine, VerifyLine } from './runtime/command-line.ts';
import { confirm } from './runtime/confirm.ts';
import { createLogger } from './runtime/create-logger.ts';
import { checkFleetFile, readFleetFile } from './runtime/fleet-file.ts';
import { holdInterruption } from './runtime/hold-interruption.ts';
import { operatorName } from './runtime/operator-name.ts';
import { readDirectSettings, readFleetFilePath, readVerifySettings } from './runtime/settings.ts';
import { tellLocks } from './runtime/tell-locks.ts';
import { tellProofs } from './runtime/tell-proofs.ts';
import { writeKeyFiles } from './runtime/write-key-files.ts';
import { haltDirectly, resumeDirectly } from './supervisors/lock-directly.ts';
import { proofNames } from './supervisors/verify-machine/proof.ts';
import { verificationRun } from './supervisors/verify-machine/verification-run.ts';
import { verifyMachine } from './supervisors/verify-machine/verify-machine.ts';
import { createTelemetry } from './telemetry/create-telemetry.ts';
import { machineSpans } from './telemetry/machine-spans.ts';
import { redact } from './telemetry/redact.ts';

/** The commands that do something and end. They write to stdout; most return whether all is well. */

/** Machines that are asked at a time. */
const directConcurrency = 100;

/** A question names this many machines. */
const namedMachines = 5;

const write = (text: string): void => void process.stdout.write(text);

/** Writes an error for people to stderr. */
export function complain(error: unknown): void {
  process.stderr.write(`${redact(toFailure(error).message)}\n`);
}

/** Checks every file, also after one that cannot be used. */
export async function validate(files: readonly string[]): Promise<boolean> {
  let valid = true;
  for (const file of files) {
    try {
      const { fleet, warnings } = await checkFleetFile(file);
      const { machines, access } = fleet;
      for (const warning of warnings) write(`warning: ${problemLine(file, warning)}\n`);
      const counted = `${count(machines.size, 'machine')}, ${count(access.length, 'access rule')}`;
      write(`${file}: ${counted}: valid\n`);
    } catch (error) {
      complain(error);
      valid = false;
    }
  }
  return valid;
}

const count = (many: number, what: string) => `${many} ${what}${many === 1 ? '' : 's'}`;

/** Locks or unlocks machines over their gates, with the fleet file and the SSH key alone. */
export async function lockDirectly(line: LockLine): Promise<boolean> {
  const { fleetFile, command } = line;
  const settings = readDirectSettings(withFleetFile(fleetFile));
  const fleet = await readFleetFile(settings.fleetFile);
  const machines = chosen(fleet, line.selector);
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

/** Prints the policy of a machine's broker. */
export async function printPolicy(line: PolicyLine): Promise<void> {
  const fleet = await readFleetFile(line.fleetFile ?? readFleetFilePath(process.env));
  write(edgePolicy(named(fleet, line.machine), fleet.actions));
}

/** Proves that what is installed on a machine works. Whatever ends it early, the agent is stopped first. */
export async function verifyOneMachine(line: MachineLine): Promise<boolean> {
  const { fleetFile, json } = line;
  const settings = readVerifySettings(withFleetFile(fleetFile));
  const fleet = await readFleetFile(settings.fleetFile);
  const machine = named(fleet, line.machine);
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

/** Checks an exported ledger. */
export async function verify(line: VerifyLine): Promise<boolean> {
  const verification = await verifyLedger(line);
  write(describeVerification(verification));
  return verification.sound;
}

/** Makes a key that signs. Who verifies what the other two sign wants the public key as a line of OpenSSH. */
export async function makeKey({ command, file }: KeyLine): Promise<void> {
  const made = `Wrote the private key ${file} and the public key ${file}.pub.`;
  if (command === 'ledger key') {
    const publicKey = await writeKeyFiles(file, publicKeyText);
    write(`${made} Key id: ${keyId(publicKey)}\n`);
  } else {
    const publicKey = await writeKeyFiles(file);
    write(`${made}\n${publicKeyLine(publicKey)}\n`);
  }
}

function withFleetFile(fleetFile: string | undefined): NodeJS.ProcessEnv {
  return fleetFile === undefined ? process.env : { ...process.env, FLEETBOT_FLEET_FILE: fleetFile };
}

/** @throws InputError when there is none of that name */
function named(fleet: Fleet, name: string): Machine {
  const machine = fleet.machines.get(name);
  if (machine === undefined) throw new InputError(noMachine(fleet, name));
  return machine;
}

/** @throws InputError when there is none */
function chosen(fleet: Fleet, selector: string): readonly Machine[] {
  const machines = selectMachines(fleet, selector);
  if (machines.length > 0) return machines;
  throw new InputError(noMachine(fleet, selector));
}

function noMachine(fleet: Fleet, selector: string): string {
  const meant = suggest(selector, fleet.machines.keys());
  return `No machine matches "${selector}".${meant === undefined ? '' : ` Did you mean ${meant}?`}`;
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
