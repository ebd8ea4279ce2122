import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { clean } from '../../../edge/plugin/clean.ts';
import { RunSpans } from '../../../edge/plugin/run-spans.ts';
import type { Span } from '../../../edge/plugin/span.ts';
import { centreSpanIdPrefix } from '../../../src/telemetry/trace-ids.ts';
import { newAuthority } from '../../support/certificates.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../../support/otlp-receiver.ts';
import {
  agentText,
  modelCall,
  runEnded,
  runStarted,
  toolCall,
  toolContent,
} from '../../support/plugin-events.ts';
import { collectorBinary } from '../parts/collector-binary.ts';
import { eventually } from '../parts/eventually.ts';
import { type CentralCollector, startCentralCollector } from './parts/collector.ts';
import { randomHex, type Sender, type SpanToSend, sendSpans } from './parts/send-spans.ts';

const machine = { machine: 'rhel-01', password: 'of-rhel-01' };

/** Salt and digest of bcrypt with 2^5 rounds, by the password. */
const bcrypt = {
  'of-rhel-01': 'c3ey7Q4vfvYANaQJxZC3JOd6EJbzQ3re0mwsstFDuGM8ow2JQg9U.',
  'its-next-one': 'ejCWN0LbXXA72IxK7HRjGeJ8pRe55GNo/xsOFgCSFJ6jSht3e9JsW',
};

let folder: string;
let mlflow: OtlpReceiver;

beforeAll(() => void collectorBinary());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleetbot-central-'));
  mlflow = await startOtlpReceiver();
  return async () => {
    await mlflow.close();
    await rm(folder, { recursive: true });
  };
});

