import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readAlertmanager } from '../../src/alerts/alertmanager.ts';
import { findAlertWebhook, newAlertWebhook, postAlert } from '../../src/sandbox/alert-webhook.ts';
import { SandboxError } from '../../src/sandbox/child-process.ts';
import { newSandboxFolder } from '../../src/sandbox/sandbox-folder.ts';

const channelUrl = 'http://localhost:3939/archives/C0OPS';
let parent: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'fleetbot-parent-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

describe('where a sandbox takes alerts', () => {
  it('is found by whoever may read its folder, and by nobody else', async () => {
    const folder = newSandboxFolder(parent);
    const webhook = await newAlertWebhook(folder, channelUrl);
    expect(findAlertWebhook(parent)).toEqual(webhook);
    expect(statSync(join(folder, 'alerts.json')).mode & 0o077).toBe(0);
  });

  it('is that of the sandbox that was started last', async () => {
    const older = newSandboxFolder(parent);
    await newAlertWebhook(older, channelUrl);
    utimesSync(join(older, 'sandbox.pid'), 1, 1);
    const newer = await newAlertWebhook(newSandboxFolder(parent), channelUrl);
    expect(findAlertWebhook(parent)).toEqual(newer);
  });

  it('is not one of a sandbox that was killed, nor one that is just being started', async () => {
    const killed = join(parent, 'fleetbot-sandbox-killed');
    mkdirSync(killed);
    await newAlertWebhook(killed, channelUrl);
    writeFileSync(join(killed, 'sandbox.pid'), String(spawnSync('true').pid));
    expect(() => findAlertWebhook(parent)).toThrow(
      'No sandbox runs on this computer. Start one with npm run',
    );
    newSandboxFolder(parent);
    expect(() => findAlertWebhook(parent)).toThrow(SandboxError);
  });
});

describe('the alert of the sandbox', () => {
  let server: Server;
  let got: { url: string | undefined; headers: IncomingHttpHeaders; body: unknown }[];
  let status: number;
  const webhook = () => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return { port: address.port, token: 'a-token', channelUrl };
  };

  beforeEach(async () => {
    got = [];
    status = 200;
    server = createServer(async (request, response) => {
      const chunks = await Array.fromAsync(request);
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      got.push({ url: request.url, headers: request.headers, body });
      response.writeHead(status).end('the reason');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  it('is what an Alertmanager sends, and the same alert when it is resolved', async () => {
    await postAlert(webhook(), 'firing', 1_800_000_000_000);
    await postAlert(webhook(), 'resolved', 1_800_000_060_000);
    expect(got.map(({ url, headers }) => [url, headers.authorization])).toEqual(
      Array.from({ length: 2 }, () => ['/alerts/alertmanager', 'Bearer a-token']),
    );
    const [fired, resolved] = got.map(({ body }) => readAlertmanager(body).alerts[0]);
    expect(fired).toMatchObject({ source: 'alertmanager', status: 'firing', name: 'DiskAlmostFull' });
    expect(fired?.labels.get('instance')).toBe('sandbox-01:9100');
    expect(resolved).toMatchObject({ status: 'resolved', identity: fired?.identity });
  });

  it('that is not taken says why', async () => {
    status = 503;
    await expect(postAlert(webhook(), 'firing', 0)).rejects.toThrow(
      'The sandbox did not take the alert (503): the reason',
    );
  });

  it('to a sandbox that is gone says so', async () => {
    const gone = webhook();
    await new Promise((resolve) => server.close(resolve));
    await expect(postAlert(gone, 'firing', 0)).rejects.toThrow('The sandbox does not answer');
    server.listen(0);
  });
});
