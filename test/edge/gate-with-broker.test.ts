import { mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { describe } from 'vitest';
import { createMachines } from '../../src/edge-client/create-machines.ts';
import { freePort } from '../../src/sandbox/free-port.ts';
import { newKeyPair } from '../../src/sandbox/key-pair.ts';
import { machineGateSuite } from '../conformance/machine-gate.ts';
import { BrokerMachine } from '../support/edge-broker.ts';
import { listenForGate, skipsPython } from '../support/edge-gate.ts';
import { machineRecord } from '../support/machine-record.ts';

describe.skipIf(skipsPython)('the installed gate and the installed broker', () => {
  machineGateSuite('with the broker, as installed on machines', async () => {
    const machine = new BrokerMachine();
    const port = await freePort();
    const { username } = userInfo();
    await machine.prepare({ checks: { disk: { commands: [['df']] } } });
    await machine.program('df', 'echo Mounted on');
    await runAgentAsUnit(machine, port);
    await machine.write('machine.json', {
      ...{ name: machine.name, gatewayPort: port, stateDir: machine.folder, runDir: machine.folder },
      ...{
        agentUser: username,
        readUser: username,
        image: 'agent@sha256:1',
        plugin: '1.0.0',
        traces: true,
        quadlet: true,
      },
    });
    await mkdir(join(machine.folder, 'gate'));
    await machine.start();
    const ssh = await listenForGate(machine.folder);
    const machines = createMachines({ privateKey: newKeyPair().privateKey, log: pino({ level: 'silent' }) });
    const gate = machines.gate(machineRecord(ssh, { name: machine.name }));
    return {
      gate,
      async close() {
        await gate.stop(1_000_000);
        await machines.close();
        await ssh.close();
        await machine.remove();
      },
    };
  });
});

/** Makes the fake unit a real one: the sandbox's agent, with the token that the broker gave to podman. */
async function runAgentAsUnit(machine: BrokerMachine, port: number): Promise<void> {
  const agent = fileURLToPath(new URL('../support/agents/scripted-agent.ts', import.meta.url));
  const pidFile = join(machine.folder, 'agent.pid');
  const launcher = `
    const { readFileSync, writeFileSync } = require('node:fs');
    const secret = JSON.parse(readFileSync(${JSON.stringify(machine.secretFile)}, 'utf8'));
    const env = {
      OPENCLAW_GATEWAY_PORT: '${port}',
      OPENCLAW_GATEWAY_TOKEN: Buffer.from(secret.token, 'base64').toString(),
    };
    const child = require('node:child_process').spawn(
      process.execPath, [${JSON.stringify(agent)}], { env, stdio: ['pipe', 'ignore', 'ignore', 'ipc'] });
    child.on('exit', () => process.exit());
    process.on('SIGTERM', () => child.kill('SIGKILL'));
    writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));`;
  await machine.program(
    'systemctl',
    `case "$2" in
      show) read -r state < ${machine.unitFile}; echo "ActiveState=$state";;
      start)
        /usr/bin/setsid -f ${process.execPath} -e '${launcher.replaceAll("'", `'\\''`)}' < /dev/null > /dev/null 2>&1
        until [ -s ${pidFile} ]; do /bin/sleep 0.02; done
        echo active > ${machine.unitFile};;
      stop)
        if [ -s ${pidFile} ]; then
          read -r pid < ${pidFile} || true
          kill "$pid"
          while kill -0 "$pid" 2> /dev/null; do /bin/sleep 0.02; done
          : > ${pidFile}
        fi
        echo inactive > ${machine.unitFile};;
    esac`,
  );
}
