import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensureRedisBinary } from '../../src/sandbox/redis-binary.ts';
import { startRedis } from '../../src/sandbox/redis-server.ts';

const tell = (line: string): void => void process.stderr.write(`${line}\n`);
const unprivilegedUserId = 1_000;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleetbot-redis-server-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

async function script(name: string, text: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/sh\n${text}\n`);
  await chmod(join(folder, name), 0o755);
}

describe('ensureRedisBinary', () => {
  it('takes a valkey-server on PATH before a redis-server', async () => {
    await script('redis-server', 'exit 0');
    await script('valkey-server', 'exit 0');
    await expect(ensureRedisBinary({ env: { PATH: folder }, tell })).resolves.toEqual({
      file: join(folder, 'valkey-server'),
      argv0: 'valkey-server',
    });
  });

  it('takes the check tool of redis-tools as a server', async () => {
    await script('redis-check-rdb', 'exit 0');
    await expect(ensureRedisBinary({ env: { PATH: folder }, tell })).resolves.toEqual({
      file: join(folder, 'redis-check-rdb'),
      argv0: 'redis-server',
    });
  });

  it('tells on one line what it installs, and uses what the installation brought', async () => {
    await script(
      'brew',
      `printf '#!/bin/sh\\n' > ${folder}/valkey-server; /bin/chmod 755 ${folder}/valkey-server`,
    );
    const told: string[] = [];
    const binary = await ensureRedisBinary({ env: { PATH: folder }, tell: (line) => told.push(line) });
    expect(binary.argv0).toBe('valkey-server');
    expect(told).toEqual(['Redis is missing: installing valkey with brew (no service) …']);
  });

  it('names the package to install where it cannot install one', async () => {
    await expect(ensureRedisBinary({ env: { PATH: folder }, tell })).rejects.toMatchObject({
      code: 'redis-missing',
      message: expect.stringMatching(/redis-server \(Debian, Ubuntu\).*REDIS_URL/),
    });
    await script('brew', 'exit 1');
    await expect(ensureRedisBinary({ env: { PATH: folder }, tell })).rejects.toMatchObject({
      code: 'redis-missing',
      message: expect.stringMatching(/brew could not install valkey/),
    });
  });

  it('says that an installation brought no server to PATH', async () => {
    await script('brew', 'exit 0');
    await expect(ensureRedisBinary({ env: { PATH: folder }, tell })).rejects.toMatchObject({
      message: expect.stringMatching(/valkey is installed, but none of valkey-server.* is on PATH/),
    });
  });

  it('says that it tried nothing where it may not become root', async () => {
    await script('apt-get', 'exit 0');
    vi.spyOn(process, 'getuid').mockReturnValue(unprivilegedUserId);
    vi.stubEnv('PATH', folder);
    const told: string[] = [];
    await expect(
      ensureRedisBinary({ env: { PATH: folder }, tell: (line) => told.push(line) }),
    ).rejects.toMatchObject({
      message: expect.stringMatching(/redis-tools with apt-get was not tried: you are not root, and sudo/),
    });
    expect(told).toEqual([]);
  });
});

describe('startRedis', () => {
  it('runs a server on loopback that loses nothing and evicts nothing, until it is stopped', async () => {
    const server = await startRedis({ tell, folder: join(folder, 'data') });
    const redis = new Redis(server.url);
    const setting = async (name: string): Promise<unknown> => {
      const reply: unknown = await redis.config('GET', name);
      return Array.isArray(reply) ? reply[1] : undefined;
    };
    expect(await setting('bind')).toBe('127.0.0.1');
    expect(await setting('appendonly')).toBe('yes');
    expect(await setting('appendfsync')).toBe('always');
    expect(await setting('maxmemory-policy')).toBe('noeviction');
    expect(await setting('dir')).toBe(join(folder, 'data'));
    redis.disconnect();

    await server.stop();
    expect(() => process.kill(server.pid, 0)).toThrow();
  });

  it('keeps its data over a restart', async () => {
    for (const round of ['1', '2']) {
      const server = await startRedis({ tell, folder });
      const redis = new Redis(server.url);
      expect(await redis.incr('rounds')).toBe(Number(round));
      redis.disconnect();
      await server.stop();
    }
  });

  it('says why when its port is taken', async () => {
    const other = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(startRedis({ tell, folder, port })).rejects.toMatchObject({
      code: 'sandbox-failed',
      message: expect.stringMatching(/in use/),
    });
    other.close();
  });
});
