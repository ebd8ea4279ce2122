import { createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SettingsError } from '../../src/fleet/errors.ts';
import { newSigningKeyPair } from '../../src/fleet/signing-key.ts';
import { publicKeyLine } from '../../src/fleet/ssh-signature.ts';
import { envExample } from '../../src/runtime/env-example.ts';
import { settingNames } from '../../src/runtime/environment.ts';
import { keysInUse } from '../../src/runtime/keys-in-use.ts';
import {
  readDirectSettings,
  readMlflowServer,
  readSettings,
  readVerifySettings,
} from '../../src/runtime/settings.ts';
import { redact } from '../../src/telemetry/redact.ts';

const key = `-----BEGIN OPENSSH ${'PRIVATE'} KEY-----\nabc\n-----END OPENSSH ${'PRIVATE'} KEY-----`;
const worker = { FLEETBOT_ROLE: 'worker', REDIS_URL: 'redis://127.0.0.1:6379', FLEETBOT_SSH_KEY: key };
const bot = {
  FLEETBOT_ROLE: 'bot',
  REDIS_URL: 'redis://127.0.0.1:6379',
  SLACK_BOT_TOKEN: 'xoxb-1',
  SLACK_APP_TOKEN: 'xapp-1',
};

function problemsOf(env: Record<string, string>): string[] {
  try {
    readSettings(env);
  } catch (error) {
    if (error instanceof SettingsError) return error.message.split('\n');
    throw error;
  }
  return [];
}

function secretFile(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'settings-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'secret'), content);
  return join(folder, 'secret');
}

