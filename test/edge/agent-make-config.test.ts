import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { edgePolicy } from '../../src/fleet/edge-policy.ts';
import { hostCommands } from '../../src/fleet/host-commands.ts';
import { machineWith } from '../fleet/fixtures.ts';

const program = join(import.meta.dirname, '../../edge/agent/make-config');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleetbot-make-config-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const options = (policy: string, ...more: string[]) => {
  writeFileSync(join(folder, 'policy.json'), policy);
  return [
    '-I',
    program,
    '--machine',
    'rhel-01',
    '--policy',
    join(folder, 'policy.json'),
    '--out',
    folder,
    ...more,
  ];
};

const configSchema = z.object({
  agents: z.object({
    defaults: z.object({ model: z.object({ primary: z.string(), fallbacks: z.array(z.string()) }) }),
  }),
  models: z.object({
    providers: z.record(
      z.string(),
      z.object({
        baseUrl: z.string(),
        api: z.string(),
        apiKey: z.string(),
        models: z.array(z.object({ id: z.string() })),
      }),
    ),
  }),
  tools: z.object({ allow: z.array(z.string()), exec: z.object({ mode: z.string() }) }),
});

/** Makes the files for the policy of a machine that says nothing of its own. */
function make(...more: string[]) {
  execFileSync('python3', options(edgePolicy(machineWith(), new Map()), ...more));
  const text = (name: string) => readFileSync(join(folder, name), 'utf8');
  return {
    config: configSchema.parse(JSON.parse(text('openclaw.json'))),
    approvals: JSON.parse(text('approvals.json')),
    instructions: text('AGENTS.md'),
    all: text('openclaw.json') + text('approvals.json'),
  };
}

describe('the agent’s models', () => {
  it('are RHEL Lightspeed on the machine, when nothing else is said', () => {
    const { config } = make();
    expect(config.agents.defaults.model).toEqual({ primary: 'server/default', fallbacks: [] });
    expect(Object.keys(config.models.providers)).toEqual(['server']);
    expect(config.models.providers.server).toMatchObject({
      baseUrl: 'http://127.0.0.1:8888/v1',
      api: 'openai-completions',
    });
  });

  it('are a central server’s, by its name of the model', () => {
    const { config } = make('--model-url', 'https://vllm.example.com/v1', '--model', 'meta-llama/Llama-4');
    expect(config.agents.defaults.model.primary).toBe('server/meta-llama/Llama-4');
    expect(config.models.providers.server).toMatchObject({
      baseUrl: 'https://vllm.example.com/v1',
      models: [{ id: 'meta-llama/Llama-4' }],
    });
  });

  it('are Anthropic’s first and the server’s after it, where that is wanted', () => {
    const { config } = make('--anthropic-model', 'claude-x');
    expect(config.agents.defaults.model).toEqual({
      primary: 'anthropic/claude-x',
      fallbacks: ['server/default'],
    });
  });

  it('have no key in any file', () => {
    const { config } = make('--anthropic-model', 'claude-x');
    const keys = Object.values(config.models.providers).map(({ apiKey }) => apiKey);
    for (const key of keys) expect(key).toMatch(/^\$\{FLEETBOT_(MODEL|ANTHROPIC)_KEY\}$/);
  });
});

describe('what the agent may execute', () => {
  it('is the broker’s client, through one tool, and nobody is asked for anything else', () => {
    const { config, approvals } = make();
    expect(config.tools).toMatchObject({ allow: ['exec'], exec: { mode: 'allowlist' } });
    expect(approvals.defaults).toMatchObject({ security: 'deny', ask: 'off', askFallback: 'deny' });
    expect(approvals.agents).toEqual({
      edge: {
        security: 'allowlist',
        ask: 'off',
        askFallback: 'deny',
        autoAllowSkills: false,
        allowlist: [{ pattern: '/usr/local/bin/on-host' }],
      },
    });
  });
});

describe('the agent’s instructions', () => {
  it('name the machine and every command of its policy, and have no placeholder left', () => {
    const { instructions } = make();
    expect(instructions).toContain('You look after rhel-01');
    for (const pattern of hostCommands) expect(instructions).toContain(`\n    ${pattern}\n`);
    expect(instructions).toContain('\n    /var/log/*\n');
    expect(instructions).not.toMatch(/\{\{|\}\}/);
  });

  it('say how an action is proposed, and that the agent decides nothing', () => {
    const { instructions } = make();
    expect(instructions).toContain('`PROPOSE: action name=value`');
    expect(instructions).toContain('Never say that something was approved, decided or done');
  });

  it.each([
    ['is no policy', 'no JSON'],
    ['is no policy', '{"machine":"rhel-01"}'],
    ['is for rhel-02', edgePolicy({ ...machineWith(), name: 'rhel-02' }, new Map())],
  ])('are not made when the policy file %s', (reason, policy) => {
    const { status, stderr } = spawnSync('python3', options(policy), { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(`^make-config: .*${reason}.*fleetbot edge policy rhel-01.*\n$`));
  });
});
