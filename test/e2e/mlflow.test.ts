import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Run } from '../../src/fleet/run.ts';
import { createQueue, type Queue } from '../../src/queue/create-queue.ts';
import { Person, type SlackMessage } from '../../src/sandbox/person.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { workspace } from '../../src/sandbox/workspace.ts';
import { Channel } from './parts/channel.ts';
import { launchChromium } from './parts/chromium.ts';
import { eventually, patienceMs } from './parts/eventually.ts';
import { everythingInRedis, filesUnder } from './parts/everything.ts';
import { mlflowBinFolder } from './parts/mlflow.ts';
import { type StoredTrace, storedTrace, tracesOfRun } from './parts/mlflow-traces.ts';

const out = join(import.meta.dirname, 'out');

/** Far above what a run takes, far below what fleetbot gives MLflow for an answer (10 s). */
const undelayedMs = 6_000;

let browser: Browser;
let sandbox: Sandbox;
let queue: Queue;
let sre: Channel;
let mlflowUrl: string;

beforeAll(async () => {
  mkdirSync(out, { recursive: true });
  browser = await launchChromium();
  // Last, because the folder has a python of its own.
  process.env.PATH = `${process.env.PATH}:${mlflowBinFolder()}`;
  sandbox = await startSandbox({ port: 0, mlflow: true, tell: () => {} });
  mlflowUrl = sandbox.mlflowUrl ?? '';
  queue = await createQueue({ redisUrl: sandbox.redisUrl, log: pino({ level: 'silent' }) });
  sre = new Channel(sandbox.slackUrl, workspace.sre.id, queue);
  // local-slack loses what is typed in the moment in which the bot connects.
  const person = new Person(sandbox.slackUrl, workspace.sre.id);
  await eventually(async () => {
    await person.type(workspace.channel.id, 'help');
    expect(await sre.messages()).not.toEqual([]);
  });
});

afterAll(async () => {
  await queue?.close();
  await sandbox?.[Symbol.asyncDispose]();
  await browser?.close();
});

/** Types a command; resolves with the run once it is done and everything stands in Slack. */
async function ask(text: string): Promise<Run> {
  const answer = await sre.ask(text);
  return (await answer.ended()).run;
}

/** Resolves once MLflow has the whole trace: the root comes last. */
function traceOf(run: Run): Promise<StoredTrace> {
  return eventually(async () => {
    const trace = await storedTrace(mlflowUrl, `tr-${run.trace.traceId}`);
    expect(trace.state).not.toBe('IN_PROGRESS');
    return trace;
  });
}

function traceLink(messages: readonly SlackMessage[], run: Run): string {
  const main = messages.find((message) =>
    message.blocks.some(({ block_id: id }) => id === `run:${run.id}:main`),
  );
  const elements = main?.blocks.flatMap((block) => block.elements ?? []) ?? [];
  return elements.find(({ url }) => url !== undefined)?.url ?? '';
}

