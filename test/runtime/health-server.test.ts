import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type HealthServerOptions,
  type ReadyCheck,
  startHealthServer,
} from '../../src/runtime/health-server.ts';

const contentType = 'text/plain; version=0.0.4';
const metrics = async () => ({ contentType, body: 'fleetbot_runs_total 1\n' });

async function start(options: Partial<HealthServerOptions> = {}) {
  const server = await startHealthServer({ host: '127.0.0.1', port: 0, checks: [], metrics, ...options });
  onTestFinished(() => server.close());
  return server;
}

async function get(path: string, checks: readonly ReadyCheck[] = []) {
  const { port } = await start({ checks, checkTimeoutMs: 50 });
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: response.status, body: await response.json() };
}

describe('the health server', () => {
  it('names the settings to change when its address is taken', async () => {
    const first = await start();
    const second = start({ port: first.port });
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

  it('gives Prometheus the metrics as they are', async () => {
    const { port } = await start();
    const response = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect(response.headers.get('content-type')).toBe(contentType);
    expect(await response.text()).toBe('fleetbot_runs_total 1\n');
  });

  it('says why where the metrics cannot be told, and lives on', async () => {
    const { port } = await start({ metrics: () => Promise.reject(new Error('no numbers')) });
    const response = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect(response.status).toBe(500);
    expect(await response.text()).toContain('no numbers');
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  });

  it('knows nothing else', async () => {
    expect(await get('/metrics/more')).toMatchObject({ status: 404 });
  });
});
