import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import { newSigningKeyPair } from '../src/fleet/signing-key.ts';
import { freePort } from '../src/sandbox/free-port.ts';
import { newKeyPair } from '../src/sandbox/key-pair.ts';
import { hostKey } from './fleet/fixtures.ts';
import { fleetFile } from './signer/approved-run.ts';
import { startTestRedis, type TestRedis } from './support/redis.ts';

const fileAt = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const main = fileAt('../src/main.ts');
const exampleFile = fileAt('../deploy/fleet.example.yaml');

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end. */
function fleetbot(args: readonly string[], env: Record<string, string> = {}): Promise<Result> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], { env }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

it('a start that fails shows no password, wherever it stands', async () => {
  const { stderr } = await fleetbot(['start'], {
    MLFLOW_TRACKING_URI: 'http://ann:hunter2-secret@mlflow.test:5000',
  });
  expect(stderr).toContain('MLFLOW_TRACKING_URI');
  expect(stderr).not.toContain('hunter2');
});

describe('a Redis that refuses the login ends the start at once, and shows no password', () => {
  let server: TestRedis;
  beforeAll(async () => {
    server = await startTestRedis();
    const admin = new Redis(server.url);
    await admin.call('ACL', 'SETUSER', 'weak', 'on', '>hunter2weak', '~*', '&*', '+@all', '-info');
    await admin.config('SET', 'requirepass', 'hunter2real');
    admin.disconnect();
  });
  afterAll(() => server?.stop());

  it.each([
    [
      'with a wrong password',
      'app:hunter2wrong@',
      /refused the login: check user and password in REDIS_URL.*WRONGPASS/,
    ],
    ['without one', '', /refused the login.*NOAUTH/],
    [
      'of a user who may not do what is needed',
      'weak:hunter2weak@',
      /user weak may not run info .*ACL SETUSER weak/,
    ],
  ])('%s', async (_case, login, says) => {
    const { code, stdout, stderr } = await fleetbot(['start'], {
      FLEETBOT_ROLE: 'bot',
      FLEETBOT_FLEET_FILE: exampleFile,
      FLEETBOT_LOG_LEVEL: 'trace',
      SLACK_BOT_TOKEN: 'xoxb-1',
      SLACK_APP_TOKEN: 'xapp-1',
      REDIS_URL: `redis://${login}127.0.0.1:${server.port}`,
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(says);
    expect(stderr).not.toContain('trying again');
    expect(stdout + stderr).not.toContain('hunter2');
  });
});

describe('a fleetbot that exports its ledger', () => {
  let server: TestRedis;
  const folder = mkdtempSync(join(tmpdir(), 'fleetbot-main-'));
  const [file, keyFile] = [join(folder, 'ledger.jsonl'), join(folder, 'key.pem')];
  const fleetFile = join(folder, 'fleet.yaml');
  const env = () => ({
    FLEETBOT_ROLE: 'worker',
    FLEETBOT_FLEET_FILE: fleetFile,
    FLEETBOT_SSH_KEY: newKeyPair().privateKey,
    FLEETBOT_LEDGER_FILE: file,
    FLEETBOT_LEDGER_KEY_FILE: keyFile,
    FLEETBOT_HEALTH_PORT: '0',
    REDIS_URL: server.url,
  });
  const fleetOf = (name: string) =>
    `version: 1\nmachines:\n  - { name: ${name}, address: web.test, hostKey: ${hostKey(1)} }\n`;
  const exported = () => (existsSync(file) ? readFileSync(file, 'utf8') : '');

  beforeAll(async () => {
    server = await startTestRedis();
    writeFileSync(fleetFile, fleetOf('web-01'));
    await fleetbot(['ledger', 'key', keyFile]);
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('tells of the fleet files in force, keeps the file to itself, and leaves it signed', async () => {
    const child = spawn(process.execPath, [main, 'start'], { env: env(), stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    await vi.waitFor(() => expect(exported()).toContain('"kind":"policy.changed"'), 15_000);
    const second = spawn(process.execPath, [main, 'start'], {
      env: env(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    onTestFinished(() => void second.kill('SIGKILL'));
    let told = '';
    second.stderr.on('data', (text: Buffer) => {
      told += text.toString();
    });
    await vi.waitFor(() => expect(told).toContain(`is written by process ${child.pid} on`), 15_000);
    second.kill('SIGKILL');

    writeFileSync(fleetFile, fleetOf('web-02'));
    await vi.waitFor(() => expect(exported().match(/"policy\.changed"/g)).toHaveLength(2), 15_000);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    const { code, stdout } = await fleetbot(['ledger', 'verify', '--key', `${keyFile}.pub`, file]);
    expect(stdout).toMatch(
      /^2 entries from 1 to 2, [\s\S]*; not covered yet: 0 entries[\s\S]*The ledger is sound/,
    );
    expect(code).toBe(0);
  }, 60_000);
});

describe('a bot whose fleet file has actions', () => {
  const warning = 'without FLEETBOT_DECISION_KEY nobody can approve them';
  const folder = mkdtempSync(join(tmpdir(), 'fleetbot-main-'));
  const fleet = join(folder, 'fleet.yaml');
  let server: TestRedis;
  beforeAll(async () => {
    server = await startTestRedis();
    writeFileSync(fleet, fleetFile);
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The bot's log until it looks for Slack, which is not there. */
  async function logOf(more: Record<string, string>): Promise<string> {
    const env = {
      FLEETBOT_ROLE: 'bot',
      FLEETBOT_FLEET_FILE: fleet,
      FLEETBOT_HEALTH_PORT: '0',
      SLACK_BOT_TOKEN: 'xoxb-1',
      SLACK_APP_TOKEN: 'xapp-1',
      SLACK_API_URL: `http://127.0.0.1:${await freePort()}/api/`,
      REDIS_URL: server.url,
      ...more,
    };
    const child = spawn(process.execPath, [main, 'start'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    let log = '';
    child.stderr.on('data', (text: Buffer) => {
      log += text.toString();
    });
    await vi.waitFor(() => expect(log).toContain('Slack does not answer'), 15_000);
    child.kill('SIGKILL');
    return log;
  }

  it('says at its start that nobody can approve them where it has no key', async () => {
    expect(await logOf({})).toContain(warning);
    const key = newSigningKeyPair().privateKey;
    expect(await logOf({ FLEETBOT_DECISION_KEY: key })).not.toContain(warning);
  }, 60_000);

  it('says at its start which pagers on call it knows nothing of', async () => {
    writeFileSync(fleet, `${fleetFile}approvals: { onCall: ['pager:known', 'pager:night'] }\n`);
    const log = await logOf({ FLEETBOT_PAGERS: 'known: { kind: webhook, url: "http://127.0.0.1/s3cret" }' });
    expect(log).toContain('"unknown":["night"]');
    expect(log).not.toContain('s3cret');
  }, 60_000);
});

describe('the command line', () => {
  it.each(['--help', '-h', 'help'])('%s prints the usage', async (argument) => {
    const { code, stdout, stderr } = await fleetbot([argument]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('fleetbot validate FILE');
  });

  it('--version prints the version', async () => {
    const version = `${packageJson.version}\n`;
    expect(await fleetbot(['--version'])).toEqual({ code: 0, stdout: version, stderr: '' });
  });

  it('validate checks every file, and ends with 1 when one of them is invalid', async () => {
    const two = await fleetbot(['validate', exampleFile, exampleFile]);
    expect(two).toMatchObject({ code: 0, stderr: '' });
    expect(two.stdout.match(/: valid$/gm)).toHaveLength(2);
    const { code, stdout, stderr } = await fleetbot(['validate', '/nowhere/fleet.yaml', exampleFile]);
    expect(code).toBe(1);
    expect(stderr).toContain('/nowhere/fleet.yaml:1: (file): cannot be read');
    expect(stdout).toContain(`${exampleFile}: `);
  });

  it('says what is wrong with other arguments, and where help is', async () => {
    const { code, stdout, stderr } = await fleetbot(['start', 'now']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(
      /^fleetbot start takes nothing after it, but there is "now"\.\nfleetbot --help lists/,
    );
  });
});

// Where npm's shell stays in between, it dies of the signal that npm passes on, and the program lives on.
it.each(['start', 'fleetbot', 'sandbox', 'smoke'] as const)(
  'a signal to `npm run %s` reaches the program itself',
  (script) => {
    expect(packageJson.scripts[script]).toMatch(/^exec node /);
  },
);