describe('the trace of a check', () => {
  let run: Run;
  let trace: StoredTrace;

  beforeAll(async () => {
    run = await ask('check sandbox-01 disk');
    trace = await traceOf(run);
  });

  it('is the only one of the run, with its id, tags and tokens', async () => {
    expect(await tracesOfRun(mlflowUrl, run.id)).toEqual([`tr-${run.trace.traceId}`]);
    expect(trace).toMatchObject({
      state: 'OK',
      tags: {
        'fleet.run': run.id,
        'fleet.machine': 'sandbox-01',
        'fleet.host': 'sandbox-01',
        'fleet.task': 'check',
        'fleet.check': 'disk',
        'fleet.verdict': run.verdict,
        'fleet.inertness': 'inactive',
        'fleet.channel': workspace.channel.id,
        'fleet.person': workspace.sre.id,
      },
      trace_metadata: { 'mlflow.trace.user': workspace.sre.id },
    });
    const { inputTokens = 0, outputTokens = 0 } = run.diagnosis?.usage ?? {};
    expect(inputTokens).toBeGreaterThan(0);
    expect(JSON.parse(trace.trace_metadata['mlflow.trace.tokenUsage'] ?? '')).toMatchObject({
      input_tokens: inputTokens,
      output_tokens: outputTokens,
    });
  });

  it('shows the waiting, the evidence, the agent and the end under the request', () => {
    const spans = trace.spans.map(({ name, parent }) => `${parent} > ${name}`);
    const commands = run.evidence?.outputs.map(() => 'evidence > tool.execution') ?? [];
    const calls = run.diagnosis?.toolCalls.map(() => 'agent.task > tool.execution') ?? [];
    expect(commands.length).toBeGreaterThan(0);
    expect(calls.length).toBeGreaterThan(0);
    expect(spans.toSorted()).toEqual(
      [
        'undefined > message.processed',
        'message.processed > message.queued',
        'message.processed > evidence',
        ...commands,
        'evidence > judgement',
        'message.processed > agent.start',
        'message.processed > agent.ready',
        'message.processed > agent.task',
        'agent.task > model.inference',
        ...calls,
        'message.processed > agent.stop',
        'message.processed > run.completed',
      ].toSorted(),
    );
    const root = trace.spans.find(({ parent }) => parent === undefined);
    for (const span of trace.spans) {
      expect(span.startNs).toBeGreaterThanOrEqual(root?.startNs ?? Number.POSITIVE_INFINITY);
      expect(span.endNs).toBeLessThanOrEqual(root?.endNs ?? 0);
    }
  });

  it('shows what was run on the machine and what the model used', () => {
    const tools = trace.spans.filter(({ name }) => name === 'tool.execution');
    expect(tools.map(({ attributes }) => attributes['mlflow.spanType'])).toEqual(tools.map(() => 'TOOL'));
    const lines = tools.map(({ attributes }) => attributes['gen_ai.tool.call.arguments']);
    for (const { argv } of run.evidence?.outputs ?? []) expect(lines).toContain(argv.join(' '));
    for (const { input } of run.diagnosis?.toolCalls ?? []) expect(lines).toContain(input);
    const attributesOf = (name: string) => trace.spans.find((span) => span.name === name)?.attributes;
    expect(attributesOf('judgement')).toMatchObject({ 'fleet.check': 'disk', 'fleet.verdict': run.verdict });
    expect(attributesOf('agent.task')?.['mlflow.spanOutputs']).toContain(run.diagnosis?.comment);
    expect(attributesOf('model.inference')).toMatchObject({
      'mlflow.spanType': 'CHAT_MODEL',
      'gen_ai.request.model': run.diagnosis?.model,
      'gen_ai.usage.input_tokens': run.diagnosis?.usage?.inputTokens,
      'gen_ai.usage.output_tokens': run.diagnosis?.usage?.outputTokens,
    });
  });

  it('is what the button Open trace opens', async () => {
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    await page.goto(traceLink(await sre.messages(), run));
    await page.getByText('message.processed').first().waitFor({ timeout: patienceMs });
    await page.getByText('model.inference').first().waitFor({ timeout: patienceMs });
    await page.screenshot({ path: join(out, 'mlflow-trace.png') });
    await page.close();
  });
});

describe('a secret in a question', () => {
  it('is in no trace, no message, no record and no file', async () => {
    const password = randomBytes(12).toString('hex');
    const token = `ghp_${randomBytes(18).toString('hex')}`;
    const answer = await sre.ask(`ask sandbox-01 what uses the memory? password=${password}, ${token}`);
    await answer.reaches('done');
    const slack = await eventually(async () => {
      const messages = JSON.stringify(await sre.messages());
      expect(messages).toContain("The agent's answer");
      return messages;
    });
    const run = await answer.run();
    const trace = await traceOf(run);
    const records = (await everythingInRedis(sandbox.redisUrl)).toString();
    const files = filesUnder(sandbox.folder).map((file) => readFileSync(file));

    // The question itself stands in each of these places.
    const hidden = 'what uses the memory? password=[redacted:password]';
    for (const place of [trace.text, slack, records]) expect(place).toContain(hidden);
    expect(files.some((content) => content.includes(hidden))).toBe(true);
    for (const secret of [password, token]) {
      for (const place of [trace.text, slack, records, ...files]) expect(place.includes(secret)).toBe(false);
    }
  });
});

describe('when MLflow goes away', () => {
  /** Of the server and its workers. */
  function mlflowGroup(): number {
    const processes = execFileSync('ps', ['-eo', 'pgid=,args='], { encoding: 'utf8' }).split('\n');
    const line = processes.find((process) => process.includes(join(sandbox.folder, 'mlflow')));
    return Number.parseInt(line ?? '', 10);
  }

  const tookMs = (run: Run) => (run.timeline.at(-1)?.at ?? Number.POSITIVE_INFINITY) - run.request.acceptedAt;
  const log = () => readFileSync(join(sandbox.folder, 'fleetbot/fleetbot.log'), 'utf8');

  it('no run is delayed or fails, whether it is silent or gone', async () => {
    const group = mlflowGroup();
    expect(group).toBeGreaterThan(1);
    process.kill(-group, 'SIGSTOP');
    const during = await ask('check sandbox-01 disk');
    process.kill(-group, 'SIGKILL');
    const after = await ask('check sandbox-01 disk');
    for (const run of [during, after]) {
      expect(run).toMatchObject({ state: 'done', inertness: 'inactive', diagnosis: { activations: 1 } });
      expect(run.failure).toBeUndefined();
      expect(tookMs(run)).toBeLessThan(undelayedMs);
    }
    await eventually(() => expect(log()).toContain(`MLflow at ${mlflowUrl} took no spans`));
  });
});
