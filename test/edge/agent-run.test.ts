import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { gatewayEnvironment } from '../../edge/agent/gateway-environment.ts';
import { runAgent } from '../../edge/agent/run-agent.ts';
import { freePort } from '../../src/sandbox/free-port.ts';

/** podman kills after 8 s; beside it, a busy computer needs some time. */
const endsWithinMs = 8_000;

let folder: string;
let settings: string;
let state: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleetbot-agent-'));
  settings = join(folder, 'settings');
  state = join(folder, 'state');
  await mkdir(settings);
  await mkdir(join(state, 'openclaw'), { recursive: true });
  await writeFile(join(settings, 'approvals.json'), '{"version":1}');
  await writeFile(join(settings, 'AGENTS.md'), 'You look after test-01.');
});

afterEach(() => rm(folder, { recursive: true }));

const calls = async () => {
  const file = join(state, 'openclaw/calls');
  return existsSync(file) ? (await readFile(file, 'utf8')).trimEnd().split('\n') : [];
};

const fakeOpenClaw = join(import.meta.dirname, '../support/edge-agent/fake-openclaw.ts');

/** Starts the agent around a gateway that behaves as told. */
async function start(behaviour: object = {}, openClaw = fakeOpenClaw) {
  await writeFile(join(settings, 'openclaw.json'), JSON.stringify(behaviour));
  const stop = new AbortController();
  const lines: string[] = [];
  const exitCode = runAgent({
    settings,
    state,
    openClaw,
    port: await freePort(),
    env: { ...process.env, OPENCLAW_GATEWAY_TOKEN: 'a-token' },
    stop: stop.signal,
    log: (line) => lines.push(line),
  });
  const listening = async () => {
    await vi.waitFor(async () => expect(await calls()).toContain(`listening ${join(state, 'workspace')}`), {
      timeout: 10_000,
    });
  };
  return { exitCode, stop: () => stop.abort(), lines, listening };
}

/** Starts it, stops it and forgets what happened. */
async function startAndStop(): Promise<void> {
  const agent = await start();
  await agent.listening();
  agent.stop();
  await agent.exitCode;
  await rm(join(state, 'openclaw/calls'));
}

describe('the agent’s start', () => {
  it('applies the approvals once, and again when they changed', async () => {
    await startAndStop();
    const again = await start();
    await again.listening();
    again.stop();
    await again.exitCode;
    expect((await calls())[0]).toMatch(/^listening/);
    await rm(join(state, 'openclaw/calls'));
    await writeFile(join(settings, 'approvals.json'), '{"version":2}');
    const changed = await start();
    await changed.listening();
    changed.stop();
    await changed.exitCode;
    expect((await calls())[0]).toBe('approvals {"version":2}');
  });

  it('applies them anew to another version of OpenClaw', async () => {
    await startAndStop();
    const other = join(folder, 'openclaw.mjs');
    await writeFile(other, `import ${JSON.stringify(fakeOpenClaw)};`);
    await writeFile(join(folder, 'package.json'), '{"version":"0.0.1"}');
    const agent = await start({}, other);
    await agent.listening();
    expect((await calls())[0]).toBe('approvals {"version":1}');
    agent.stop();
    await agent.exitCode;
  });

  it('starts no gateway whose approvals could not be applied, and tries again the next time', async () => {
    const agent = await start({ approvalsExitCode: 1 });
    await expect(agent.exitCode).rejects.toThrow(/did not take .*approvals\.json \(exit code 1\)/);
    expect(await calls()).toEqual(['approvals {"version":1}']);
    await startAndStop();
  });

  it('puts the machine’s instructions where the agent reads them', async () => {
    await mkdir(join(state, 'workspace'));
    await writeFile(join(state, 'workspace/AGENTS.md'), 'Do as you like.');
    await startAndStop();
    expect(await readFile(join(state, 'workspace/AGENTS.md'), 'utf8')).toBe('You look after test-01.');
  });

  it('wants a token', async () => {
    const { signal: stop } = new AbortController();
    const agent = runAgent({ settings, state, openClaw: '', port: 1, env: {}, stop, log: () => {} });
    await expect(agent).rejects.toThrow('OPENCLAW_GATEWAY_TOKEN is not set');
  });
});

describe('the gateway’s environment', () => {
  const environment = (env: NodeJS.ProcessEnv) =>
    gatewayEnvironment({ settings, state, env: { OPENCLAW_GATEWAY_TOKEN: 'a-token', ...env } });

  it('has the models’ keys under names that OpenClaw does not take for a provider’s', () => {
    const env = environment({ MODEL_API_KEY: 'm', ANTHROPIC_API_KEY: 'a', SOMETHING: 'else' });
    expect(env).toMatchObject({ FLEETBOT_MODEL_KEY: 'm', FLEETBOT_ANTHROPIC_KEY: 'a' });
    expect(Object.keys(env).filter((name) => /API_KEY|SOMETHING/.test(name))).toEqual([]);
  });

  it('has a placeholder where the model server wants no key', () => {
    expect(environment({}).FLEETBOT_MODEL_KEY).toBe('placeholder');
  });
});

describe('the agent’s end', () => {
  it('aborts what runs, and only then ends the gateway', async () => {
    const agent = await start({ running: ['agent:edge:a', 'agent:edge:b'] });
    await agent.listening();
    agent.stop();
    expect(await agent.exitCode).toBe(0);
    const end = (await calls()).slice(-3);
    expect(end.slice(0, 2).sort()).toEqual(['sessions.abort agent:edge:a', 'sessions.abort agent:edge:b']);
    expect(end[2]).toBe('SIGTERM');
    expect(agent.lines).toContain('2 runs aborted');
  });

  it('comes in time, even when the gateway neither answers nor ends', async () => {
    const agent = await start({ running: ['agent:edge:a'], deaf: true });
    await agent.listening();
    const stoppedAt = performance.now();
    agent.stop();
    expect(await agent.exitCode).toBe(0);
    expect(performance.now() - stoppedAt).toBeLessThan(endsWithinMs);
    expect(agent.lines.at(-1)).toMatch(/was killed/);
  });

  it.each([
    ['its exit code', { exitCode: 78 }, 78],
    ['128 and the signal’s number', { signal: 'SIGKILL' }, 137],
  ])('when the gateway ends by itself is %s', async (_, behaviour, exitCode) => {
    const agent = await start(behaviour);
    expect(await agent.exitCode).toBe(exitCode);
  });

  it('comes at once when it is asked for during the start', async () => {
    const agent = await start();
    agent.stop();
    expect(await agent.exitCode).toBe(0);
    expect((await calls()).filter((call) => call.startsWith('listening'))).toEqual([]);
  });
});