describe('readSettings', () => {
  it('needs neither Slack of a worker nor an SSH key of a bot', () => {
    expect(readSettings(worker)).toMatchObject({
      role: 'worker',
      worker: { sshPrivateKey: key, concurrency: 20 },
    });
    expect(readSettings(worker).slack).toBeUndefined();
    expect(readSettings(bot).worker).toBeUndefined();
    expect(readSettings(bot).slack).toEqual({
      botToken: 'xoxb-1',
      connection: { mode: 'socket', appToken: 'xapp-1' },
    });
  });

  it('needs the signing secret and no app token in http mode', () => {
    const { SLACK_APP_TOKEN, ...http } = { ...bot, FLEETBOT_SLACK_MODE: 'http', FLEETBOT_HTTP_PORT: '3100' };
    expect(problemsOf(http)).toEqual([expect.stringContaining('SLACK_SIGNING_SECRET is not set')]);
    expect(readSettings({ ...http, SLACK_SIGNING_SECRET: '0123456789abcdef' }).slack?.connection).toEqual({
      mode: 'http',
      signingSecret: '0123456789abcdef',
      host: '127.0.0.1',
      port: 3100,
    });
  });

  it('names every problem at once, each with its cure', () => {
    expect(
      problemsOf({ FLEETBOT_HTTP_PORT: 'web', FLEETBOT_HEALTH_PORT: '70000', FLEETBOT_ROLL: 'bot' }),
    ).toEqual([
      'FLEETBOT_ROLL is no setting. Did you mean FLEETBOT_ROLE?',
      expect.stringMatching(/^FLEETBOT_HTTP_PORT is "web"\. It must be a port number/),
      expect.stringMatching(/^FLEETBOT_HEALTH_PORT is "70000"\. It must be a port number/),
      expect.stringMatching(/^REDIS_URL is not set/),
      expect.stringMatching(/^SLACK_BOT_TOKEN is not set/),
      expect.stringMatching(/^SLACK_APP_TOKEN is not set/),
      expect.stringMatching(/^FLEETBOT_SSH_KEY is not set.*FLEETBOT_SSH_KEY_FILE/),
    ]);
  });

  it('never shows a secret', () => {
    const problems = problemsOf({
      ...bot,
      SLACK_BOT_TOKEN: 'wrong-secret',
      REDIS_URL: 'http://u:wrong-secret@h',
    });
    expect(problems).toHaveLength(2);
    expect(problems.join()).not.toContain('wrong-secret');
  });

  it('leaves alone what Kubernetes sets for services', () => {
    expect(
      problemsOf({ ...bot, FLEETBOT_SERVICE_HOST: '10.0.0.1', FLEETBOT_PORT_80_TCP: 'tcp://x' }),
    ).toEqual([]);
  });

  it('counts an empty variable as not set', () => {
    expect(readSettings({ ...worker, FLEETBOT_LOG_LEVEL: '', MLFLOW_TRACKING_URI: '' })).toMatchObject({
      logLevel: 'info',
    });
  });

  it('reads a secret from the file that NAME_FILE names', () => {
    const { SLACK_BOT_TOKEN, ...rest } = bot;
    expect(readSettings({ ...rest, SLACK_BOT_TOKEN_FILE: secretFile('xoxb-2\n') }).slack?.botToken).toBe(
      'xoxb-2',
    );
    expect(problemsOf({ ...bot, SLACK_BOT_TOKEN_FILE: secretFile('xoxb-2') })).toEqual([
      expect.stringContaining('both set'),
    ]);
  });

  it('says of a secret file that holds none only that, not also that the secret is not set', () => {
    const { SLACK_BOT_TOKEN, ...rest } = bot;
    expect(problemsOf({ ...rest, SLACK_BOT_TOKEN_FILE: '/nowhere/token' })).toEqual([
      expect.stringMatching(/cannot be read \(ENOENT\)/),
    ]);
    expect(problemsOf({ ...rest, SLACK_BOT_TOKEN_FILE: secretFile('\n') })).toEqual([
      expect.stringMatching(/is empty/),
    ]);
  });

  it('refuses a placeholder of .env.example as a value', () => {
    expect(
      problemsOf({
        ...bot,
        SLACK_BOT_TOKEN: 'xoxb-…',
        SLACK_APP_TOKEN: 'xapp-…',
        MLFLOW_TRACKING_TOKEN: '…',
      }),
    ).toEqual([
      expect.stringMatching(/^SLACK_BOT_TOKEN holds a placeholder .* It must be a bot token/),
      expect.stringMatching(/^SLACK_APP_TOKEN holds a placeholder/),
      expect.stringMatching(/^MLFLOW_TRACKING_TOKEN holds a placeholder/),
    ]);
  });

  it('suggests the setting whose name begins with what was typed', () => {
    expect(problemsOf({ ...bot, FLEETBOT_FLEET: 'fleet.yaml' })).toEqual([
      'FLEETBOT_FLEET is no setting. Did you mean FLEETBOT_FLEET_FILE?',
    ]);
  });

  it('explains every setting in words that the redactor leaves whole', () => {
    const invalid = Object.fromEntries(settingNames.map((name) => [name, '…']));
    for (const problem of [...problemsOf({}), ...problemsOf(invalid)]) expect(redact(problem)).toBe(problem);
  });

  it('takes MLflow with a login, a token, or neither', () => {
    const mlflow = { ...worker, MLFLOW_TRACKING_URI: 'http://mlflow:5000', MLFLOW_EXPERIMENT_ID: '0' };
    expect(readSettings(mlflow).mlflow).toEqual({
      trackingUri: 'http://mlflow:5000',
      publicUrl: 'http://mlflow:5000',
      experimentId: '0',
    });
    expect(readSettings({ ...mlflow, MLFLOW_TRACKING_TOKEN: 't' }).mlflow?.credentials).toEqual({
      kind: 'bearer',
      token: 't',
    });
    expect(problemsOf({ ...mlflow, MLFLOW_TRACKING_USERNAME: 'bob' })[0]).toMatch(
      /MLFLOW_TRACKING_PASSWORD is not set/,
    );
    expect(problemsOf({ ...mlflow, MLFLOW_EXPERIMENT_ID: 'fleet' })[0]).toMatch(/number/);
    expect(problemsOf({ ...mlflow, MLFLOW_TRACKING_URI: 'http://u:p@mlflow' })[0]).toMatch(
      /MLFLOW_TRACKING_USERNAME/,
    );
    expect(problemsOf({ ...mlflow, MLFLOW_TRACKING_URI: 'mlflow' })[0]).toMatch(
      /^MLFLOW_TRACKING_URI is "mlflow"\. It must be a web address/,
    );
    expect(readSettings(worker).mlflow).toBeUndefined();
  });

  it('opens the webhook for alerts only in a bot, and only where senders can prove who they are', () => {
    const token = 'a-token-of-some-length';
    const of = (env: Record<string, string>, more: Record<string, string>) =>
      readSettings({ ...env, ...more }).alerts;
    expect(of(bot, { FLEETBOT_ALERTS_PORT: '9000' })).toBeUndefined();
    expect(of(worker, { FLEETBOT_ALERTS_TOKEN: token })).toBeUndefined();
    expect(of(bot, { FLEETBOT_ALERTS_TOKEN_FILE: secretFile(`${token}\n`) })).toEqual({
      ...{ host: '127.0.0.1', port: 8082, token, hmacSecret: undefined, maxBytes: 2_000_000 },
    });
    expect(
      of(
        { ...worker, ...bot, FLEETBOT_ROLE: 'all' },
        { FLEETBOT_ALERTS_HMAC_SECRET: token, FLEETBOT_ALERTS_PORT: '0' },
      ),
    ).toMatchObject({
      ...{ hmacSecret: token, port: 0 },
    });
    expect(problemsOf({ ...bot, FLEETBOT_ALERTS_TOKEN: 'short' })).toEqual([
      'FLEETBOT_ALERTS_TOKEN is not usable. It must be at least 16 characters; FLEETBOT_ALERTS_TOKEN_FILE names the file that holds it.',
    ]);
  });
});

