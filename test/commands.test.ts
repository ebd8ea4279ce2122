import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { edgePolicy } from '../src/fleet/edge-policy.ts';
import { readSigningKey } from '../src/fleet/signing-key.ts';
import { publicKeyLine } from '../src/fleet/ssh-signature.ts';
import { freePort } from '../src/sandbox/free-port.ts';
import { hostKey, machineWith } from './fleet/fixtures.ts';
import { MachineUnderTest, machineName, traceparent } from './support/machine-under-test.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'fleetbot-commands-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the program to its end. */
function fleetbot(args: readonly string[], env: Record<string, string> = {}) {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(process.execPath, [main, ...args], { env }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
    child.stdin?.end();
  });
}

describe('halt --direct and resume --direct', () => {
  let under: MachineUnderTest;
  /** Nothing else is set, and what else is set does not matter. */
  let env: Record<string, string>;
  const status = () => under.client.reply('status');

  beforeAll(async () => {
    under = await MachineUnderTest.start();
    const { port, hostKey } = under.machine;
    const machine = (name: string, at: number) =>
      `  - { name: ${name}, address: 127.0.0.1, ssh: { port: ${at} }, hostKey: ${hostKey} }\n`;
    const fleetFile = join(folder, 'fleet.yaml');
    const keyFile = join(folder, 'id');
    writeFileSync(
      fleetFile,
      `version: 1\nmachines:\n${machine(machineName, port)}${machine('away-01', await freePort())}`,
    );
    writeFileSync(keyFile, under.key.privateKey);
    env = {
      FLEETBOT_FLEET_FILE: fleetFile,
      FLEETBOT_SSH_KEY_FILE: keyFile,
      REDIS_URL: 'nonsense',
      FLEETBOT_NONSENSE: 'x',
    };
  });
  afterAll(() => under?.[Symbol.asyncDispose]());

  it('stop and lock what runs, and say so once it is measured', async () => {
    await under.client.reply(`start 1 r-00000000aaaa ${traceparent}`);
    const { code, stdout, stderr } = await fleetbot(
      ['halt', '--direct', '--yes', machineName, 'the', 'bot', 'is', 'mad'],
      env,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^tested-01: inactive and locked\n1 machines in \d+\.\d s: 1 inactive and locked\.\n$/,
    );
    expect(await status()).toMatchObject({
      agent: 'inactive',
      lock: { reason: expect.stringMatching(/^halt --direct by .+@.+: the bot is mad$/) },
    });
  });

  it('unlock what was locked, with another fleet file if need be', async () => {
    const { FLEETBOT_FLEET_FILE = '', ...others } = env;
    const line = ['resume', '--direct', '--fleet', FLEETBOT_FLEET_FILE, machineName];
    expect(await fleetbot(line, others)).toMatchObject({ code: 0, stderr: '' });
    expect(await status()).toMatchObject({ lock: null });
  });

  it('end with 1 where a machine is not confirmed, and tell programs which', async () => {
    const { code, stdout } = await fleetbot(['halt', '--direct', '--yes', '--json', 'all', 'mad'], env);
    expect(code).toBe(1);
    const [first, second, summary] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect([first, second]).toContainEqual({ machine: machineName, outcome: 'inactive' });
    expect([first, second]).toContainEqual({
      ...{ machine: 'away-01', outcome: 'unreachable', detail: expect.stringContaining('away-01') },
    });
    expect(summary).toMatchObject({ total: 2, inactive: 1, unreachable: 1 });
  });

  it('do what they can where a part of the selector matches nothing', async () => {
    const { code, stdout, stderr } = await fleetbot(['resume', '--direct', `${machineName},awya-01`], env);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'No machine matches "awya-01". Did you mean away-01?\n',
    });
    expect(stdout).toContain('tested-01: unlocked');
  });

  it('do nothing where it is not clear that they should', async () => {
    for (const [line, says] of [
      [['halt', '--direct', machineName, 'mad'], 'needs --yes where nobody can be asked'],
      [['halt', '--direct', '--yes', 'elephant', 'mad'], 'No machine matches "elephant"'],
      [['halt', machineName, 'mad'], '/fleet halt in Slack'],
    ] as const) {
      const { code, stdout, stderr } = await fleetbot(line, env);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(says);
    }
    expect(await status()).toMatchObject({ lock: null });
  });

  it('say what they lack', async () => {
    const { code, stderr } = await fleetbot(['halt', '--direct', '--yes', 'all', 'mad']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^FLEETBOT_SSH_KEY is not set, and what is done directly needs it\./);
  });
});

