import { readFile } from 'node:fs/promises';
import type { PluginApi } from 'openclaw/plugin-sdk/plugin-entry';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { connectHooks, startRecording } from '../../edge/plugin/recording.ts';
import { edgeKitVersion } from '../../src/fleet/edge-kit.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import {
  agentText,
  modelCall,
  runEnded,
  runStarted,
  toolCall,
  toolContent,
} from '../support/plugin-events.ts';

type Listener = (event: unknown, metadata: { readonly trusted: boolean }) => void;

let collector: OtlpReceiver;

beforeEach(async () => {
  collector = await startOtlpReceiver();
});

afterEach(async () => {
  await collector.close();
});

/** A gateway that has the plugin, as far as the plugin sees it. */
class Gateway {
  readonly warnings: string[] = [];
  readonly hooks = new Map<string, (event: unknown, context: unknown) => void | Promise<void>>();
  readonly listeners: Listener[] = [];
  readonly api: PluginApi;

  constructor(access = true) {
    const entry = { enabled: true, hooks: { allowConversationAccess: access } };
    this.api = {
      id: 'fleetbot',
      config: { plugins: { entries: { fleetbot: entry } } },
      pluginConfig: { host: 'rhel-01', endpoint: `${collector.url}/v1/traces` },
      logger: { info: () => {}, warn: (message) => this.warnings.push(message) },
      on: (hook, handler) => this.hooks.set(hook, handler),
    };
  }

  start(env: NodeJS.ProcessEnv = { FLEETBOT_OTLP_TOKEN: 'the-token' }) {
    return startRecording(this.api, (listener) => this.listeners.push(listener), env);
  }

  tell(...events: object[]): void {
    for (const event of events) for (const listener of this.listeners) listener(event, { trusted: true });
  }

  /** One run with a tool call, and then the end of the gateway. */
  async serve(): Promise<void> {
    this.tell(runStarted(), modelCall(), toolCall());
    this.hooks.get('after_tool_call')?.(...toolContent());
    this.hooks.get('llm_output')?.(agentText(), {});
    this.tell(runEnded());
    await this.hooks.get('gateway_stop')?.({}, {});
  }
}

const names = () => collector.spans.map(({ name }) => name);

test('what happened has arrived when the gateway stops', async () => {
  const gateway = new Gateway();
  const recording = gateway.start();
  if (recording) connectHooks(gateway.api, recording);
  await gateway.serve();
  expect(names()).toEqual(['model.inference', 'tool.execution', 'agent.run']);
  expect(collector.spans[1]?.attributes['gen_ai.tool.call.result']).toBe('Linux 6.18 x86_64');
});

test('half a tool call is told, too, when the gateway stops', async () => {
  const gateway = new Gateway();
  const recording = gateway.start();
  if (recording) connectHooks(gateway.api, recording);
  gateway.tell(runStarted(), toolCall());
  await gateway.hooks.get('gateway_stop')?.({}, {});
  expect(names()).toEqual(['tool.execution']);
});

test('being registered again doubles nothing', async () => {
  const gateway = new Gateway();
  const recording = gateway.start();
  for (let times = 0; times < 3; times += 1) if (recording) connectHooks(gateway.api, recording);
  await gateway.serve();
  expect(names()).toEqual(['model.inference', 'tool.execution', 'agent.run']);
});

test('without the operator’s word no content of a conversation leaves', async () => {
  const gateway = new Gateway(false);
  const recording = gateway.start();
  if (recording) connectHooks(gateway.api, recording);
  await gateway.serve();
  expect(names()).toEqual(['model.inference', 'tool.execution', 'agent.run']);
  const sent = Buffer.concat(collector.requests.map(({ body }) => body)).toString();
  expect(sent).not.toMatch(/uname|Linux|It says/);
  expect(sent).toContain('process.exit.code');
});

test('what another plugin makes up is not recorded', async () => {
  const gateway = new Gateway();
  gateway.start();
  for (const listener of gateway.listeners) listener(modelCall(), { trusted: false });
  gateway.tell(runEnded());
  await expect.poll(names).toEqual(['agent.run']);
});

test('the token does not stay where commands of the agent would inherit it', () => {
  const env = { FLEETBOT_OTLP_TOKEN: 'the-token', HOME: '/state' };
  expect(new Gateway().start(env)).toBeDefined();
  expect(env).toEqual({ HOME: '/state' });
});

test('without a token nothing is recorded, and the log says so', () => {
  const gateway = new Gateway();
  expect(gateway.start({})).toBeUndefined();
  expect(gateway.listeners).toEqual([]);
  expect(gateway.warnings).toEqual([expect.stringContaining('FLEETBOT_OTLP_TOKEN')]);
});

test('the plugin carries the version of the kit', async () => {
  const file = await readFile('edge/plugin/package.json', 'utf8');
  expect(z.object({ version: z.string() }).parse(JSON.parse(file)).version).toBe(edgeKitVersion);
});
