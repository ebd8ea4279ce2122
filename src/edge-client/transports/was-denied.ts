import type { ToolEvent } from './gateway-frames.ts';

/**
 * How a denial of the gateway begins, as openclaw 2026.9.6 words it: `exec denied: allowlist miss`, `Exec denied (…):
 * COMMAND`, and `Exec approval registration failed: …` where it would ask and the connection may not approve.
 */
const deniedByGateway = /^exec (denied|approval)\b/i;
/** What `on-host` prints, and its exit code, when the machine's broker does not list the command. */
const deniedByBroker = /^refused \(not-listed\): /m;
const refusedExitCode = 126;

/** Whether a tool call ended without being made, because the machine does not let its agent run that command. */
export function wasDenied(event: ToolEvent): boolean {
  if (event.phase !== 'result') return false;
  const { isError, result } = event;
  const text = result.content.map(({ text = '' }) => text).join('\n');
  if (result.details?.exitCode === refusedExitCode) return deniedByBroker.test(text);
  return isError && deniedByGateway.test(result.details?.error ?? text);
}
