import { parseArgs } from 'node:util';
import { z } from 'zod';
import { InputError, toFailure } from '../fleet/errors.ts';
import { type Sandbox, startSandbox } from './sandbox.ts';
import { untilAskedToEnd } from './until-asked-to-end.ts';
import { sandboxMachineName, workspace } from './workspace.ts';

/** `npm run sandbox [-- --port N]`: a whole fleetbot on this computer, until Ctrl-C. */
const defaultPort = 3939;

const portSchema = z
  .string()
  .regex(/^\d{1,5}$/)
  .transform(Number)
  .pipe(z.int().min(1).max(65_535));

const print = (line: string) => process.stdout.write(`${line}\n`);

const who = ({ realName, id }: { realName: string; id: string }) => `${realName}, ${id}`;

function welcome(sandbox: Sandbox, seconds: number): string {
  return `
fleetbot's sandbox is ready after ${seconds.toFixed(1)} s.

  Warning: the workspace's page is open on ALL interfaces of this computer: whoever reaches its port can act as
  any user of it. Do not run the sandbox on a shared network. Everything else listens on loopback only.

  Open    ${sandbox.slackUrl}/archives/${workspace.channel.id}
  Type    /fleet check ${sandboxMachineName} disk
  or      /fleet help
  or      /fleet ask ${sandboxMachineName} what uses the memory?
  or      /fleet halt all this is a drill   (then /fleet resume)
  or      /fleet check ${sandboxMachineName} app-log   (finds a log that is too large and asks whether to empty it)
  or      /fleet run ${sandboxMachineName} reports-off   (makes something worse, and offers to undo it)
  or      /fleet silence ${sandboxMachineName} 10m trying it   (what begins by itself then waits; alerts, for example)
  or      /fleet schedule add every-5-min ${sandboxMachineName} disk "*/5 * * * *"   (one digest each time)
  or      /fleet show ${sandboxMachineName}   (one machine: how it is, what its agent cost, what its checks measured of late)
  or      /fleet cost   (what the agents cost, at made-up prices)
  or      /fleet audit   (who did what, when, with what result)
  Alert   npm run sandbox:alert   (in another terminal: fires one as a monitoring would; -- --resolve ends it)

  You act as ${who(workspace.sre)}; choose ${who(workspace.approver)} to approve what Alex asks for, because
  nobody approves their own, and ${who(workspace.visitor)} to be somebody who may do nothing. Commands take the id
  of a person: /fleet why ${workspace.approver.id} approve ${sandboxMachineName} trim-log
  The machine ${sandboxMachineName} is this computer: its checks only read, and its actions change nothing but two files of
  the sandbox's own. Its agent follows rules; it is no language model.
  Traces: ${sandbox.mlflowUrl ? `${sandbox.mlflowUrl} (MLflow)` : 'none, because mlflow is not on PATH (pip install mlflow)'}
  Fleet file (edit it, it is taken up at once): ${sandbox.fleetFile}
  Make it warn: edit the fleet file (remove the # before "expect") and check the disk again.
  Ledger: ${sandbox.folder}/ledger
  Logs: ${sandbox.folder}

Ctrl-C stops everything and leaves nothing behind.`;
}

/** The port that was asked for. @throws InputError with the usage */
function wantedPort(): number {
  const { values, positionals } = parseArgs({
    options: { port: { type: 'string', default: String(defaultPort) } },
    strict: false,
  });
  const port = portSchema.safeParse(values.port);
  if (positionals.length > 0 || Object.keys(values).some((name) => name !== 'port') || !port.success) {
    throw new InputError(
      `Usage: npm run sandbox -- [--port N], N from 1 to 65535, ${defaultPort} when absent.`,
    );
  }
  return port.data;
}

// A terminal that is gone must not keep the parts from being stopped.
process.stdout.on('error', () => {});
const stopped = untilAskedToEnd();
const startedAt = performance.now();

try {
  await using sandbox = await startSandbox({
    port: wantedPort(),
    tell: print,
    redisUrl: process.env.REDIS_URL || undefined,
    mlflow: true,
  });
  print(welcome(sandbox, (performance.now() - startedAt) / 1_000));
  await Promise.race([stopped, sandbox.failed]);
  print('stopping …');
} catch (error) {
  print(toFailure(error).message);
  process.exitCode = 1;
}
