import { z } from 'zod';
import { isSigningKey } from '../fleet/signing-key.ts';
import { readPublicKeys } from './public-keys.ts';

/** What `.env.example` and error messages say of a setting. */
interface SettingNote {
  readonly about: string;
  /** Completes the sentence "NAME must be …". */
  readonly must: string;
  /** Its value is never shown, and may stand in a file that NAME_FILE names. */
  readonly secret?: true;
  /** What `.env.example` gives in its place, where there is no default. */
  readonly example?: string;
  /** Who cannot do without it: completes "required: …". */
  readonly required?: string;
}

/** The notes on every setting, by its schema. */
export const settingNotes = z.registry<SettingNote>();

const defaultSentinelPort = 26_379;

const text = z.string();
const webAddress = z.url({ protocol: /^https?$/, hostname: /./, abort: true }).refine(
  (address) => {
    const { username, password } = new URL(address);
    return username === '' && password === '';
  },
  { abort: true },
);

function wholeNumber(min: number, max: number): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max));
}

/** `host:port`, a bare host, or an IPv6 address in brackets. */
const sentinelHost = text.regex(/^(?:\[[0-9A-Fa-f:.]+\]|[^\s:/@[\]]+)(?::\d{1,5})?$/).transform((entry) => {
  const [, host = '', port] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(entry) ?? [];
  return { host, port: Number(port ?? defaultSentinelPort) };
});
const sentinelHosts = text
  .transform((list) => list.split(',').map((entry) => entry.trim()))
  .pipe(z.array(sentinelHost));

const certificate = text.includes('BEGIN CERTIFICATE');
const signingKey = text.refine(isSigningKey);
const privateKeyMust = 'an Ed25519 private key in PEM format without a passphrase';
const port = wholeNumber(0, 65_535);
const portMust = 'a port number, 0–65535 (0: any free one)';

/**
 * Every environment variable that fleetbot reads, in the order of `.env.example`. Which of the optional ones
 * are needed depends on the role; see `readSettings`.
 */
