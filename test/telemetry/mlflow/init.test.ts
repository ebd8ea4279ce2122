import { expect, it, onTestFinished, vi } from 'vitest';
import { makeMlflowReady } from '../../../src/commands/mlflow-init.ts';
import { freePort } from '../../../src/sandbox/free-port.ts';
import { type InitStep, initMlflow } from '../../../src/telemetry/mlflow/init.ts';
import { type Answer, type Asked, startJsonServer } from '../../support/json-server.ts';

/** What an MLflow holds and allows; as 3.17 was seen to answer. */
interface Mlflow {
  readonly release?: string;
  readonly store?: string;
  /** Of an experiment that is there, or none. */
  readonly stage?: 'active' | 'deleted';
  readonly tags?: readonly { readonly key: string; readonly value: string }[];
  /** What it answers instead, by method and path. */
  readonly instead?: Readonly<Record<string, Answer>>;
}

const unknown: Answer = {
  status: 404,
  body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'Could not find experiment' },
};
const json = (body: unknown): Answer => ({ status: 200, body });

async function startMlflow({ release = '3.17.2', store = 'SqlStore', stage, tags, instead }: Mlflow = {}) {
  const experiment = { experiment_id: '7', name: 'fleetbot', lifecycle_stage: stage, ...(tags && { tags }) };
  const usual: Readonly<Record<string, Answer>> = {
    'GET /': { status: 200, body: '<!doctype html><html lang="en">' },
    'GET /version': { status: 200, body: release },
    'GET /api/2.0/mlflow/experiments/get-by-name': stage === undefined ? unknown : json({ experiment }),
    'POST /api/2.0/mlflow/experiments/create': json({ experiment_id: '7' }),
    'POST /api/2.0/mlflow/experiments/set-experiment-tag': json({}),
    'GET /api/3.0/mlflow/server-info': json({ store_type: store }),
    'POST /v1/traces': { status: 200 },
  };
  const answerTo = ({ line }: Asked) => {
    const path = line.split('?', 1).join('');
    return instead?.[path] ?? usual[path] ?? { status: 404, body: '<h1>Not Found</h1>' };
  };
  const server = await startJsonServer(answerTo);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** What came of it, each step as a line, and what was asked of the server. */
async function init(mlflow: Mlflow, publicUrl?: string) {
  const { url, asked } = await startMlflow(mlflow);
  const steps: InitStep[] = [];
  const { experimentId: id, isWell } = await initMlflow({
    ...{ trackingUri: url, publicUrl: publicUrl ?? url, experiment: 'fleetbot' },
    credentials: { kind: 'bearer', token: 't0ken' },
    tell: (step) => steps.push(step),
  });
  const lines = steps.map(({ name, isWell, detail }) => `${name} ${isWell ? 'ok' : 'failed'}: ${detail}`);
  return { id, isWell, lines, asked, url };
}

const sentTags = (asked: readonly Asked[]) =>
  asked.filter(({ line }) => line.endsWith('set-experiment-tag')).map(({ body }) => body);

it('makes the experiment, tags it, and sees that spans are taken and pages open', async () => {
  const { id, lines, asked, url } = await init({});
  expect(id).toBe('7');
  expect(lines).toEqual([
    `server ok: MLflow 3.17.2 at ${url}`,
    'experiment ok: "fleetbot" is made: 7',
    'tags ok: its page opens on the traces',
    'spans ok: it takes spans',
    `page ok: ${url} opens`,
  ]);
  expect(sentTags(asked)).toMatchObject([
    { experiment_id: '7', key: 'mlflow.experimentKind', value: 'genai_development' },
    { experiment_id: '7', key: 'mlflow.note.content' },
  ]);
  const probe = asked.find(({ line }) => line === 'POST /v1/traces');
  expect(probe).toMatchObject({
    headers: { 'x-mlflow-experiment-id': '7', authorization: 'Bearer t0ken' },
    body: { resourceSpans: [{ scopeSpans: [{ spans: [] }] }] },
  });
});

it('changes nothing where everything is there, also what people wrote of it', async () => {
  const tags = [
    { key: 'mlflow.note.content', value: 'ours' },
    { key: 'mlflow.experimentKind', value: 'genai_development' },
  ];
  const { id, lines, asked } = await init({ stage: 'active', tags });
  expect(id).toBe('7');
  expect(lines[1]).toBe('experiment ok: "fleetbot" is there: 7');
  expect(asked.filter(({ line }) => line.startsWith('POST') && line !== 'POST /v1/traces')).toEqual([]);
});

it('asks for the page as a browser does, and takes a login for well', async () => {
  for (const status of [302, 401]) {
    const { id, lines, asked } = await init({ instead: { 'GET /': { status } } });
    expect(id).toBe('7');
    expect(lines.at(-1)).toContain('asks people to log in');
    const page = asked.find(({ line }) => line === 'GET /');
    expect(page?.headers.authorization).toBeUndefined();
  }
});

const refusedHost: Answer = {
  status: 403,
  body: 'Invalid Host header - possible DNS rebinding attack detected',
};

it.each<[string, Mlflow, string]>([
  [
    'another login is wanted',
    { instead: { 'GET /version': { status: 401 } } },
    'server failed: MLflow wants other',
  ],
  ['it is too old', { release: '3.5.1' }, 'server failed: MLflow 3.5.1 takes no spans over OTLP. Install'],
  ['something else answers', { release: '<html>' }, 'server failed: What answers at'],
  ['the experiment is deleted', { stage: 'deleted' }, 'mlflow experiments restore --experiment-id 7'],
  [
    'the host is not allowed',
    { instead: { 'GET /api/2.0/mlflow/experiments/get-by-name': refusedHost } },
    '--allowed-hosts',
  ],
  [
    'tags may not be set',
    { instead: { 'POST /api/2.0/mlflow/experiments/set-experiment-tag': { status: 403 } } },
    'tags failed: MLflow forbids it (403)',
  ],
  [
    'spans may not be sent',
    { instead: { 'POST /v1/traces': { status: 403, body: 'Permission denied' } } },
    'spans failed: MLflow forbids it (403). Give the user EDIT permission',
  ],
  ['traces are kept in files', { store: 'FileStore' }, 'spans failed: MLflow keeps its data in files'],
  [
    'the public name is not allowed',
    { instead: { 'GET /': refusedHost } },
    'page failed: MLflow refuses requests to 127.0.0.1',
  ],
  [
    'no page is shown',
    { instead: { 'GET /': { status: 502 } } },
    'shows no page (502). Set MLFLOW_PUBLIC_URL',
  ],
])('says what to do where %s', async (_case, mlflow, says) => {
  const { isWell, lines } = await init(mlflow);
  expect(isWell).toBe(false);
  expect(lines.filter((line) => line.includes(' failed: '))).toEqual([expect.stringContaining(says)]);
});

it('says where links lead where nobody answers, and what the experiment is nevertheless', async () => {
  const { id, isWell, lines } = await init({}, `http://127.0.0.1:${await freePort()}`);
  expect(isWell).toBe(false);
  expect(id).toBe('7');
  expect(lines.at(-1)).toMatch(/^page failed: .* cannot be reached \(ECONNREFUSED\).* MLFLOW_PUBLIC_URL/);
});

it('takes an older release that has what is needed, and says what it lacks', async () => {
  const { id, lines } = await init({
    release: '3.11.2.dev0',
    instead: { 'GET /api/3.0/mlflow/server-info': { status: 404 } },
  });
  expect(id).toBe('7');
  expect(lines[0]).toContain('older than 3.17');
});

it('says of an MLflow that is there and slow that it is, and to do it again', async () => {
  const { url, [Symbol.asyncDispose]: stop } = await startJsonServer(({ line }) =>
    line === 'GET /version'
      ? { status: 200, body: '3.17.2' }
      : line === 'GET /'
        ? { status: 302 }
        : undefined,
  );
  onTestFinished(stop);
  const steps: InitStep[] = [];
  const options = { trackingUri: url, publicUrl: url, experiment: 'fleetbot' };
  const { isWell } = await initMlflow({ ...options, answerTimeoutMs: 50, tell: (step) => steps.push(step) });
  expect(isWell).toBe(false);
  expect(steps.map(({ name, isWell }) => `${name} ${isWell}`).slice(0, 2)).toEqual([
    'server true',
    'experiment false',
  ]);
  expect(steps[1]?.detail).toBe(
    `MLflow at ${url} does not answer within 50 ms. It is reached, but slow (just started?): do it again.`,
  );
});

it('prints what to set for fleetbot also where people cannot open the page yet', async () => {
  const { url } = await startMlflow();
  const publicUrl = `http://127.0.0.1:${await freePort()}`;
  vi.stubEnv('MLFLOW_TRACKING_URI', url);
  vi.stubEnv('MLFLOW_PUBLIC_URL', publicUrl);
  const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    stdout.mockRestore();
  });
  expect(await makeMlflowReady({ command: 'mlflow init', experiment: 'fleetbot' })).toBe(false);
  const printed = stdout.mock.calls.map(([text]) => String(text)).join('');
  for (const line of [
    'see ✗ above',
    `MLFLOW_TRACKING_URI=${url}\n`,
    'MLFLOW_EXPERIMENT_ID=7\n',
    `MLFLOW_PUBLIC_URL=${publicUrl}\n`,
  ]) {
    expect(printed).toContain(line);
  }
});