describe('a machine that somebody took over', () => {
  let home: string;
  let central: CentralCollector;
  let url: string;
  let received: OtlpReceiver;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'fleetbot-central-'));
    received = await startOtlpReceiver();
    central = await startCentralCollector({
      folder: home,
      passwords: { 'rhel-01': 'of-rhel-01', 'rhel-02': 'of-rhel-02' },
      mlflow: { url: received.url, experimentId: '7' },
    });
    url = `http://127.0.0.1:${central.port}`;
  });

  afterAll(async () => {
    await central?.kill();
    await received?.close();
    await rm(home, { recursive: true });
  });

  /** Sends them with an honest one behind them; what came of each in MLflow, by the ids of the spans. */
  async function arrives(spans: readonly SpanToSend[], sender: Sender = machine) {
    const ids = spans.map(({ spanId }) => spanId ?? randomHex(16));
    const honest = randomHex(16);
    const sent = spans.map((span, index) => ({ ...span, spanId: ids[index] ?? '' }));
    expect(await sendSpans(url, sender, [...sent, { spanId: honest }])).toBe(200);
    const find = (id: string) => received.spans.find(({ spanId }) => spanId === id);
    await eventually(() => expect(find(honest)).toBeDefined());
    return ids.map(find);
  }

  it('is stamped with its own name, however often it claims another', async () => {
    const claims = [
      ['host.name', 'rhel-02'],
      ['deployment.environment', 'production'],
      ['host.name', 'rhel-02'],
      ['service.name', 'fleetbot'],
      ['fleet.verdict', 'ok'],
      ['', 'x'],
      ['', 'y'],
    ] as const;
    const [span] = await arrives([{ attributes: claims }], { ...machine, resource: claims });
    const own = {
      'host.name': 'rhel-01',
      'deployment.environment': 'edge',
      'deployment.environment.name': 'edge',
    };
    expect(span?.attributes).toEqual(own);
    expect(span?.resource).toEqual(own);
  });

  it('sets no tag, session, user, cost, assessment or experiment', async () => {
    const [span] = await arrives([
      {
        name: 'model.inference',
        attributes: [
          ['gen_ai.response.model', 'gpt-4o'],
          ['mlflow.traceTag.fleet.verdict', 'ok'],
          ['mlflow.traceTag.mlflow.traceName', 'all is well'],
          ['session.id', 'of-another'],
          ['gen_ai.conversation.id', 'of-another'],
          ['user.id', 'U0BOSS'],
          ['mlflow.llm.cost', '{"total_cost":-1000}'],
          ['mlflow.chat.tokenUsage', '{"input_tokens":-1000}'],
          ['llm.token_count.prompt', -1_000],
          ['mlflow.experimentId', '1'],
          ['mlflow.traceRequestId', 'tr-of-another'],
          ['mlflow.assessment.operator_rating', 'true'],
          ['fleet.forged', 'not at all'],
        ],
      },
    ]);
    expect(Object.keys(span?.attributes ?? {}).toSorted()).toEqual([
      'deployment.environment',
      'deployment.environment.name',
      'gen_ai.response.model',
      'host.name',
    ]);
  });

  it('tells all that the plugin tells, but what a model call costs', async () => {
    const told: Span[] = [];
    const ts = Date.now();
    const plugin = new RunSpans({
      ...{ host: 'rhel-01', content: true, clock: Date.now, lost: () => 3 },
      emit: (span) => told.push(span),
    });
    plugin.take(runStarted({ ts }));
    plugin.take(modelCall({ ts }));
    plugin.take(toolCall({ ts }));
    plugin.takeToolContent(...toolContent({ text: '€'.repeat(40_000), details: { exitCode: 3 } }));
    plugin.takeAgentText(agentText());
    plugin.take(runEnded({ ts, type: 'harness.run.error', errorCategory: 'timeout' }));
    expect(told.map(({ name }) => name)).toEqual(['model.inference', 'tool.execution', 'agent.run']);
    const cleaned = told.map(({ attributes }) =>
      Object.entries(attributes).map(
        ([name, value]) => [name, typeof value === 'string' ? clean(value) : value] as const,
      ),
    );
    const arrived = await arrives(told.map((span, index) => ({ ...span, attributes: cleaned[index] ?? [] })));
    for (const [index, attributes] of cleaned.entries()) {
      const { 'mlflow.llm.cost': _, ...others } = Object.fromEntries(attributes);
      expect(arrived[index]?.attributes).toMatchObject(others);
      expect(arrived[index]?.attributes).not.toHaveProperty('mlflow.llm.cost');
    }
  });

  it.each<readonly [string, string, SpanToSend]>([
    ['a root', 'a root', { parentSpanId: '' }],
    ['a root whose parent is nothing but zeros', 'a root', { parentSpanId: '0'.repeat(16) }],
    ['a step of the centre', 'a step', { name: 'approval' }],
    ['a span with an id of the centre’s', 'an id of', { spanId: `${centreSpanIdPrefix}${randomHex(10)}` }],
    ['a child of itself', 'itself', { spanId: 'a'.repeat(16), parentSpanId: 'a'.repeat(16) }],
    ['a span of no trace', 'no id', { traceId: '0'.repeat(32) }],
    ['a span of 1970', 'a time', { startMs: 0 }],
    ['a span of next year', 'a time', { endMs: Date.now() + 365 * 86_400_000 }],
    ['a span that ends before it begins', 'a time', { endMs: Date.now() - 60_000 }],
    ['a time that no computer has', 'a time', { more: { startTimeUnixNano: '18446744073709551615' } }],
    ['an event', 'events', { more: { events: [{ name: 'gen_ai.user.message', timeUnixNano: '1' }] } }],
    ['a link', 'links', { more: { links: [{ traceId: randomHex(32), spanId: randomHex(16) }] } }],
  ])('cannot add %s; its other spans arrive, and what it tried is kept', async (_, why, span) => {
    const spanId = span.spanId ?? randomHex(16);
    expect(await arrives([{ ...span, spanId }])).toEqual([undefined]);
    const lines = (await readFile(join(central.state, 'forged/spans.jsonl'), 'utf8')).split('\n');
    const kept = lines.find((line) => line.includes(spanId));
    expect(kept).toContain(why);
    expect(kept).toContain('"rhel-01"');
    expect(await readFile(join(central.state, 'copy/spans.jsonl'), 'utf8')).not.toContain(
      `"spanId":"${spanId}"`,
    );
  });

  const tokens = (input: number, output: number, read: number, write: number) =>
    [
      ['gen_ai.usage.input_tokens', input],
      ['gen_ai.usage.output_tokens', output],
      ['gen_ai.usage.cache_read.input_tokens', read],
      ['gen_ai.usage.cache_creation.input_tokens', write],
    ] as const;

  it.each([
    ['less than nothing', 'model.inference', tokens(-5, 1, 0, 0)],
    ['less than no answer', 'model.inference', tokens(5, -1, 0, 0)],
    ['more than there can be', 'model.inference', tokens(2 ** 53, 1, 0, 0)],
    ['more cached than read', 'model.inference', tokens(10, 1, 8, 8)],
    ['half a token', 'model.inference', tokens(1.5, 1, 0, 0)],
    ['two sorts at a time', 'model.inference', [...tokens(5, 1, 0, 0), ...tokens(-5, 1, 0, 0)]],
    ['a tool’s', 'tool.execution', tokens(5, 1, 0, 0)],
  ])('cannot have tokens counted that cannot be: %s', async (_, name, attributes) => {
    const [span] = await arrives([{ name, attributes }]);
    expect(span?.name).toBe(name);
    expect(Object.keys(span?.attributes ?? {}).filter((key) => key.includes('usage'))).toEqual([]);
  });

  it('has its tokens counted, and MLflow does not guess what they cost', async () => {
    const model = [['gen_ai.response.model', 'gpt-4o']] as const;
    const [span] = await arrives([
      { name: 'model.inference', attributes: [...model, ...tokens(5, 1, 2, 1)] },
    ]);
    expect(span?.attributes).toMatchObject(Object.fromEntries(tokens(5, 1, 2, 1)));
    expect(span?.attributes['mlflow.llm.model']).toBe('gpt-4o (no price)');
    expect(span?.attributes).not.toHaveProperty('mlflow.llm.cost');
  });

  it('harms nobody with values of other types than the plugin’s', async () => {
    const keys = [
      ...[
        'mlflow.spanType',
        'gen_ai.response.model',
        'gen_ai.operation.name',
        'gen_ai.tool.call.result',
        'mlflow.spanOutputs',
      ],
      ...tokens(0, 0, 0, 0).map(([key]) => key),
    ];
    const values = [
      ...[{}, { boolValue: true }, { doubleValue: 'NaN' }, { bytesValue: 'AAAA' }, { stringValue: '\0' }],
      { arrayValue: { values: [{ intValue: '1' }] } },
      { kvlistValue: { values: [{ key: 'k', value: { stringValue: 'v' } }] } },
    ];
    const pairs = keys.flatMap((key) => values.map((value) => ({ key, value })));
    const honest = tokens(5, 1, 0, 0).map(([key, value]) => ({ key, value: { intValue: String(value) } }));
    const spans = pairs.map((pair) => ({
      name: 'model.inference',
      // Twice, so that what is taken away is not there once more.
      more: { attributes: [...honest.filter(({ key }) => key !== pair.key), pair, pair] },
    }));
    for (const span of await arrives(spans)) {
      expect(span?.attributes['host.name']).toBe('rhel-01');
      // MLflow refuses a request where these are anything else.
      for (const key of ['mlflow.spanType', 'gen_ai.operation.name']) {
        expect([undefined, '\0']).toContain(span?.attributes[key]);
      }
    }
  });

  it.each([
    ['nested a thousand deep', '['.repeat(1_000)],
    ['nested behind white space', ` \n${'{"a":['.repeat(600)}`],
    ['a number that Python does not read', '9'.repeat(4_301)],
  ])('does not have MLflow refuse what it reads as JSON and cannot: %s', async (_, odd) => {
    const [span] = await arrives([{ attributes: [['gen_ai.tool.call.result', odd]] }]);
    expect(span?.attributes['gen_ai.tool.call.result']).toBe(`(text) ${odd}`);
  });

  it('gets short JSON through as it is, and long names cut', async () => {
    const [span] = await arrives([
      {
        attributes: [
          ['gen_ai.tool.call.arguments', '{"command":"df -h /"}'],
          ['mlflow.spanOutputs', 'see [1] and [2]'.repeat(500)],
          ['gen_ai.tool.name', '['.repeat(1_000)],
        ],
      },
    ]);
    expect(span?.attributes).toMatchObject({
      'gen_ai.tool.call.arguments': '{"command":"df -h /"}',
      'mlflow.spanOutputs': 'see [1] and [2]'.repeat(500),
      'gen_ai.tool.name': '['.repeat(500),
    });
  });

  it('gets long texts cut, and what is too large for a request refused', async () => {
    const [span] = await arrives([
      {
        attributes: [['gen_ai.tool.call.result', 'ä'.repeat(200_000)]],
        more: { status: { code: 2, message: 'x'.repeat(50_000) } },
      },
    ]);
    expect(Buffer.byteLength(String(span?.attributes['gen_ai.tool.call.result']))).toBe(131_072);
    expect(span?.status.message).toBe('x'.repeat(4_096));
    const huge: SpanToSend = { attributes: [['gen_ai.tool.call.result', 'x'.repeat(6 * 2 ** 20)]] };
    expect(await sendSpans(url, machine, [huge])).toBe(400);
  });

  it('does not hold up MLflow with one request of many spans', async () => {
    const traceId = randomHex(32);
    const before = received.requests.length;
    const many = Array.from({ length: 1_100 }, () => ({ traceId }));
    expect(await sendSpans(url, machine, many)).toBe(200);
    await eventually(() =>
      expect(received.spans.filter((span) => span.traceId === traceId)).toHaveLength(1_100),
    );
    expect(received.requests.length - before).toBe(5);
  });

  it('is heard under its own password alone', async () => {
    const before = received.requests.length;
    for (const sender of [
      { machine: 'rhel-01', password: 'of-rhel-02' },
      { machine: 'rhel-99', password: 'of-rhel-01' },
      { machine: '', password: '' },
    ]) {
      expect(await sendSpans(url, sender, [{}])).toBe(401);
    }
    expect(received.requests.length).toBe(before);
  });
});

