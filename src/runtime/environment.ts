import { z } from 'zod';

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

const port = wholeNumber(0, 65_535);
const portMust = 'a port number, 0–65535 (0: any free one)';

/**
 * Every environment variable that fleetbot reads, in the order of `.env.example`. Which of the optional ones
 * are needed depends on the role; see `readSettings`.
 */
export const environmentSchema = z.object({
  FLEETBOT_ROLE: z.enum(['all', 'bot', 'worker']).default('all').register(settingNotes, {
    about: 'What this process does: bot (Slack), worker (machines), or all.',
    must: 'bot, worker or all',
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
      required: 'every role',
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

  MLFLOW_TRACKING_URI: webAddress.optional().register(settingNotes, {
    about: 'Base address of MLflow; without it runs are not traced.',
    must: 'a web address without user name and password (those go into MLFLOW_TRACKING_USERNAME and _PASSWORD)',
    example: 'http://127.0.0.1:5000',
  }),
  MLFLOW_EXPERIMENT_ID: text
    .regex(/^\d{1,20}$/)
    .optional()
    .register(settingNotes, {
      about: 'The experiment that takes the traces.',
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

  FLEETBOT_HEALTH_HOST: text.default('127.0.0.1').register(settingNotes, {
    about: 'Address of /healthz and /readyz; 0.0.0.0 in a pod, whose kubelet calls from outside.',
    must: 'an address of this computer',
  }),
  FLEETBOT_HEALTH_PORT: port.default(8081).register(settingNotes, {
    about: 'Port of /healthz and /readyz.',
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
