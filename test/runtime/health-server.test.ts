import { describe, expect, it, onTestFinished } from 'vitest';
import { type ReadyCheck, startHealthServer } from '../../src/runtime/health-server.ts';

async function get(path: string, checks: readonly ReadyCheck[] = []) {
  const server = await startHealthServer({ host: '127.0.0.1', port: 0, checks, checkTimeoutMs: 50 });
  onTestFinished(() => server.close());
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
  return { status: response.status, body: await response.json() };
}

describe('the health server', () => {
  it('names the settings to change when its address is taken', async () => {
    const first = await startHealthServer({ host: '127.0.0.1', port: 0, checks: [] });
    onTestFinished(() => first.close());
    const second = startHealthServer({ host: '127.0.0.1', port: first.port, checks: [] });
    await expect(second).rejects.toThrow(/EADDRINUSE.*FLEETBOT_HEALTH_PORT/);
  });

  it('says that the process is alive whatever the checks say', async () => {
    expect(await get('/healthz', [{ name: 'redis', ready: () => false }])).toMatchObject({ status: 200 });
  });

  it('is ready when every check holds', async () => {
    expect(await get('/readyz', [{ name: 'redis', ready: async () => true }])).toEqual({
      status: 200,
      body: { status: 'ready', checks: { redis: true } },
    });
  });

  it('is not ready when a check fails, throws, or does not answer', async () => {
    const checks: ReadyCheck[] = [
      { name: 'fails', ready: () => false },
      { name: 'throws', ready: () => Promise.reject(new Error('no')) },
      { name: 'hangs', ready: () => new Promise(() => {}) },
      { name: 'holds', ready: () => true },
    ];
    expect(await get('/readyz', checks)).toEqual({
      status: 503,
      body: { status: 'not ready', checks: { fails: false, throws: false, hangs: false, holds: true } },
    });
  });

  it('knows nothing else', async () => {
    expect(await get('/metrics')).toMatchObject({ status: 404 });
  });
});
