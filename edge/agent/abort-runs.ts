import { GatewayClient } from './gateway-client.ts';

/**
 * Aborts everything that runs in the gateway, which would otherwise wait for it at its end, up to 315 s. Resolves with
 * how many runs there were, or undefined when the gateway could not be asked in time: it may not listen yet.
 */
export async function abortRuns(options: {
  readonly port: number;
  readonly token: string;
  readonly timeoutMs: number;
}): Promise<number | undefined> {
  const client = new GatewayClient(options);
  try {
    await client.connect();
    const sessions = activeSessions(await client.request('sessions.list', {}));
    await Promise.all(sessions.map((key) => client.request('sessions.abort', { key })));
    return sessions.length;
  } catch {
    return undefined;
  } finally {
    client.close();
  }
}

function activeSessions(list: unknown): string[] {
  if (!isRecord(list) || !Array.isArray(list.sessions)) throw new Error('sessions.list brought no list');
  return list.sessions
    .filter(isRecord)
    .filter(({ hasActiveRun }) => hasActiveRun === true)
    .map(({ key }) => String(key));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
