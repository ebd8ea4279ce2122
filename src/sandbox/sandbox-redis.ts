import { Redis } from 'ioredis';
import { SandboxError } from './child-process.ts';
import { startRedis } from './redis-server.ts';

const connectTimeoutMs = 5_000;
const commandTimeoutMs = 5_000;
const keysPerScan = 500;

/** The Redis that the sandbox uses. */
export interface SandboxRedis {
  readonly url: string;
  /** Before each of the sandbox's keys; undefined on a server of its own, where nothing else is. */
  readonly prefix: string | undefined;
  /** Ends the server, or removes the sandbox's keys from one that is somebody else's. */
  close(): Promise<void>;
}

/**
 * Uses the server at `url`, with keys under `prefix` alone; without a URL, starts one.
 * @throws SandboxError when the server at the URL cannot be used
 * @throws FleetbotError `redis-missing`, when there is none to start
 */
export async function openRedis(options: {
  readonly url: string | undefined;
  readonly prefix: string;
  /** For the server of its own: its data and its log. */
  readonly folder: string;
  readonly tell: (line: string) => void;
}): Promise<SandboxRedis> {
  const { url, prefix, folder, tell } = options;
  if (url === undefined) {
    tell('starting Redis …');
    const server = await startRedis({ folder, tell });
    return { url: server.url, prefix: undefined, close: () => server.stop() };
  }
  await using redis = await connect(url);
  const { host, port } = redis.client.options;
  tell(
    `using the Redis of REDIS_URL (${host}:${port}); keys begin with ${prefix} and are removed at the end`,
  );
  return { url, prefix, close: () => removeKeys(url, prefix) };
}

/** One connection, tried once. @throws SandboxError */
async function connect(url: string): Promise<{ client: Redis } & AsyncDisposable> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    retryStrategy: () => null,
  });
  // Told by the rejection of `connect` and `ping`.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    client.disconnect();
    const reason = error instanceof Error ? error.message : String(error);
    throw new SandboxError(
      `The Redis of REDIS_URL cannot be used: ${reason} Start it or correct REDIS_URL, or unset it: the sandbox then starts its own.`,
      { cause: error },
    );
  }
  return { client, [Symbol.asyncDispose]: async () => client.disconnect() };
}

/** `prefix` has no character that has a meaning in a pattern of SCAN. */
async function removeKeys(url: string, prefix: string): Promise<void> {
  await using redis = await connect(url);
  let cursor = '0';
  do {
    const [next, keys] = await redis.client.scan(cursor, 'MATCH', `${prefix}:*`, 'COUNT', keysPerScan);
    if (keys.length > 0) await redis.client.unlink(keys);
    cursor = next;
  } while (cursor !== '0');
}
