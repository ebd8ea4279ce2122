import { join } from 'node:path';
import { abortRuns } from './abort-runs.ts';
import { applyApprovals } from './apply-approvals.ts';
import { clearInterrupted } from './clear-interrupted.ts';
import { Gateway } from './gateway.ts';
import { type GatewayEnvironment, gatewayEnvironment } from './gateway-environment.ts';
import { installInstructions } from './install-instructions.ts';

/** How long the abort of runs may take. Together with the grace below: less than podman's 8 s. */
const abortTimeoutMs = 2_000;
/** How long OpenClaw may take to end once nothing runs: 1 s is usual. With a run it would wait for minutes. */
const stopGraceMs = 3_500;

export interface AgentOptions {
  /** Folder with openclaw.json, approvals.json and AGENTS.md; never written. */
  readonly settings: string;
  /** Folder that outlives the container: OpenClaw's state, the workspace, the compile cache. */
  readonly state: string;
  /** OpenClaw's program. */
  readonly openClaw: string;
  /** The gateway's port on loopback. */
  readonly port: number;
  /** Where the gateway's token and the models' keys come from. */
  readonly env: NodeJS.ProcessEnv;
  /** Aborted when the agent is to end. */
  readonly stop: AbortSignal;
  readonly log: (line: string) => void;
}

/**
 * Runs the gateway until it ends or `stop` is aborted, and then ends it in less than 8 s, whatever runs in it. Resolves
 * with the container's exit code: the gateway's own (128 + signal if one ended it), 0 after a stop.
 * @throws Error when the state or the settings cannot be used; the gateway is not started then
 */
export async function runAgent(options: AgentOptions): Promise<number> {
  const { settings, state, openClaw, port, log } = options;
  const env = gatewayEnvironment({ settings, state, env: options.env });
  const workspace = join(state, 'workspace');
  const stopAsked = new Promise<undefined>((resolve) => {
    if (options.stop.aborted) resolve(undefined);
    options.stop.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const prepared = await Promise.race([
    prepare(options, env, workspace).then(() => true),
    stopAsked.then(() => false),
  ]);
  if (!prepared) return 0;

  const gateway = Gateway.start({ openClaw, port, env, workspace });
  const exitCode = await Promise.race([gateway.exitCode, stopAsked]);
  if (exitCode !== undefined) {
    log(`the gateway ended by itself, exit code ${exitCode}`);
    return exitCode;
  }
  const aborted = await abortRuns({ port, token: env.OPENCLAW_GATEWAY_TOKEN, timeoutMs: abortTimeoutMs });
  log(aborted === undefined ? 'the gateway did not take an abort' : `${aborted} runs aborted`);
  if (!(await gateway.end(stopGraceMs)))
    log(`the gateway was killed: it did not end within ${stopGraceMs} ms`);
  return 0;
}

async function prepare(
  { settings, state, openClaw, stop, log }: AgentOptions,
  env: GatewayEnvironment,
  workspace: string,
): Promise<void> {
  await installInstructions({ settings, workspace });
  if (await applyApprovals({ openClaw, settings, state, env, signal: stop })) log('approvals applied');
  const interrupted = clearInterrupted(env.OPENCLAW_STATE_DIR);
  if (interrupted > 0) log(`${interrupted} interrupted sessions will not be resumed`);
}