export const environmentSchema = z.object({
  FLEETBOT_ROLE: z.enum(['all', 'bot', 'worker', 'signer']).default('all').register(settingNotes, {
    about: 'What this process does: bot (Slack), worker (machines), signer (approved actions), or all.',
    must: 'bot, worker, signer or all',
  }),
  FLEETBOT_FLEET_FILE: text.default('fleet.yaml').register(settingNotes, {
    about: 'The fleet file: machines, checks, and who may do what.',
    must: 'the path of a file',
  }),
  FLEETBOT_LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace'])
    .default('info')
    .register(settingNotes, {
      about: 'The least severe log lines that are written (JSON, to stderr).',
      must: 'fatal, error, warn, info, debug or trace',
    }),
  FLEETBOT_SHUTDOWN_TIMEOUT_MS: wholeNumber(1, 600_000).default(40_000).register(settingNotes, {
    about: 'How long a shutdown may take before the process exits all the same. Kubernetes must wait longer.',
    must: 'milliseconds, 1–600000',
  }),

  SLACK_BOT_TOKEN: text.startsWith('xoxb-').optional().register(settingNotes, {
    about: 'Bot token of the Slack app.',
    must: 'a bot token that starts with xoxb- (Slack app → OAuth & Permissions)',
    secret: true,
    example: 'xoxb-…',
    required: 'roles bot and all',
  }),
  FLEETBOT_SLACK_MODE: z.enum(['socket', 'http']).default('socket').register(settingNotes, {
    about: 'How Slack reaches the bot: socket (the bot connects to Slack) or http (Slack calls the bot).',
    must: 'socket or http',
  }),
  SLACK_APP_TOKEN: text.startsWith('xapp-').optional().register(settingNotes, {
    about: 'App-level token with connections:write.',
    must: 'an app-level token that starts with xapp- (Slack app → Basic Information → App-Level Tokens)',
    secret: true,
    example: 'xapp-…',
    required: 'roles bot and all, in socket mode',
  }),
  SLACK_SIGNING_SECRET: text.min(16).optional().register(settingNotes, {
    about: 'Signing secret of the Slack app.',
    must: 'the signing secret (Slack app → Basic Information)',
    secret: true,
    example: '…',
    required: 'roles bot and all, in http mode',
  }),
  FLEETBOT_HTTP_HOST: text.default('127.0.0.1').register(settingNotes, {
    about: 'Address on which http mode listens; 0.0.0.0 behind a route or an ingress.',
    must: 'an address of this computer',
  }),
  FLEETBOT_HTTP_PORT: port.default(3000).register(settingNotes, {
    about: 'Port on which http mode listens.',
    must: portMust,
  }),
  SLACK_API_URL: webAddress.endsWith('/api/').optional().register(settingNotes, {
    about: 'Another server than Slack itself, for tests.',
    must: 'a web address that ends in /api/',
    example: 'http://127.0.0.1:8080/api/',
  }),

  REDIS_URL: z
    .url({ protocol: /^rediss?$/, hostname: /./ })
    .optional()
    .register(settingNotes, {
      about: 'The Redis that holds requests and runs.',
      must: 'a Redis address such as redis://127.0.0.1:6379/0 (rediss:// for TLS; user and password stand before the host, with a colon between them and an @ after)',
      secret: true,
      example: 'redis://127.0.0.1:6379/0',
      required: 'every role, unless FLEETBOT_REDIS_SENTINELS is set',
    }),
  REDIS_USERNAME: text.optional().register(settingNotes, {
    about: 'User in Redis, where REDIS_URL has no login; its rules are in deploy/redis/users.acl.',
    must: 'a user name',
    secret: true,
    example: 'fleetbot',
  }),
  REDIS_PASSWORD: text.optional().register(settingNotes, {
    about: 'Password of that user, or of the user "default" where REDIS_USERNAME is not set.',
    must: "the user's password",
    secret: true,
    example: '…',
  }),
  FLEETBOT_REDIS_CA: certificate.optional().register(settingNotes, {
    about: 'Authority that signs the certificates of Redis (and of the sentinels), for rediss://.',
    must: "the authority's certificate in PEM format; FLEETBOT_REDIS_CA_FILE names the file that holds it",
    secret: true,
    example: '/etc/fleetbot/redis/ca.crt',
  }),
  FLEETBOT_REDIS_CERT: certificate.optional().register(settingNotes, {
    about: 'Client certificate, where Redis wants one (tls-auth-clients). It is read at the start.',
    must: 'a certificate in PEM format; FLEETBOT_REDIS_CERT_FILE names the file that holds it',
    secret: true,
    example: '/etc/fleetbot/redis/tls.crt',
  }),
  FLEETBOT_REDIS_KEY: text.includes('PRIVATE KEY').optional().register(settingNotes, {
    about: 'Private key of the client certificate, without passphrase.',
    must: 'a private key in PEM format; FLEETBOT_REDIS_KEY_FILE names the file that holds it',
    secret: true,
    example: '/etc/fleetbot/redis/tls.key',
    required: 'with FLEETBOT_REDIS_CERT',
  }),
  FLEETBOT_REDIS_SENTINELS: sentinelHosts.optional().register(settingNotes, {
    about:
      'Redis Sentinels, which tell where the primary is. Of REDIS_URL only scheme, login and database count then.',
    must: 'host:port, separated by commas (port 26379 where none is given)',
    example: 'redis-0.redis:26379,redis-1.redis:26379,redis-2.redis:26379',
  }),
  FLEETBOT_REDIS_SENTINEL_MASTER: text.optional().register(settingNotes, {
    about: 'What the sentinels call the primary: the NAME in their "sentinel monitor NAME …".',
    must: 'that name',
    example: 'mymaster',
    required: 'with FLEETBOT_REDIS_SENTINELS',
  }),
  FLEETBOT_REDIS_SENTINEL_PASSWORD: text.optional().register(settingNotes, {
    about: "The sentinels' own password (their requirepass), where they have one.",
    must: "the sentinels' password",
    secret: true,
    example: '…',
  }),
  FLEETBOT_REDIS_PREFIX: text
    .regex(/^[A-Za-z0-9_.{}-]{1,64}$/)
    .default('{fleetbot}')
    .register(settingNotes, {
      about: 'Before every key in Redis. The braces keep all of them in one slot of a Redis Cluster.',
      must: '1–64 letters, digits, "_", ".", "-", "{" or "}"',
    }),
  FLEETBOT_REDIS_ALLOW_UNSAFE: z
    .enum(['true', 'false'])
    .default('false')
    .transform((answer) => answer === 'true')
    .register(settingNotes, {
      about: 'Run with a Redis that may lose or evict what was promised to people.',
      must: 'true or false',
    }),

  FLEETBOT_SSH_KEY: text.includes('PRIVATE KEY').optional().register(settingNotes, {
    about: "Private key for the machines' gates, without passphrase.",
    must: 'a private key in OpenSSH or PEM format; FLEETBOT_SSH_KEY_FILE names the file that holds it',
    secret: true,
    example: '/etc/fleetbot/ssh/id_ed25519',
    required: 'roles worker and all',
  }),
  FLEETBOT_WORKER_CONCURRENCY: wholeNumber(1, 1_000).default(20).register(settingNotes, {
    about: 'How many machines one worker serves at the same time.',
    must: 'a number, 1–1000',
  }),
  FLEETBOT_RECONCILE_INTERVAL_MS: wholeNumber(1_000, 86_400_000).default(300_000).register(settingNotes, {
    about: 'How often every machine is asked what runs on it, to stop what should not.',
    must: 'milliseconds, 1000–86400000',
  }),

  FLEETBOT_DECISION_KEY: signingKey.optional().register(settingNotes, {
    about:
      'Private key with which the bot signs requests and decisions; "fleetbot decision key NEW_FILE" makes one. Without it no action can be approved.',
    must: `${privateKeyMust}; FLEETBOT_DECISION_KEY_FILE names the file that holds it`,
    secret: true,
    example: '/etc/fleetbot/decision/key.pem',
  }),
  FLEETBOT_DECISION_PUBLIC_KEYS: text
    .refine((lines) => readPublicKeys(lines) !== undefined)
    .optional()
    .register(settingNotes, {
      about: "The bots' public keys, a line each, for the signer; in role all the bot's own where not given.",
      must: 'lines such as "ssh-ed25519 AAAAC3Nz…", one for each key: the .pub files of "fleetbot decision key"',
      secret: true,
      example: '/etc/fleetbot/signer/decision-keys',
      required: 'role signer',
    }),
  FLEETBOT_CAPSULE_KEY: signingKey.optional().register(settingNotes, {
    about:
      'Private key with which the signer signs approved actions; "fleetbot capsule key NEW_FILE" makes one. In role all it makes the process a signer.',
    must: `${privateKeyMust}; FLEETBOT_CAPSULE_KEY_FILE names the file that holds it`,
    secret: true,
    example: '/etc/fleetbot/signer/key.pem',
    required: 'role signer',
  }),
  FLEETBOT_CAPSULE_LIFETIME_MS: wholeNumber(10_000, 3_600_000).default(120_000).register(settingNotes, {
    about: 'How long a machine takes a signed action; it must allow for the difference of the clocks.',
    must: 'milliseconds, 10000–3600000',
  }),
  FLEETBOT_REQUEST_MAX_AGE_MS: wholeNumber(60_000, 999_999_999).default(86_400_000).register(settingNotes, {
    about:
      'How old the request of an action may be when the signer signs it, however people were asked meanwhile.',
    must: 'milliseconds, 60000–999999999',
  }),

  FLEETBOT_PAGERS: text.optional().register(settingNotes, {
    about:
      'Pagers for the bot to call, by the names that "pager:NAME" in onCall of the fleet file has: YAML or JSON such as "primary: {kind: pagerduty, routingKey: …, url: …}" and "hook: {kind: webhook, url: …, token: …}".',
    must: 'a group of pagers by name; FLEETBOT_PAGERS_FILE names the file that holds it',
    secret: true,
    example: '/etc/fleetbot/pagers.yaml',
  }),

  MLFLOW_TRACKING_URI: webAddress.optional().register(settingNotes, {
    about: 'Base address of MLflow; without it runs are not traced.',
    must: 'a web address without user name and password (those go into MLFLOW_TRACKING_USERNAME and _PASSWORD)',
    example: 'http://127.0.0.1:5000',
  }),
  MLFLOW_EXPERIMENT_ID: text
    .regex(/^\d{1,20}$/)
    .optional()
    .register(settingNotes, {
      about: 'The experiment that takes the traces: `fleetbot mlflow init` makes one and prints its number.',
      must: "the experiment's number (0 is MLflow's default experiment), not its name",
      example: '0',
      required: 'with MLFLOW_TRACKING_URI',
    }),
  MLFLOW_PUBLIC_URL: webAddress.optional().register(settingNotes, {
    about: "MLflow's address in people's browsers, for links; MLFLOW_TRACKING_URI where not given.",
    must: 'a web address without user name and password',
    example: 'https://mlflow.example.com',
  }),
  MLFLOW_TRACKING_USERNAME: text.optional().register(settingNotes, {
    about: 'User with EDIT permission on the experiment, where MLflow wants a login.',
    must: 'a user name',
    example: 'fleetbot',
  }),
  MLFLOW_TRACKING_PASSWORD: text.optional().register(settingNotes, {
    about: 'Password of that user.',
    must: "the user's password",
    secret: true,
    example: '…',
  }),
  MLFLOW_TRACKING_TOKEN: text.optional().register(settingNotes, {
    about: 'Bearer token instead of user and password.',
    must: 'a token',
    secret: true,
    example: '…',
  }),
  FLEETBOT_SPANS_FOLDER: text.optional().register(settingNotes, {
    about:
      'Folder in which spans of traces wait until MLflow has taken them; it must outlast the process, and processes of one host may share it. Without it they wait in memory and are lost with the process.',
    must: 'the path of a folder where fleetbot may write',
    example: '/var/lib/fleetbot/spans',
  }),
  FLEETBOT_SPANS_MAX_MIB: wholeNumber(1, 1_000_000).default(512).register(settingNotes, {
    about: 'How much may wait in that folder. Beyond it new spans are lost, counted and logged.',
    must: 'MiB, 1–1000000',
  }),

  FLEETBOT_LEDGER_FILE: text.optional().register(settingNotes, {
    about:
      'File to which this process exports the ledger, signed; each process needs its own. Without it the ledger is kept in Redis alone.',
    must: 'the path of a file in a folder where fleetbot may write',
    example: '/var/lib/fleetbot/ledger.jsonl',
  }),
  FLEETBOT_LEDGER_KEY: text.includes('PRIVATE KEY').optional().register(settingNotes, {
    about: 'Private key that signs the exported ledger; "fleetbot ledger key NEW_FILE" makes one.',
    must: 'an Ed25519 private key in PEM format; FLEETBOT_LEDGER_KEY_FILE names the file that holds it',
    secret: true,
    example: '/etc/fleetbot/ledger/key.pem',
    required: 'with FLEETBOT_LEDGER_FILE',
  }),
  FLEETBOT_LEDGER_MAX_BYTES: wholeNumber(65_536, 999_999_999).default(67_108_864).register(settingNotes, {
    about:
      'When the exported file is this large it becomes FILE.1, FILE.2, …, and a new one goes on. None is removed.',
    must: 'bytes, 65536–999999999',
  }),

  FLEETBOT_ALERTS_TOKEN: text.min(16).optional().register(settingNotes, {
    about:
      'Bearer token of the webhook for alerts, which runs in roles bot and all where this or the next is set; "openssl rand -hex 32" makes one.',
    must: 'at least 16 characters; FLEETBOT_ALERTS_TOKEN_FILE names the file that holds it',
    secret: true,
    example: '/etc/fleetbot/alerts/token',
  }),
  FLEETBOT_ALERTS_HMAC_SECRET: text.min(16).optional().register(settingNotes, {
    about:
      'Secret with which senders sign what they post to the webhook for alerts, instead of the token or beside it.',
    must: 'at least 16 characters; FLEETBOT_ALERTS_HMAC_SECRET_FILE names the file that holds it',
    secret: true,
    example: '/etc/fleetbot/alerts/hmac-secret',
  }),
  FLEETBOT_ALERTS_HOST: text.default('127.0.0.1').register(settingNotes, {
    about: 'Address of the webhook for alerts; 0.0.0.0 where the monitoring is on another computer.',
    must: 'an address of this computer',
  }),
  FLEETBOT_ALERTS_PORT: port.default(8082).register(settingNotes, {
    about: 'Port of the webhook for alerts.',
    must: portMust,
  }),
  FLEETBOT_ALERTS_MAX_BYTES: wholeNumber(10_000, 100_000_000).default(2_000_000).register(settingNotes, {
    about: 'The largest message that the webhook for alerts takes.',
    must: 'bytes, 10000–100000000',
  }),

  FLEETBOT_HEALTH_HOST: text.default('127.0.0.1').register(settingNotes, {
    about: 'Address of /healthz, /readyz and /metrics; 0.0.0.0 in a pod, whose kubelet calls from outside.',
    must: 'an address of this computer',
  }),
  FLEETBOT_HEALTH_PORT: port.default(8081).register(settingNotes, {
    about: 'Port of /healthz, /readyz and /metrics.',
    must: portMust,
  }),
});

export type Environment = z.output<typeof environmentSchema>;
export type SettingName = keyof typeof environmentSchema.shape;

/** What is known of a setting. */
export function noteOn(name: SettingName): SettingNote {
  const note = settingNotes.get(environmentSchema.shape[name]);
  if (!note) throw new RangeError(`the setting ${name} has no note (a bug)`);
  return note;
}

/** Every setting's name, in the order of `.env.example`. */
export const settingNames: readonly SettingName[] = environmentSchema.keyof().options;
