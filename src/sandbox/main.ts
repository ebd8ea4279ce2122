import { parseArgs } from 'node:util';
import { toFailure } from '../fleet/errors.ts';
import { type Sandbox, startSandbox } from './sandbox.ts';
import { untilSignal } from './until-signal.ts';
import { sandboxMachineName, workspace } from './workspace.ts';

/** `npm run sandbox [-- --port N]`: a whole fleetbot on this computer, until Ctrl-C. */
const defaultPort = 3939;

const print = (line: string) => process.stdout.write(`${line}\n`);

function welcome(sandbox: Sandbox, seconds: number): string {
  return `
fleetbot's sandbox is ready after ${seconds.toFixed(1)} s.

  Open    ${sandbox.slackUrl}/archives/${workspace.channel.id}
  Type    /fleet check ${sandboxMachineName} disk
  or      /fleet help
  or      /fleet ask ${sandboxMachineName} what uses the memory?

  You act as ${workspace.sre.realName}; choose ${workspace.visitor.realName} to be somebody who may do nothing.
  The machine ${sandboxMachineName} is this computer: its commands only read. Its agent follows rules; it is no language model.
  Traces: ${sandbox.mlflowUrl ? `${sandbox.mlflowUrl} (MLflow)` : 'none, because mlflow is not on PATH (pip install mlflow)'}
  Fleet file (edit it, it is taken up at once): ${sandbox.fleetFile}
  Logs: ${sandbox.folder}

  Note: everything listens on loopback only, except local-slack: its page is open on ALL interfaces of this
  computer, and whoever reaches its port can act as any user of it. Do not run the sandbox on a shared network.

Ctrl-C stops everything and leaves nothing behind.`;
}

const { values } = parseArgs({ options: { port: { type: 'string', default: String(defaultPort) } } });
const stopped = untilSignal();
const startedAt = performance.now();

try {
  const starting = startSandbox({
    port: Number(values.port),
    tell: (line) => print(`starting ${line}`),
    mlflow: true,
  });
  const sandbox = await starting;
  print(welcome(sandbox, (performance.now() - startedAt) / 1_000));
  await stopped;
  print('stopping …');
  await sandbox[Symbol.asyncDispose]();
} catch (error) {
  print(toFailure(error).message);
  process.exitCode = 1;
}