describe('the settings of Redis', () => {
  const { REDIS_URL: plain, ...rest } = worker;
  const tlsUrl = 'rediss://redis.example:6380/2';
  const sentinels = { FLEETBOT_REDIS_SENTINELS: 'a, b:1,[::1]:2', FLEETBOT_REDIS_SENTINEL_MASTER: 'primary' };
  const pem = (what: string) => `-----BEGIN ${what}-----\nabc\n-----END ${what}-----`;
  const tls = {
    FLEETBOT_REDIS_CERT: pem('CERTIFICATE'),
    FLEETBOT_REDIS_KEY: pem(['PRIVATE', 'KEY'].join(' ')),
  };

  it('are only the address where nothing else is set', () => {
    expect(readSettings(worker).redis).toEqual({
      ...{ url: plain, prefix: '{fleetbot}', allowUnsafe: false },
      access: {},
    });
  });

  it('take user and password apart from the address, also from files, but not twice', () => {
    expect(
      readSettings({ ...worker, REDIS_USERNAME: 'fleetbot', REDIS_PASSWORD_FILE: secretFile('pw\n') }).redis
        .access,
    ).toEqual({ username: 'fleetbot', password: 'pw' });
    expect(readSettings({ ...worker, REDIS_PASSWORD: 'pw' }).redis.access).toEqual({ password: 'pw' });
    expect(problemsOf({ ...worker, REDIS_USERNAME: 'fleetbot' })).toEqual([
      expect.stringMatching(/^REDIS_PASSWORD is not set/),
    ]);
    expect(problemsOf({ ...rest, REDIS_URL: 'redis://u:pw@h', REDIS_PASSWORD: 'other' })).toEqual([
      expect.stringMatching(/REDIS_URL holds a login.*Remove one/),
    ]);
  });

  it('take certificates as files, for rediss:// alone, and the two of the client only together', () => {
    const ca = pem('CERTIFICATE');
    const files = { FLEETBOT_REDIS_CA_FILE: secretFile(ca) };
    expect(readSettings({ ...rest, REDIS_URL: tlsUrl, ...files, ...tls }).redis.access.tls).toEqual({
      ca,
      cert: tls.FLEETBOT_REDIS_CERT,
      key: tls.FLEETBOT_REDIS_KEY,
    });
    expect(problemsOf({ ...worker, ...files })).toEqual([
      expect.stringMatching(/REDIS_URL begins with redis:\/\/.*Write rediss:\/\//),
    ]);
    const { FLEETBOT_REDIS_KEY, ...certificateAlone } = tls;
    expect(problemsOf({ ...rest, REDIS_URL: tlsUrl, ...certificateAlone })).toEqual([
      expect.stringMatching(/^FLEETBOT_REDIS_KEY is not set.*FLEETBOT_REDIS_KEY_FILE/),
    ]);
    expect(problemsOf({ ...rest, REDIS_URL: tlsUrl, FLEETBOT_REDIS_CA_FILE: secretFile('no PEM') })).toEqual([
      expect.stringMatching(
        /^FLEETBOT_REDIS_CA_FILE \(.*\) is not usable\. It must be the authority's certificate/,
      ),
    ]);
  });

  it('need no address where sentinels are named, but what these call the primary', () => {
    expect(readSettings({ ...rest, ...sentinels }).redis).toMatchObject({
      url: 'redis://sentinels',
      access: {
        sentinels: {
          hosts: [
            { host: 'a', port: 26_379 },
            { host: 'b', port: 1 },
            { host: '::1', port: 2 },
          ],
          master: 'primary',
        },
      },
    });
    expect(readSettings({ ...rest, ...sentinels, ...tls }).redis.url).toBe('rediss://sentinels');
    expect(readSettings({ ...rest, ...sentinels, REDIS_URL: tlsUrl }).redis.url).toBe(tlsUrl);
    expect(problemsOf({ ...rest, FLEETBOT_REDIS_SENTINELS: 'a' })).toEqual([
      expect.stringMatching(/^FLEETBOT_REDIS_SENTINEL_MASTER is not set/),
    ]);
    expect(problemsOf({ ...worker, FLEETBOT_REDIS_SENTINEL_PASSWORD: 'pw' })).toEqual([
      expect.stringMatching(/but no sentinel\. Set FLEETBOT_REDIS_SENTINELS/),
    ]);
    expect(problemsOf({ ...rest, ...sentinels, FLEETBOT_REDIS_SENTINELS: 'redis://a' })).toEqual([
      expect.stringMatching(/^FLEETBOT_REDIS_SENTINELS is "redis:\/\/a"\. It must be host:port/),
    ]);
  });
});

describe('the settings of the ledger', () => {
  it('spans of traces wait in a folder where one is set', () => {
    expect(readSettings(worker).spans).toBeUndefined();
    const spooling = { ...worker, FLEETBOT_SPANS_FOLDER: '/var/lib/spans' };
    expect(readSettings(spooling).spans).toEqual({ folder: '/var/lib/spans', maxBytes: 512 * 1024 * 1024 });
    expect(readSettings({ ...spooling, FLEETBOT_SPANS_MAX_MIB: '1' }).spans?.maxBytes).toBe(1024 * 1024);
    expect(problemsOf({ ...spooling, FLEETBOT_SPANS_MAX_MIB: '0' })[0]).toMatch(/It must be MiB/);
  });

  it('need a key where a file is set', () => {
    expect(readSettings(worker).ledger).toBeUndefined();
    const exporting = { ...worker, FLEETBOT_LEDGER_FILE: '/var/lib/ledger.jsonl' };
    expect(problemsOf(exporting)).toEqual([expect.stringMatching(/^FLEETBOT_LEDGER_KEY is not set/)]);
    expect(readSettings({ ...exporting, FLEETBOT_LEDGER_KEY_FILE: secretFile(key) }).ledger).toEqual({
      ...{ file: '/var/lib/ledger.jsonl', privateKey: key, maxBytes: 67_108_864 },
    });
  });
});

describe('the settings of approvals', () => {
  const [decision, capsule] = [newSigningKeyPair().privateKey, newSigningKeyPair().privateKey];
  const lineOf = (pem: string) => publicKeyLine(createPrivateKey(pem));
  const redis = { REDIS_URL: 'redis://127.0.0.1:6379' };
  const signer = {
    ...redis,
    FLEETBOT_ROLE: 'signer',
    FLEETBOT_CAPSULE_KEY: capsule,
    FLEETBOT_DECISION_PUBLIC_KEYS: lineOf(decision),
  };
  const all = { ...bot, ...worker, FLEETBOT_ROLE: 'all' };
  const keysOf = (env: Record<string, string>) => readSettings(env).signer?.decisionKeys.map(publicKeyLine);

  it('are all that a signer needs beside Redis', () => {
    const settings = readSettings(signer);
    expect(settings).toMatchObject({ role: 'signer', decisionKey: undefined });
    expect(settings.slack ?? settings.worker).toBeUndefined();
    expect(settings.signer).toMatchObject({
      ...{ capsuleKey: capsule, capsuleLifetimeMs: 120_000, requestMaxAgeMs: 86_400_000 },
    });
    expect(problemsOf({ ...redis, FLEETBOT_ROLE: 'signer' })).toEqual([
      expect.stringMatching(
        /^FLEETBOT_CAPSULE_KEY is not set, and the role signer needs it.*capsule key NEW_FILE/,
      ),
      expect.stringMatching(/^FLEETBOT_DECISION_PUBLIC_KEYS is not set, and the role signer needs it/),
    ]);
  });

  it('take several keys of bots, from a file with comments too, and no line that is none', () => {
    const two = [lineOf(decision), lineOf(newSigningKeyPair().privateKey)];
    expect(keysOf({ ...signer, FLEETBOT_DECISION_PUBLIC_KEYS: two.join('\n') })).toEqual(two);
    const { FLEETBOT_DECISION_PUBLIC_KEYS: _, ...rest } = signer;
    const file = secretFile(`# the old one\n${two[0]} bot-1\n\n  # the new one\n${two[1]}\n`);
    expect(keysOf({ ...rest, FLEETBOT_DECISION_PUBLIC_KEYS_FILE: file })).toEqual(two);
    for (const wrong of [`${two[0]}\nnonsense`, '# none']) {
      expect(problemsOf({ ...signer, FLEETBOT_DECISION_PUBLIC_KEYS: wrong })).toEqual([
        expect.stringMatching(
          /^FLEETBOT_DECISION_PUBLIC_KEYS is not usable\. It must be lines such as "ssh-ed25519/,
        ),
      ]);
    }
  });

  it('of pagers are the bot’s alone', () => {
    const pagers = 'primary: { kind: pagerduty, routingKey: R0 }';
    const of = (env: Record<string, string>) =>
      readSettings({ ...env, FLEETBOT_PAGERS_FILE: secretFile(`${pagers}\n`) }).pagers;
    expect([bot, all].map(of)).toEqual([pagers, pagers]);
    expect([worker, signer].map(of)).toEqual([undefined, undefined]);
  });

  it('are needed of no other role', () => {
    for (const env of [bot, worker, all]) {
      expect(readSettings(env)).toMatchObject({ signer: undefined, decisionKey: undefined });
    }
    expect(readSettings({ ...bot, FLEETBOT_DECISION_KEY: decision })).toMatchObject({
      decisionKey: decision,
    });
    expect(readSettings({ ...worker, FLEETBOT_CAPSULE_KEY: capsule }).signer).toBeUndefined();
  });

  it('are named where another role alone should hold them', () => {
    const keys = {
      ...{ FLEETBOT_DECISION_KEY: decision, FLEETBOT_CAPSULE_KEY: capsule, FLEETBOT_SSH_KEY: key },
    };
    const needlessOf = (env: Record<string, string>) => readSettings({ ...env, ...keys }).needlessKeys;
    expect(needlessOf(bot)).toEqual(['FLEETBOT_CAPSULE_KEY', 'FLEETBOT_SSH_KEY']);
    expect(needlessOf(signer)).toEqual(['FLEETBOT_DECISION_KEY', 'FLEETBOT_SSH_KEY']);
    expect(needlessOf(worker)).toEqual(['FLEETBOT_DECISION_KEY', 'FLEETBOT_CAPSULE_KEY']);
    expect(needlessOf(all)).toEqual([]);
    expect([bot, worker, signer, all].flatMap((env) => readSettings(env).needlessKeys)).toEqual([]);
  });

  it('of a bot are not taken from its own key where the bot is elsewhere', () => {
    const { FLEETBOT_DECISION_PUBLIC_KEYS: _, ...rest } = signer;
    expect(problemsOf({ ...rest, FLEETBOT_DECISION_KEY: decision })).toEqual([
      expect.stringMatching(/^FLEETBOT_DECISION_PUBLIC_KEYS is not set/),
    ]);
  });

  it('make a signer of the role all where it has the key, which then knows its own bot, or those that are named', () => {
    const own = { ...all, FLEETBOT_CAPSULE_KEY: capsule, FLEETBOT_DECISION_KEY: decision };
    const other = lineOf(newSigningKeyPair().privateKey);
    expect(keysOf(own)).toEqual([lineOf(decision)]);
    expect(keysOf({ ...own, FLEETBOT_DECISION_PUBLIC_KEYS: other })).toEqual([other]);
    expect(problemsOf({ ...all, FLEETBOT_CAPSULE_KEY: capsule })).toEqual([
      expect.stringMatching(/^FLEETBOT_DECISION_PUBLIC_KEYS is not set, and the role all needs it/),
    ]);
  });

  it('refuse what is no Ed25519 private key', () => {
    expect(problemsOf({ ...signer, FLEETBOT_CAPSULE_KEY: key })).toEqual([
      expect.stringMatching(/^FLEETBOT_CAPSULE_KEY is not usable\. It must be an Ed25519 private key in PEM/),
    ]);
    expect(problemsOf({ ...bot, FLEETBOT_DECISION_KEY: key })).toEqual([
      expect.stringMatching(/^FLEETBOT_DECISION_KEY is not usable/),
    ]);
  });
});

describe('a key that is another thing than it should be', () => {
  const [decision, capsule] = [newSigningKeyPair().privateKey, newSigningKeyPair().privateKey];
  const lineOf = (pem: string) => publicKeyLine(createPrivateKey(pem));
  const signer = {
    ...{ FLEETBOT_ROLE: 'signer', REDIS_URL: 'redis://127.0.0.1:6379' },
    ...{ FLEETBOT_CAPSULE_KEY: capsule, FLEETBOT_DECISION_PUBLIC_KEYS: lineOf(decision) },
  };
  const rsa = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });

  it.each([
    ['FLEETBOT_DECISION_PUBLIC_KEYS', decision, 'is a private key: it must not be here. Give the .pub file.'],
    ['FLEETBOT_DECISION_PUBLIC_KEYS', 'ssh-rsa AAAA bot', 'holds a key of the type ssh-rsa'],
    ['FLEETBOT_DECISION_PUBLIC_KEYS', '/etc/keys.pub', 'is the path of a file. Set'],
    ['FLEETBOT_CAPSULE_KEY', lineOf(decision), 'is a public key. Give the private key'],
    ['FLEETBOT_CAPSULE_KEY', rsa.publicKey, 'is a public key. Give the private key'],
    ['FLEETBOT_CAPSULE_KEY', rsa.privateKey, 'is a key of the type rsa, and only ed25519 can be used'],
    ['FLEETBOT_CAPSULE_KEY', './keys/key.pem', 'is the path of a file. Set FLEETBOT_CAPSULE_KEY_FILE to it'],
  ])('is told as what it is: %s %#', (name, value, problem) => {
    expect(problemsOf({ ...signer, [name]: value })).toEqual([expect.stringContaining(`${name} ${problem}`)]);
    const file = secretFile(value);
    const fromFile = problemsOf({ ...signer, [name]: '', [`${name}_FILE`]: file });
    expect(fromFile).toEqual([expect.stringContaining(`${name}_FILE (${file}) ${problem}`)]);
  });

  it('is refused where one key would do for two', () => {
    expect(problemsOf({ ...signer, FLEETBOT_DECISION_PUBLIC_KEYS: lineOf(capsule) })).toEqual([
      expect.stringMatching(
        /^FLEETBOT_DECISION_PUBLIC_KEYS holds the public half of FLEETBOT_CAPSULE_KEY.*Make a key for each/,
      ),
    ]);
    for (const role of ['bot', 'all', 'signer']) {
      const env = { ...bot, ...worker, ...signer, FLEETBOT_ROLE: role };
      expect(problemsOf({ ...env, FLEETBOT_DECISION_KEY: decision })).toEqual([]);
      expect(problemsOf({ ...env, FLEETBOT_DECISION_KEY: capsule })).toEqual([
        expect.stringMatching(/^FLEETBOT_DECISION_KEY and FLEETBOT_CAPSULE_KEY are the same key\. Make/),
      ]);
    }
  });

  it('can be found out by the fingerprints of those in use, which begin as ssh-keygen prints them', () => {
    const of = (pem: string) => {
      const line = lineOf(pem).split(' ')[1] ?? '';
      const digest = createHash('sha256').update(Buffer.from(line, 'base64')).digest('base64');
      return `SHA256:${digest.slice(0, 16)}`;
    };
    const signs = { capsule: of(capsule), decisionsBelieved: [of(decision)] };
    expect(redact(of(capsule))).toBe(of(capsule));
    expect(keysInUse(readSettings(signer))).toEqual(signs);
    expect(keysInUse(readSettings({ ...bot, FLEETBOT_DECISION_KEY: decision }))).toEqual({
      decision: of(decision),
    });
    expect(keysInUse(readSettings(worker))).toEqual({});
    const all = { ...bot, ...worker, ...signer, FLEETBOT_ROLE: 'all', FLEETBOT_DECISION_KEY: decision };
    expect(keysInUse(readSettings(all))).toEqual({ decision: of(decision), ...signs });
  });
});

