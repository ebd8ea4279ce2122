import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { waitUntilReady } from '../../src/edge-client/readiness.ts';
import type { OpenSocket } from '../../src/edge-client/task-transport.ts';

/** What the agent's image has, too. */
export const openClawVersion = '2026.9.6';
const token = 'a-token-for-this-test-alone';
/** OpenClaw drains runs in flight for minutes; a test does not wait. */
const stopGraceMs = 5_000;
const readyTimeoutMs = 120_000;

/** A real OpenClaw gateway on loopback, with an agent `edge` that may run `uname` and nothing else. */
export interface OpenClaw {
  /** Opens a connection to it. */
  readonly open: OpenSocket;
  readonly token: string;
  close(): Promise<void>;
}

/** What a test adds to the gateway. */
export interface OpenClawExtras {
  /** The `plugins` block of its configuration. */
  readonly plugins?: object;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether people are to be asked for commands that are not on the list, as they never are on a machine. */
  readonly asks?: boolean;
}

/**
 * Starts the gateway with everything of its own (HOME, state, port) in a folder that is removed at the end. Resolves
 * when it takes tasks.
 */
export async function startOpenClaw(modelUrl: string, extras: OpenClawExtras = {}): Promise<OpenClaw> {
  const { asks = false } = extras;
  const program = await installOpenClaw();
  const home = await mkdtemp(join(tmpdir(), 'fleetbot-openclaw-'));
  const port = await freePort();
  const configFile = join(home, 'openclaw.json');
  const approvalsFile = join(home, 'approvals.json');
  await mkdir(join(home, 'workspace'));
  await writeFile(
    configFile,
    JSON.stringify({
      ...config(home, port, modelUrl, asks),
      ...(extras.plugins && { plugins: extras.plugins }),
    }),
  );
  await writeFile(approvalsFile, JSON.stringify(approvals(asks)));
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    OPENCLAW_STATE_DIR: join(home, 'state'),
    OPENCLAW_CONFIG_PATH: configFile,
    OPENCLAW_GATEWAY_TOKEN: token,
    OPENCLAW_DISABLE_BONJOUR: '1',
    OPENCLAW_NO_RESPAWN: '1',
    OPENCLAW_NO_AUTO_UPDATE: '1',
    OPENCLAW_SKIP_CHANNELS: '1',
    OPENCLAW_EXEC_SHELL_SNAPSHOT: '0',
    DO_NOT_TRACK: '1',
    ...extras.env,
  };
  await run(process.execPath, [program, 'approvals', 'set', '--file', approvalsFile], { cwd: home, env });
  const gateway = spawn(process.execPath, [program, 'gateway', 'run', '--port', String(port)], {
    cwd: home,
    env,
    stdio: 'ignore',
  });
  const open: OpenSocket = async (signal) => {
    signal?.throwIfAborted();
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await once(socket, 'connect');
    return socket.on('error', () => {});
  };
  const close = async () => {
    await stop(gateway);
    await rm(home, { recursive: true, force: true });
  };
  try {
    await waitUntilReady({ machine: 'test-01', open, timeoutMs: readyTimeoutMs });
  } catch (error) {
    await close();
    throw error;
  }
  return { open, token, close };
}

/** The gateway's program, installed once into the user's cache; whoever installs it at the same time wins too. */
export async function installOpenClaw(): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'fleetbot-e2e');
  const folder = join(cache, `openclaw-${openClawVersion}`);
  const program = join(folder, 'node_modules', 'openclaw', 'openclaw.mjs');
  if (await exists(program)) return program;
  await mkdir(cache, { recursive: true });
  const making = await mkdtemp(join(cache, 'making-'));
  await writeFile(join(making, 'package.json'), '{"private":true}');
  // Its install script refuses an older Node, which `npm` would otherwise find first.
  const PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;
  const args = ['install', '--no-audit', '--no-fund', `openclaw@${openClawVersion}`];
  await run('npm', args, { cwd: making, env: { ...process.env, PATH } });
  await rename(making, folder).catch(() => rm(making, { recursive: true, force: true }));
  return program;
}

async function run(
  command: string,
  args: string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<void> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [exitCode] = await once(child, 'close');
  if (exitCode !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${exitCode}: ${stderr}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), stopGraceMs);
  await exited;
  clearTimeout(kill);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  server.close();
  await once(server, 'close');
  return address.port;
}

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}

function approvals(asks: boolean) {
  const ask = { ask: asks ? 'on-miss' : 'off', askFallback: 'deny' };
  return {
    version: 1,
    defaults: { security: 'deny', ...ask },
    agents: {
      edge: {
        security: 'allowlist',
        ...ask,
        autoAllowSkills: false,
        allowlist: [{ pattern: '/usr/bin/uname', argPattern: '^-srm$' }],
      },
    },
  };
}

function config(home: string, port: number, modelUrl: string, asks: boolean) {
  const model = {
    id: 'stub',
    name: 'stub',
    reasoning: false,
    input: ['text'],
    // US dollars for a million tokens.
    cost: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
    contextWindow: 131_072,
    maxTokens: 16_384,
  };
  return {
    gateway: {
      mode: 'local',
      bind: 'loopback',
      port,
      auth: { mode: 'token' },
      controlUi: { enabled: false },
      http: { endpoints: { chatCompletions: { enabled: true } } },
    },
    update: { checkOnStart: false },
    logging: { file: join(home, 'gateway.log') },
    models: {
      catalogRefresh: { enabled: false },
      providers: {
        default: { baseUrl: modelUrl, api: 'openai-completions', apiKey: 'placeholder', models: [model] },
      },
    },
    tools: {
      allow: ['exec', 'read', 'write'],
      exec: { mode: asks ? 'ask' : 'allowlist', timeoutSeconds: 30 },
      loopDetection: { enabled: true },
    },
    agents: {
      defaults: { model: { primary: 'default/stub' }, skipBootstrap: true, timeoutSeconds: 120 },
      entries: { edge: { name: 'Edge', workspace: join(home, 'workspace') } },
    },
    cron: { enabled: false },
    diagnostics: { enabled: true },
  };
}