describe('the central collector', () => {
  async function sendThrough(options: {
    readonly overlays: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly ca?: string;
  }): Promise<void> {
    const { overlays, env, ca } = options;
    const central = await startCentralCollector({
      ...{ folder, overlays, env },
      passwords: { 'rhel-01': 'of-rhel-01' },
      mlflow: { url: mlflow.url, experimentId: '7' },
    });
    try {
      const url = `${ca === undefined ? 'http' : 'https'}://127.0.0.1:${central.port}`;
      expect(await sendSpans(url, { ...machine, ...(ca !== undefined && { ca }) }, [{}])).toBe(200);
      await eventually(() => expect(mlflow.spans).toHaveLength(1));
    } finally {
      await central.kill();
    }
  }

  it('knows passwords as `htpasswd -B` writes them, and new ones after a restart', async () => {
    const machines = join(folder, 'htpasswd');
    const line = (digest: string) => writeFile(machines, `rhel-01:$2y$05$${digest}\n`);
    const start = () =>
      startCentralCollector({
        ...{ folder, passwords: {}, env: { FLEETBOT_MACHINES_FILE: machines } },
        mlflow: { url: mlflow.url, experimentId: '7' },
      });
    const answers = async ({ port }: CentralCollector) =>
      Promise.all(
        ['of-rhel-01', 'its-next-one'].map((password) =>
          sendSpans(`http://127.0.0.1:${port}`, { machine: 'rhel-01', password }, [{}]),
        ),
      );
    await line(bcrypt['of-rhel-01']);
    const central = await start();
    expect(await answers(central)).toEqual([200, 401]);
    await central.kill();
    await line(bcrypt['its-next-one']);
    const again = await start();
    expect(await answers(again)).toEqual([401, 200]);
    await again.kill();
  });

  it('is reached over TLS where it has a certificate', async () => {
    const authority = newAuthority('an authority of this test');
    const { cert, key } = authority.issue(['127.0.0.1']);
    const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    await Promise.all([writeFile(files.cert, cert), writeFile(files.key, key)]);
    await sendThrough({
      overlays: ['deploy/collector/central-tls.yaml'],
      env: { FLEETBOT_COLLECTOR_CERT_FILE: files.cert, FLEETBOT_COLLECTOR_KEY_FILE: files.key },
      ca: authority.cert,
    });
  });

  it('shows MLflow a name and a password', async () => {
    const env = { MLFLOW_TRACKING_USERNAME: 'fleetbot', MLFLOW_TRACKING_PASSWORD: '0123:"x" #y' };
    await sendThrough({ overlays: ['deploy/collector/mlflow-basic.yaml'], env });
    const shown = Buffer.from('fleetbot:0123:"x" #y').toString('base64');
    expect(mlflow.requests[0]?.headers.authorization).toBe(`Basic ${shown}`);
  });

  it('shows MLflow a token', async () => {
    const env = { MLFLOW_TRACKING_TOKEN: 'a-token-of-this-test' };
    await sendThrough({ overlays: ['deploy/collector/mlflow-bearer.yaml'], env });
    expect(mlflow.requests[0]?.headers.authorization).toBe('Bearer a-token-of-this-test');
  });
});
