import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../src/sandbox/free-port.ts';
import { startMlflow } from '../../../src/sandbox/mlflow-server.ts';
import { proofNames } from '../../../src/supervisors/verify-machine/proof.ts';
import { attemptProgram, type Finished } from '../../support/edge-machines/run-program.ts';
import { mlflowBinFolder } from '../parts/mlflow.ts';
import { startCentralCollector } from './parts/collector.ts';
import { type GovernedMachines, startGovernedMachines } from './parts/governed-machines.ts';

const name = 'edge-v1';
const main = join(import.meta.dirname, '../../../src/main.ts');

let governed: GovernedMachines;
let mlflowUrl: string;
const cleanUps = new AsyncDisposableStack();

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fleetbot-verify-'));
  cleanUps.defer(() => rm(folder, { recursive: true, force: true }));
  // Last, because the folder has a python of its own.
  process.env.PATH = `${process.env.PATH}:${mlflowBinFolder()}`;
  const mlflow = await startMlflow(await freePort(), folder);
  cleanUps.defer(() => mlflow.child.stop());
  mlflowUrl = mlflow.url;
  const central = await startCentralCollector({
    folder,
    passwords: { [name]: `of-${name}` },
    mlflow: { url: mlflowUrl, experimentId: '0' },
  });
  cleanUps.defer(() => central.kill());
  governed = await startGovernedMachines([{ name }], { uplinkPort: central.port });
  cleanUps.use(governed);
});

afterAll(() => cleanUps.disposeAsync());

/** What the command says of the machine. */
function verify(...flags: string[]): Promise<Finished> {
  return attemptProgram([process.execPath, main, 'machine', 'verify', ...flags, name], '', {
    PATH: process.env.PATH ?? '',
    FLEETBOT_FLEET_FILE: governed.fleetFile,
    FLEETBOT_SSH_KEY_FILE: governed.keyFile,
    MLFLOW_TRACKING_URI: mlflowUrl,
    MLFLOW_EXPERIMENT_ID: '0',
  });
}

describe('fleetbot machine verify', () => {
  it('proves everything of a machine that was just set up', async () => {
    const { exitCode, stdout } = await verify();
    process.stderr.write(stdout);
    expect(stdout).not.toContain('✗');
    for (const proof of proofNames) expect(stdout).toContain(`✓ ${proof}`);
    expect(stdout).toContain('tool.execution');
    expect(exitCode).toBe(0);
  });

  it('shows a policy that is not the fleet file’s any more, and one that was changed on the machine', async () => {
    const machine = governed.machine(name);
    const policy = await machine.run(['cat', '/etc/fleetbot/policy.json']);
    machine.write('/etc/fleetbot/policy.json', policy.replace('"-PkT"', '"-PT"'));
    const { exitCode, stdout } = await verify('--json');
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const failed = lines.filter(({ outcome }) => outcome === 'failed').map((proof) => proof.name);
    expect(failed).toEqual(expect.arrayContaining(['installed', 'broker']));
    expect(exitCode).toBe(1);
    machine.write('/etc/fleetbot/policy.json', policy);
  });
});