describe('edge policy', () => {
  const fleetFile = join(folder, 'edge.yaml');
  const machine = `{ name: web-01, address: web-01.test, hostKey: ${hostKey(1)} }`;
  beforeAll(() => writeFileSync(fleetFile, `version: 1\nmachines:\n  - ${machine}\n`));

  it("prints what belongs on the machine, byte for byte, with no other setting than the fleet file's", async () => {
    const expected = {
      code: 0,
      stdout: edgePolicy(machineWith(''), new Map()).replace('rhel-01', 'web-01'),
      stderr: '',
    };
    expect(await fleetbot(['edge', 'policy', '--fleet', fleetFile, 'web-01'])).toEqual(expected);
    const env = { FLEETBOT_FLEET_FILE: fleetFile, REDIS_URL: 'nonsense' };
    expect(await fleetbot(['edge', 'policy', 'web-01'], env)).toEqual(expected);
  });

  it('prints nothing for a machine that is not there', async () => {
    const { code, stdout, stderr } = await fleetbot(['edge', 'policy', '--fleet', fleetFile, 'web-1']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('No machine matches "web-1". Did you mean web-01?');
  });
});

describe.each(['decision', 'capsule'] as const)('%s key', (kind) => {
  const key = join(folder, `${kind}.pem`);

  it('makes a key that only its owner can read, and tells the public one as a line of OpenSSH', async () => {
    const { code, stdout } = await fleetbot([kind, 'key', key]);
    const line = readFileSync(`${key}.pub`, 'utf8');
    expect(line).toMatch(/^ssh-ed25519 [A-Za-z0-9+/]{68}\n$/);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `Wrote the private key ${key} and the public key ${key}.pub.\n${line}`,
    });
    expect(statSync(key).mode & 0o777).toBe(0o600);
    const publicKey = publicKeyLine(readSigningKey(readFileSync(key, 'utf8'), kind));
    expect(`${publicKey}\n`).toBe(line);
  });

  it('leaves a file as it is that is there already', async () => {
    const other = join(folder, `other-${kind}.pem`);
    writeFileSync(other, 'precious');
    expect(await fleetbot([kind, 'key', other])).toMatchObject({ code: 2, stdout: '' });
    expect(readFileSync(other, 'utf8')).toBe('precious');
  });
});

describe('ledger key and ledger verify', () => {
  const key = join(folder, 'ledger.pem');

  it('make a key that only its owner can read, and no second one in its place', async () => {
    const made = await fleetbot(['ledger', 'key', key]);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/Key id: [0-9a-f]{64}\n$/) });
    expect(statSync(key).mode & 0o777).toBe(0o600);
    const before = readFileSync(key, 'utf8');
    expect(await fleetbot(['ledger', 'key', key])).toMatchObject({ code: 2, stdout: '' });
    expect(readFileSync(key, 'utf8')).toBe(before);
  });

  it('say what they cannot check', async () => {
    const { code, stderr } = await fleetbot(['ledger', 'verify', '--key', `${key}.pub`, '/nowhere/ledger']);
    expect(code).toBe(2);
    expect(stderr).toContain('/nowhere/ledger cannot be read');
  });

  it('end with 1 for what is no sound ledger', async () => {
    const file = join(folder, 'no-ledger');
    writeFileSync(file, 'Dear diary,\n');
    const { code, stdout } = await fleetbot(['ledger', 'verify', '--key', `${key}.pub`, file]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/no-ledger:1: is no line of a ledger[\s\S]*The ledger is NOT sound\.\n$/);
  });
});
