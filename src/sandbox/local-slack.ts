import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { answersOk } from './answers-ok.ts';
import { type ChildProcess, SandboxError, startChild } from './child-process.ts';
import { workspace } from './workspace.ts';

const readyTimeoutMs = 20_000;

/** A person of the workspace. */
export interface SlackPerson {
  readonly id: string;
  readonly name: string;
  readonly realName: string;
}

/** A running local Slack workspace. */
export interface LocalSlack {
  /** The page for people. */
  readonly url: string;
  /** The Web API, for `SLACK_API_URL`. */
  readonly apiUrl: string;
  readonly child: ChildProcess;
}

/**
 * Starts `local-slack` (npm, MIT): a Slack-compatible server with a page in the browser. It listens on all
 * interfaces and cannot be told otherwise (0.1.8); whoever reaches the port can act as any user of it.
 * @param others people beside those of the sandbox
 * @throws SandboxError where the package has no binary for this platform
 */
export async function startLocalSlack(
  port: number,
  folder: string,
  others: readonly SlackPerson[] = [],
): Promise<LocalSlack> {
  const config = join(folder, 'local-slack.yaml');
  writeFileSync(config, stringify(configuration(others)));
  const url = `http://localhost:${port}`;
  const child = await startChild({
    name: 'local-slack',
    argv: [binary(), '--config', config, '--port', String(port), '--files-dir', join(folder, 'files')],
    cwd: folder,
    logFile: join(folder, 'local-slack.log'),
    readyTimeoutMs,
    ready: () => answersOk(`${url}/_control/state`),
  });
  return { url, apiUrl: `${url}/api/`, child };
}

function binary(): string {
  try {
    const manifest = createRequire(import.meta.url).resolve('local-slack-linux-x64/package.json');
    return join(dirname(manifest), 'bin/local-slack');
  } catch (error) {
    throw new SandboxError(
      'local-slack is not installed: its package here is for Linux on x64. Run the sandbox there, or connect fleetbot to a real Slack workspace (README, "Running it for real").',
      { cause: error },
    );
  }
}

function configuration(others: readonly SlackPerson[]): unknown {
  const { teamId, appId, botUserId, botName, botToken, appToken, signingSecret, channel } = workspace;
  const people = [workspace.sre, workspace.approver, workspace.visitor, ...others];
  return {
    workspace: { name: 'fleetbot sandbox', domain: 'sandbox', teamId },
    app: { appId, botUserId, botName, botToken, appToken, signingSecret, mode: 'socket' },
    users: people.map(({ id, name, realName }) => ({ id, name, real_name: realName })),
    channels: [{ id: channel.id, name: channel.name, members: [...people.map(({ id }) => id), botUserId] }],
  };
}