describe('readDirectSettings', () => {
  it('looks at the fleet file and the SSH key alone', () => {
    const broken = { FLEETBOT_ROLL: 'bot', REDIS_URL: 'nonsense', SLACK_BOT_TOKEN_FILE: '/nowhere' };
    expect(readDirectSettings({ ...broken, FLEETBOT_SSH_KEY: key, FLEETBOT_FLEET_FILE: 'f.yaml' })).toEqual({
      ...{ fleetFile: 'f.yaml', sshPrivateKey: key },
    });
    expect(readDirectSettings({ FLEETBOT_SSH_KEY_FILE: secretFile(key) })).toEqual({
      ...{ fleetFile: 'fleet.yaml', sshPrivateKey: key },
    });
    expect(() => readDirectSettings(broken)).toThrow('FLEETBOT_SSH_KEY is not set');
  });
});

describe('readVerifySettings', () => {
  const env = { FLEETBOT_SSH_KEY: key, REDIS_URL: 'nonsense' };

  it('looks at where traces go beside the fleet file and the SSH key', () => {
    expect(readVerifySettings(env)).toEqual({ fleetFile: 'fleet.yaml', sshPrivateKey: key });
    const traced = { ...env, MLFLOW_TRACKING_URI: 'http://mlflow:5000', MLFLOW_EXPERIMENT_ID: '7' };
    expect(readVerifySettings(traced)).toMatchObject({
      mlflow: { trackingUri: 'http://mlflow:5000', experimentId: '7' },
    });
  });

  it('says what it lacks to look for traces', () => {
    const half = { ...env, MLFLOW_TRACKING_URI: 'http://mlflow:5000' };
    expect(() => readVerifySettings(half)).toThrow(
      'MLFLOW_EXPERIMENT_ID is not set, and looking for traces needs it',
    );
  });
});

