import { stringify } from 'yaml';
import type { Price, Prices } from '../fleet/price.ts';

const usage = (kind: string) => `span.attributes["gen_ai.usage.${kind}_tokens"]`;
const input = usage('input');
const output = usage('output');
const read = usage('cache_read.input');
const write = usage('cache_creation.input');
const price = (kind: keyof ReturnType<typeof classesOf>) => `span.cache["price"]["${kind}"]`;
const known = 'span.cache["price"] != nil';

/** What `costsOf` does, in its order: the same numbers to the last digit. Tokens are whole numbers by then. */
const reckon: readonly string[] = [
  `set(span.cache["in"], ((${input} - ${read} - ${write}) * ${price('input')}` +
    ` + ${read} * ${price('read')} + ${write} * ${price('write')}) / 1000000) where ${known}`,
  `set(span.cache["out"], (${output} * ${price('output')}) / 1000000) where ${known}`,
  'set(span.attributes["mlflow.llm.cost"], ' +
    String.raw`Format("{\"input_cost\":%v,\"output_cost\":%v,\"total_cost\":%v}", ` +
    `[span.cache["in"], span.cache["out"], span.cache["in"] + span.cache["out"]])) where ${known}`,
  // Only there to keep MLflow from guessing.
  `delete_key(span.attributes, "mlflow.llm.model") where ${known}`,
];

/**
 * A configuration of the central collector that stands over `deploy/collector/central.yaml`: it puts on every model
 * call that a machine tells what its tokens cost, as `costsOf` does. A model without a price gets no cost.
 */
export function collectorPrices(prices: Prices): string {
  const statements = [...Object.entries(prices).map(([model, each]) => priceOf(model, each)), ...reckon];
  const modelCalls = { context: 'span', conditions: [`${input} != nil`], statements };
  const config = { processors: { 'transform/prices': { trace_statements: [modelCalls] } } };
  return `# Printed by fleetbot collector prices.\n${stringify(config, { lineWidth: 0 })}`;
}

function priceOf(model: string, each: Price): string {
  const classes = Object.entries(classesOf(each)).map(([kind, usd]) => `"${kind}": Double("${usd}")`);
  const isModel = `span.attributes["gen_ai.response.model"] == ${literal(model)}`;
  return `set(span.cache["price"], {${classes.join(', ')}}) where ${isModel}`;
}

function classesOf({
  inputUsdPerMillion: input,
  outputUsdPerMillion: output,
  cacheReadUsdPerMillion: read = input,
  cacheWriteUsdPerMillion: write = input,
}: Price) {
  return { input, read, write, output };
}

/** A text of OTTL, which reads it as Go does. Whatever could end it, or mean something to the collector, is a number. */
function literal(text: string): string {
  const escaped = text
    .toWellFormed()
    .replace(/[^\w./:@ -]/gu, (character) => `\\U${character.codePointAt(0)?.toString(16).padStart(8, '0')}`);
  return `"${escaped}"`;
}
