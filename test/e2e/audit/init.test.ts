import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChildProcess } from '../../../src/sandbox/child-process.ts';
import { freePort } from '../../../src/sandbox/free-port.ts';
import { startMlflow } from '../../../src/sandbox/mlflow-server.ts';
import { createLinkTo } from '../../../src/telemetry/link-to.ts';
import { createMlflowClient } from '../../../src/telemetry/mlflow/client.ts';
import { attemptProgram } from '../../support/edge-machines/run-program.ts';
import { launchChromium } from '../parts/chromium.ts';
import { mlflowBinFolder } from '../parts/mlflow.ts';

const main = join(import.meta.dirname, '../../../src/main.ts');
const hex = (bytes: number) => randomBytes(bytes).toString('hex');

describe('an MLflow that wants a login and knows only its own name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fleetbot-init-'));
  const admin = { username: 'admin', password: 'a-good-password' };
  const ann = { username: 'ann', password: 'another-password' };
  let mlflow: { url: string; child: ChildProcess };
  let experimentId: string;

  beforeAll(async () => {
    // Last, because the folder has a python of its own.
    process.env.PATH = `${process.env.PATH}:${mlflowBinFolder()}`;
    const port = await freePort();
    mlflow = await startMlflow(port, folder, {
      args: ['--app-name', 'basic-auth', '--allowed-hosts', `127.0.0.1:${port}`],
      env: { MLFLOW_AUTH_ADMIN_PASSWORD: admin.password, MLFLOW_FLASK_SERVER_SECRET_KEY: hex(16) },
    });
  });
  afterAll(async () => {
    await mlflow?.child.stop();
    rmSync(folder, { recursive: true });
  });

  const init = (env: Readonly<Record<string, string>> = {}) =>
    attemptProgram([process.execPath, main, 'mlflow', 'init', '--experiment', 'fleet'], '', {
      ...{ MLFLOW_TRACKING_URI: mlflow.url, ...env },
    });
  const loginOf = ({ username, password }: typeof admin) => ({
    ...{ MLFLOW_TRACKING_USERNAME: username, MLFLOW_TRACKING_PASSWORD: password },
  });
  const asAdmin = `Basic ${Buffer.from(`${admin.username}:${admin.password}`).toString('base64')}`;

  async function post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    const response = await fetch(`${mlflow.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: asAdmin, ...headers },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  }

  it('is made ready by who may, once and for all', async () => {
    const [first, again] = [await init(loginOf(admin)), await init(loginOf(admin))];
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    expect(first.stdout).toMatch(/✓ experiment {2}"fleet" is made: \d+\n/);
    experimentId = /MLFLOW_EXPERIMENT_ID=(\d+)\n/.exec(first.stdout)?.[1] ?? '';
    expect(first.stdout).toContain(`✓ page        ${mlflow.url} asks people to log in\n`);
    expect(again.stdout).toBe(first.stdout.replace('is made', 'is there'));
  });

  it('tells who may not what to do', async () => {
    for (const login of [loginOf({ ...admin, password: 'wrong' }), { MLFLOW_TRACKING_TOKEN: 't0ken' }]) {
      const { exitCode, stdout } = await init(login);
      expect(stdout).toMatch(/^✗ server {6}MLflow wants other credentials \(401\)\..*\n$/);
      expect(exitCode).toBe(1);
    }
    await post('/api/2.0/mlflow/users/create', ann);
    const refused = await init(loginOf(ann));
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout).toContain('✗ spans       MLflow forbids it (403). Give the user EDIT permission');
    await post('/api/3.0/mlflow/users/permissions/grant', {
      ...{ username: ann.username, permission: 'EDIT' },
      ...{ resource_type: 'experiment', resource_id: experimentId },
    });
    expect(await init(loginOf(ann))).toMatchObject({ exitCode: 0 });
  });

  it('tells of a name that is not in --allowed-hosts, for people and for programs', async () => {
    const elsewhere = mlflow.url.replace('127.0.0.1', 'localhost');
    const cure = `MLflow refuses requests to ${new URL(elsewhere).host} (403). Start it with this host in --allowed-hosts`;
    const page = await init({ ...loginOf(admin), MLFLOW_PUBLIC_URL: elsewhere });
    expect(page.stdout).toContain(`✗ page        ${cure}`);
    const program = await init({ ...loginOf(admin), MLFLOW_TRACKING_URI: elsewhere });
    expect(program.stdout).toContain(`✗ experiment  ${cure}`);
    expect([page.exitCode, program.exitCode]).toEqual([1, 1]);
  });

  describe('and holds traces', () => {
    let browser: Browser;
    const traceIds = { 'web-01': hex(16), 'web-02': hex(16), 'db-01': hex(16) };
    const dayMs = 24 * 3_600_000;

    beforeAll(async () => {
      browser = await launchChromium();
      const root = (machine: keyof typeof traceIds, campaign: string, ageMs: number) => ({
        ...{ traceId: traceIds[machine], spanId: hex(8), name: 'message.processed', kind: 1 },
        startTimeUnixNano: `${Date.now() - ageMs}000000`,
        endTimeUnixNano: `${Date.now() - ageMs + 10}000000`,
        attributes: Object.entries({
          'mlflow.spanInputs': `check disk on ${machine}`,
          'mlflow.traceTag.fleet.campaign': campaign,
        }).map(([key, stringValue]) => ({ key, value: { stringValue } })),
      });
      const spans = [root('web-01', 'c-1', 0), root('web-02', 'c-1', 40 * dayMs), root('db-01', 'c-11', 0)];
      const headers = { 'x-mlflow-experiment-id': experimentId };
      await post('/v1/traces', { resourceSpans: [{ scopeSpans: [{ spans }] }] }, headers);
    });
    afterAll(() => browser?.close());

    it('shows in a browser those of a campaign, old ones too, and no others', async () => {
      const link = createLinkTo({ publicUrl: mlflow.url, experimentId })({ campaign: 'c-1' });
      const context = await browser.newContext({ httpCredentials: admin });
      const page = await context.newPage();
      await page.goto('url' in link ? link.url : '');
      await page.getByText('check disk on web-02').first().waitFor({ timeout: 60_000 });
      const text = await page.locator('body').innerText();
      expect(text).toContain('check disk on web-01');
      expect(text).not.toContain('check disk on db-01');
    });

    it('tells of them, and keeps what people say of them', async () => {
      const client = createMlflowClient({
        trackingUri: mlflow.url,
        credentials: { kind: 'basic', ...admin },
      });
      const traceId = traceIds['web-01'];
      expect(await client.trace(hex(16))).toBeUndefined();
      expect(await client.trace(traceId)).toMatchObject({
        spans: [{ spanId: expect.stringMatching(/^[0-9a-f]{16}$/), name: 'message.processed' }],
        assessments: [],
      });
      const word = {
        ...{ assessmentId: 'fleet-1-0', name: 'operator_rating', value: true, sourceId: 'U0ANN' },
        metadata: { 'fleet.id': '1-0' },
      };
      await client.assess(traceId, word);
      await expect(client.assess(traceId, word)).rejects.toMatchObject({ code: 'mlflow-away' });
      await expect(client.assess(hex(16), word)).rejects.toMatchObject({ code: 'mlflow-unknown' });
      const change = { value: false, rationale: 'The wrong disk.', metadata: { 'fleet.id': '2-0' } };
      await client.updateAssessment(traceId, 'fleet-1-0', change);
      expect((await client.trace(traceId))?.assessments).toEqual([
        {
          ...{ assessmentId: 'fleet-1-0', name: 'operator_rating', ...change },
          source: { type: 'HUMAN', id: 'U0ANN' },
        },
      ]);
    });
  });
});
