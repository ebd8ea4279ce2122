import { runAgent } from './run-agent.ts';

/** Process 1 of the agent's container. */
const log = (line: string) => process.stdout.write(`entrypoint: ${line}\n`);
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
const exitCode = await runAgent({
  settings: '/etc/fleetbot/agent',
  state: '/state',
  openClaw: '/opt/openclaw/node_modules/openclaw/openclaw.mjs',
  port: 18_789,
  env: process.env,
  stop: stop.signal,
  log,
}).catch((error: unknown) => {
  log(error instanceof Error ? error.message : String(error));
  return 1;
});
process.exit(exitCode);
