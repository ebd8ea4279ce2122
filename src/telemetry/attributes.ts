import type { AgentAnswer } from '../fleet/agent-task.ts';
import type { Failure } from '../fleet/errors.ts';
import type { CommandOutput } from '../fleet/evidence.ts';
import type { Finding } from '../fleet/finding.ts';
import { roundUsd } from '../fleet/money.ts';
import type { Cost } from '../fleet/price.ts';
import type { Measurement, Run, ToolCall } from '../fleet/run.ts';

export type Attributes = Record<string, string | number | boolean>;

/*
 * Names and values as MLflow reads them. Source: `facts/mlflow-otel.md`, Attributes and Span layout;
 * `mlflow.spanType` is explicit because derived types cannot be searched.
 */

/** A step's attributes: its `input`, as it is, and its `output`, as Markdown, are what MLflow shows first of it. */
export function stepAttributes({ input, output, ...others }: Readonly<Attributes>): Attributes {
  return {
    ...others,
    ...(input !== undefined && { 'mlflow.spanInputs': asPrinted(String(input)) }),
    ...(output !== undefined && { 'mlflow.spanOutputs': output }),
  };
}

/** Attributes of one command that the machine's broker ran. */
export function commandAttributes(run: Run, output: CommandOutput): Attributes {
  return {
    ...toolAttributes(run, output.argv[0] ?? '', output.argv.join(' '), `${output.stdout}${output.stderr}`),
    ...(output.exitCode !== null && { 'process.exit.code': output.exitCode }),
    'fleet.output_truncated': output.truncated,
  };
}

/** Attributes of one tool call of the agent. */
export function toolCallAttributes(run: Run, call: ToolCall): Attributes {
  return { ...toolAttributes(run, call.tool, call.input, call.output), 'gen_ai.tool.call.id': call.id };
}

/** Attributes of anything that was run on the machine. */
export function toolAttributes(run: Run, tool: string, input: string, output: string): Attributes {
  return {
    'mlflow.spanType': 'TOOL',
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': tool,
    'gen_ai.tool.call.arguments': input,
    'gen_ai.tool.call.result': output,
    'mlflow.spanOutputs': asPrinted(output),
    'host.name': run.request.machine,
  };
}

/** What the rules made of a check's evidence. */
export interface Judgement {
  readonly check: string;
  /** What the fleet file expects of the machine there. */
  readonly expected: unknown;
  readonly measurement: Pick<Measurement, 'findings' | 'verdict'>;
  /** Why it could not be judged, where it could not. */
  readonly failure?: Failure | undefined;
}

/** Attributes of `judgement`. */
export function judgementAttributes({ check, expected, measurement, failure }: Judgement): Attributes {
  const { findings, verdict } = measurement;
  return {
    'mlflow.spanType': 'TASK',
    'mlflow.spanInputs': JSON.stringify({ check, expected }),
    'mlflow.spanOutputs': paragraphs([verdict, findingList(findings), failure?.message]),
    'fleet.check': check,
    'fleet.verdict': verdict,
    'fleet.findings': findings.length,
  };
}

/**
 * Attributes of the agent's work with its model, named as the machine's own plugin names them. A model
 * `provider/name` tells its provider.
 */
export function modelAttributes({ text, model, usage }: AgentAnswer, cost: Cost | undefined): Attributes {
  const { cacheReadTokens, cacheWriteTokens } = usage ?? {};
  return {
    'mlflow.spanType': 'CHAT_MODEL',
    ...(text !== '' && { 'mlflow.spanOutputs': text }),
    'gen_ai.operation.name': 'chat',
    ...(model?.includes('/') && { 'gen_ai.provider.name': model.slice(0, model.indexOf('/')) }),
    ...(model && { 'gen_ai.request.model': model, 'gen_ai.response.model': model }),
    ...(usage && {
      'gen_ai.usage.input_tokens': usage.inputTokens,
      'gen_ai.usage.output_tokens': usage.outputTokens,
    }),
    ...(cacheReadTokens !== undefined && { 'gen_ai.usage.cache_read.input_tokens': cacheReadTokens }),
    ...(cacheWriteTokens !== undefined && { 'gen_ai.usage.cache_creation.input_tokens': cacheWriteTokens }),
    ...(usage && priceAttributes(model, cost)),
  };
}

/**
 * What it cost. Where that is not known, MLflow would guess it from a list of its own by the model's name: so it gets
 * one that is on no list. (A cost without parts would count as 0. Measured with MLflow 3.17.)
 */
function priceAttributes(model: string | undefined, cost: Cost | undefined): Attributes {
  if (cost === undefined) return model === undefined ? {} : { 'mlflow.llm.model': `${model} (no price)` };
  const { inputUsd, outputUsd, totalUsd } = cost;
  const told = {
    input_cost: roundUsd(inputUsd),
    output_cost: roundUsd(outputUsd),
    total_cost: roundUsd(totalUsd),
  };
  return { 'mlflow.llm.cost': JSON.stringify(told) };
}

/** Findings as a list for people. */
export function findingList(findings: readonly Finding[]): string {
  return findings.map(({ severity, text }) => `- ${severity}: ${text}`).join('\n');
}

/** Text whose lines MLflow's page shows as they are. */
function asPrinted(text: string): string {
  if (text === '') return '';
  let fence = '```';
  while (text.includes(fence)) fence += '`';
  return `${fence}\n${text.trimEnd()}\n${fence}`;
}

/** Text as MLflow's page shows it, which takes it for Markdown: without a blank line between them, lines run together. */
export function paragraphs(texts: readonly (string | undefined)[]): string {
  return texts.filter((text) => text !== undefined && text !== '').join('\n\n');
}
