import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { createMachines, type EdgeMachines } from '../../../src/edge-client/create-machines.ts';
import { newKeyPair } from '../../../src/sandbox/key-pair.ts';
import { loadHostKey } from '../../../src/sandbox/machine/host-key.ts';
import {
  type ActingMachine,
  type ActingSetup,
  machineActionsSuite,
} from '../../conformance/machine-actions.ts';
import { machineRecord } from '../../support/machine-record.ts';

const machineProcess = fileURLToPath(new URL('../../support/machine-process.ts', import.meta.url));
const agent = fileURLToPath(new URL('../../support/agents/scripted-agent.ts', import.meta.url));
const runner = fileURLToPath(new URL('../../../src/sandbox/machine/run-action.ts', import.meta.url));
const name = 'killed-01';

machineActionsSuite('of the sandbox', async ({ actions, signers }: ActingSetup): Promise<ActingMachine> => {
  const stateDir = await mkdtemp(join(tmpdir(), 'fleetbot-machine-'));
  const signersFile = join(stateDir, 'signers');
  await writeFile(signersFile, signers.map((line) => `${line}\n`).join(''));
  const holdFile = join(stateDir, 'hold');
  const holding = `while [ -e ${holdFile} ]; do sleep 0.02; done; exec "$0" "$@"`;
  const key = newKeyPair();
  const options = {
    ...{
      stateDir,
      authorizedKey: key.publicKey,
      agentCommand: [process.execPath, agent],
      actions,
      signersFile,
    },
    actionRunner: ['/bin/sh', '-c', holding, process.execPath, runner],
  };
  let child: ChildProcess;
  let machines: EdgeMachines;
  let port: number;

  async function start(): Promise<void> {
    child = spawn(process.execPath, [machineProcess, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = child.stdout ? await once(child.stdout, 'data') : [];
    port = Number(printed);
    machines = createMachines({ privateKey: key.privateKey, log: pino({ level: 'silent' }) });
  }

  async function kill(): Promise<void> {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    await machines.close();
  }

  await start();
  const { publicLine } = await loadHostKey(stateDir, undefined);
  return {
    name,
    get gate() {
      return machines.gate(machineRecord({ port, hostKey: publicLine }, { name }));
    },
    book: join(stateDir, 'actions'),
    async hold(held) {
      if (held) await writeFile(holdFile, '');
      else await rm(holdFile);
    },
    async crash() {
      await kill();
      await start();
    },
    async close() {
      await kill();
      if (existsSync(holdFile)) await rm(holdFile);
      await rm(stateDir, { recursive: true, force: true });
    },
  };
});