describe('readMlflowServer', () => {
  it('looks at MLflow alone, whatever the number of the experiment is', () => {
    const env = {
      REDIS_URL: 'nonsense',
      MLFLOW_TRACKING_URI: 'http://mlflow:5000',
      MLFLOW_EXPERIMENT_ID: 'fleet',
    };
    expect(readMlflowServer({ ...env, MLFLOW_TRACKING_TOKEN_FILE: secretFile('t0ken') })).toEqual({
      ...{ trackingUri: 'http://mlflow:5000', publicUrl: 'http://mlflow:5000' },
      credentials: { kind: 'bearer', token: 't0ken' },
    });
    expect(() => readMlflowServer({})).toThrow(
      'MLFLOW_TRACKING_URI is not set, and making MLflow ready needs it',
    );
  });
});

describe('.env.example', () => {
  it('holds every setting once', () => {
    const written = [...envExample().matchAll(/^#(\w+)=/gm)].map(([, name = '']) => name);
    const names = written.map((name) => settingNames.find((known) => `${known}_FILE` === name) ?? name);
    expect(names).toEqual(settingNames);
  });

  it('says of every setting whether it is required and of whom, a default, or an example', () => {
    const entries = envExample().split('\n\n').slice(1);
    expect(entries).toHaveLength(settingNames.length);
    for (const entry of entries) expect(entry).toMatch(/\[(?:required: .+|default|example)\]\n#/);
    expect(envExample()).toMatch(/\[required: every role, unless .+\]\n#REDIS_URL=/);
    expect(envExample()).toMatch(/\[default\]\n#FLEETBOT_ROLE=all/);
    expect(envExample()).toMatch(/\[example\]\n#MLFLOW_TRACKING_URI=/);
  });

  it('shows defaults that are accepted when they are uncommented', () => {
    const defaults = envExample().matchAll(/\[default\]\n#(\w+=.*)/g);
    const env = parseEnv([...defaults].map(([, line]) => line).join('\n'));
    expect(env.FLEETBOT_REDIS_PREFIX).toBe('{fleetbot}');
    expect(problemsOf({ ...bot, ...env, FLEETBOT_ROLE: 'bot' } as Record<string, string>)).toEqual([]);
  });
});
