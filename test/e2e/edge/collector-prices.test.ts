import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { costsOf, type Price, type Prices } from '../../../src/fleet/price.ts';
import { collectorPrices } from '../../../src/telemetry/collector-prices.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { collectorBinary } from '../parts/collector-binary.ts';
import { eventually } from '../parts/eventually.ts';
import { type CentralCollector, startCentralCollector } from './parts/collector.ts';
import { randomHex, type SpanToSend, sendSpans } from './parts/send-spans.ts';

/** Names that would end a text of OTTL or YAML, or mean something to the collector, if they were written as they are. */
const oddNames = [
  'anthropic/claude-sonnet-4-5',
  'a "quoted" name',
  String.raw`back\slash\" or true`,
  `dots.and.$1 $\{env:PATH} $$\{x} %v`,
  "it's: [a] {b} # c",
  'line\nbreak\ttab\0nul',
  'modèle 模型 🤖',
  '  spaces  ',
  'constructor',
  '1e3',
  'null',
];

interface Used {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
}

const usd = fc.oneof(
  fc.double({ min: 0, max: 1_000, noNaN: true }),
  fc.constantFrom(0, 3, 15, 0.3, 3.75, 1e-7, 5e-324),
);
const price: fc.Arbitrary<Price> = fc.record(
  {
    inputUsdPerMillion: usd,
    outputUsdPerMillion: usd,
    cacheReadUsdPerMillion: usd,
    cacheWriteUsdPerMillion: usd,
  },
  { requiredKeys: ['inputUsdPerMillion', 'outputUsdPerMillion'] },
);
const tokens = fc.oneof(fc.nat(5_000_000), fc.constantFrom(0, 1, 200_000));
const usage: fc.Arbitrary<Used> = fc
  .tuple(tokens, tokens, tokens, tokens)
  .map(([fresh, outputTokens, cacheReadTokens, cacheWriteTokens]) => ({
    ...{
      inputTokens: fresh + cacheReadTokens + cacheWriteTokens,
      outputTokens,
      cacheReadTokens,
      cacheWriteTokens,
    },
  }));

describe('the prices of the fleet file', () => {
  const prices: Prices = Object.fromEntries(
    fc.sample(price, oddNames.length).map((each, index) => [oddNames[index] ?? '', each]),
  );
  let folder: string;
  let mlflow: OtlpReceiver;
  let central: CentralCollector;

  beforeAll(async () => {
    collectorBinary();
    folder = await mkdtemp(join(tmpdir(), 'fleetbot-prices-'));
    const overlay = join(folder, 'prices.yaml');
    await writeFile(overlay, collectorPrices(prices));
    mlflow = await startOtlpReceiver();
    central = await startCentralCollector({
      folder,
      passwords: { 'rhel-01': 'of-rhel-01' },
      mlflow: { url: mlflow.url, experimentId: '7' },
      overlays: [overlay],
    });
  });

  afterAll(async () => {
    await central?.kill();
    await mlflow?.close();
    await rm(folder, { recursive: true });
  });

  /** The attributes that arrive, in the order in which the spans were sent. */
  async function arrive(spans: readonly SpanToSend[]) {
    const sent = spans.map((span) => ({ spanId: randomHex(16), name: 'model.inference', ...span }));
    const url = `http://127.0.0.1:${central.port}`;
    expect(await sendSpans(url, { machine: 'rhel-01', password: 'of-rhel-01' }, sent)).toBe(200);
    return eventually(() =>
      sent.map(({ spanId }) => {
        const span = mlflow.spans.find((each) => each.spanId === spanId);
        if (!span) throw new Error(`${spanId} is not there yet`);
        return span.attributes;
      }),
    );
  }

  const attributesOf = (model: string, used: Used): NonNullable<SpanToSend['attributes']> => [
    ['gen_ai.response.model', model],
    ['gen_ai.usage.input_tokens', used.inputTokens],
    ['gen_ai.usage.output_tokens', used.outputTokens],
    ['gen_ai.usage.cache_read.input_tokens', used.cacheReadTokens],
    ['gen_ai.usage.cache_creation.input_tokens', used.cacheWriteTokens],
  ];

  it('cost machines’ model calls exactly what they cost the centre, for models of any name', async () => {
    const calls = oddNames.flatMap((model) => fc.sample(usage, 20).map((used) => ({ model, used })));
    const arrived = await arrive(calls.map(({ model, used }) => ({ attributes: attributesOf(model, used) })));
    for (const [index, { model, used }] of calls.entries()) {
      const costs = costsOf(used, model, prices);
      if (!costs) throw new Error(`${model} has no price`);
      const { inputUsd, outputUsd } = costs;
      const attributes = arrived[index] ?? {};
      expect([model, used, JSON.parse(String(attributes['mlflow.llm.cost']))]).toEqual([
        ...[model, used],
        { input_cost: inputUsd, output_cost: outputUsd, total_cost: inputUsd + outputUsd },
      ]);
      expect(attributes).not.toHaveProperty('mlflow.llm.model');
    }
  });

  it('cost nothing that is not known: another model, or tokens that were not told', async () => {
    const [used] = fc.sample(usage, 1);
    if (!used) throw new Error('no sample');
    const arrived = await arrive([
      { attributes: attributesOf('anthropic/claude-sonnet-4', used) },
      { attributes: attributesOf('1000', used) },
      { attributes: attributesOf('', used) },
      { attributes: attributesOf('', used).slice(1) },
      { attributes: [['gen_ai.response.model', 'anthropic/claude-sonnet-4-5']] },
      { attributes: attributesOf('anthropic/claude-sonnet-4-5', used), name: 'tool.execution' },
    ]);
    for (const attributes of arrived) expect(attributes).not.toHaveProperty('mlflow.llm.cost');
    expect(arrived.map((attributes) => attributes['mlflow.llm.model'])).toEqual([
      ...['anthropic/claude-sonnet-4 (no price)', '1000 (no price)', ' (no price)'],
      ...[expect.stringContaining('(no price)'), undefined, undefined],
    ]);
  });
});
