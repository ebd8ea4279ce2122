import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Prices } from '../../src/fleet/price.ts';
import { collectorPrices } from '../../src/telemetry/collector-prices.ts';

const configSchema = z.strictObject({
  processors: z.strictObject({
    'transform/prices': z.strictObject({
      trace_statements: z.tuple([
        z.strictObject({
          context: z.literal('span'),
          conditions: z.tuple([z.string()]),
          statements: z.array(z.string()),
        }),
      ]),
    }),
  }),
});

/** What the collector would do, statement by statement. */
const statementsOf = (prices: Prices) =>
  configSchema.parse(parse(collectorPrices(prices))).processors['transform/prices'].trace_statements[0]
    .statements;

/*
 * That the real collector understands it, and reckons as `costsOf` does, is shown by
 * test/e2e/edge/collector-prices.test.ts.
 */
describe('the prices as the central collector reads them', () => {
  it('know a model by its name, and take cached input for any other where it has no price', () => {
    const prices = { 'anthropic/claude-4.5': { inputUsdPerMillion: 3, outputUsdPerMillion: 1e-7 } };
    expect(statementsOf(prices)[0]).toBe(
      'set(span.cache["price"], {"input": Double("3"), "read": Double("3"), "write": Double("3"), ' +
        '"output": Double("1e-7")}) where span.attributes["gen_ai.response.model"] == "anthropic/claude-4.5"',
    );
  });

  it.each(['"', '\\', '\\"', '$', '{', '}', '\n', '\0', '\ud800', '🤖', "'", '`'])(
    'let no name of a model end its text: %j',
    (odd) => {
      const price = { inputUsdPerMillion: 1, outputUsdPerMillion: 1 };
      const [statement = ''] = statementsOf({ [`${odd}a`]: price });
      expect(statement.split(' == ')[1]).toMatch(/^"\\U[0-9a-f]{8}(\\U[0-9a-f]{8})?a"$/);
    },
  );

  it('are none where the fleet file has none', () => {
    const reckoning = statementsOf({});
    expect(reckoning.every((statement) => statement.endsWith('where span.cache["price"] != nil'))).toBe(true);
  });
});
