import { readFileSync } from 'node:fs';
import { SettingsError } from '../fleet/errors.ts';
import { suggest } from '../fleet/suggest.ts';
import {
  type Environment,
  environmentSchema,
  noteOn,
  type SettingName,
  settingNames,
} from './environment.ts';
import { keyMistake } from './key-mistake.ts';
import {
  type MlflowServerSettings,
  type MlflowSettings,
  mlflowServer,
  mlflowSettings,
} from './mlflow-settings.ts';
import { needlessKeys } from './needless-keys.ts';
import { type RedisSettings, redisSettings } from './redis-settings.ts';
import { sameKeyProblems } from './same-key.ts';
import { type SignerSettings, signerSettings } from './signer-settings.ts';

/** How Slack is reached. */
export interface SlackSettings {
  readonly botToken: string;
  /** Another server than Slack's, ending in `/api/`. */
  readonly apiUrl?: string;
  readonly connection:
    | { readonly mode: 'socket'; readonly appToken: string }
    | { readonly mode: 'http'; readonly signingSecret: string; readonly host: string; readonly port: number };
}

/** Where spans wait for MLflow. */
export interface SpansSettings {
  readonly folder: string;
  readonly maxBytes: number;
}

/** Where the ledger is exported to. */
export interface LedgerSettings {
  readonly file: string;
  /** PEM. */
  readonly privateKey: string;
  readonly maxBytes: number;
}

/** How machines are reached, and how often. */
export interface WorkerSettings {
  readonly sshPrivateKey: string;
  /** Machines served at the same time. */
  readonly concurrency: number;
  readonly reconcileIntervalMs: number;
}

/** Where alerts can be posted, and who may. */
export interface AlertsSettings {
  readonly host: string;
  readonly port: number;
  /** At least one of the two. */
  readonly token?: string | undefined;
  readonly hmacSecret?: string | undefined;
  /** The largest body that is taken. */
  readonly maxBytes: number;
}

/** The settings of one process. */
export interface Settings {
  readonly role: Environment['FLEETBOT_ROLE'];
  readonly fleetFile: string;
  readonly logLevel: Environment['FLEETBOT_LOG_LEVEL'];
  readonly shutdownTimeoutMs: number;
  readonly redis: RedisSettings;
  readonly health: { readonly host: string; readonly port: number };
  /** Present in the roles `bot` and `all`. */
  readonly slack?: SlackSettings;
  /** Present at most in the roles `bot` and `all`: where senders can prove who they are. */
  readonly alerts?: AlertsSettings | undefined;
  /** Present in the roles `worker` and `all`. */
  readonly worker?: WorkerSettings;
  /** Present in the role `signer`, and in `all` where it has the key. */
  readonly signer?: SignerSettings | undefined;
  /** The bot's, PEM. Absent: no action can be approved. */
  readonly decisionKey?: string | undefined;
  /** Whom the bot can call beside those in Slack, as text; present at most in the roles `bot` and `all`. */
  readonly pagers?: string | undefined;
  /** Names of the keys that are set and that another role alone should hold. */
  readonly needlessKeys: readonly string[];
  /** Absent: runs are not traced. */
  readonly mlflow?: MlflowSettings | undefined;
  /** Absent: spans wait in memory, and are lost with the process. */
  readonly spans?: SpansSettings | undefined;
  /** Absent: the ledger is not exported. */
  readonly ledger?: LedgerSettings;
}

/** What a halt or a resume without Redis and Slack needs. */
export interface DirectSettings {
  readonly fleetFile: string;
  readonly sshPrivateKey: string;
}

/** What the proof that a machine works needs. */
export interface VerifySettings extends DirectSettings {
  /** Absent: the machine's traces are not looked for. */
  readonly mlflow?: MlflowSettings | undefined;
}

const bytesPerMib = 1024 * 1024;

type RawEnvironment = Readonly<Record<string, string | undefined>>;

/** Stands in `.env.example` where a value is to be filled in; a token that was copied cut short shows it too. */
const placeholderMark = '…';

/** Variables that Kubernetes sets by itself for services whose names begin with `fleetbot`. */
const serviceVariable = /_(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT(?:_\d+_(?:TCP|UDP)(?:_\w+)?)?)$/;

/**
 * The settings in the environment. An empty variable counts as not set; a secret may be given as NAME_FILE.
 * @throws SettingsError that names every problem, each on a line of its own with its cure
 */
export function readSettings(env: RawEnvironment): Settings {
  return read(env, ({ FLEETBOT_ROLE: role }) => `the role ${role}`, assemble);
}

/**
 * The few settings that a halt or a resume without Redis and Slack needs. Nothing else is looked at: whatever is
 * wrong with it, the brake must work.
 * @throws SettingsError like `readSettings`
 */
export function readDirectSettings(env: RawEnvironment): DirectSettings {
  const { FLEETBOT_FLEET_FILE, FLEETBOT_SSH_KEY, FLEETBOT_SSH_KEY_FILE } = env;
  return read(
    { FLEETBOT_FLEET_FILE, FLEETBOT_SSH_KEY, FLEETBOT_SSH_KEY_FILE },
    () => 'what is done directly',
    (environment, need) => ({
      fleetFile: environment.FLEETBOT_FLEET_FILE,
      sshPrivateKey: need('FLEETBOT_SSH_KEY'),
    }),
  );
}

/**
 * The path of the fleet file. Nothing else is looked at.
 * @throws SettingsError like `readSettings`
 */
export function readFleetFilePath({ FLEETBOT_FLEET_FILE }: RawEnvironment): string {
  const fleetFileOf = (environment: Environment) => environment.FLEETBOT_FLEET_FILE;
  return read({ FLEETBOT_FLEET_FILE }, () => 'this', fleetFileOf);
}

/**
 * What the proof that a machine works needs of the settings.
 * @throws SettingsError like `readSettings`
 */
export function readVerifySettings(env: RawEnvironment): VerifySettings {
  const direct = readDirectSettings(env);
  return read(
    mlflowOnly(env),
    () => 'looking for traces',
    (environment, need) => ({
      ...direct,
      mlflow: mlflowSettings(environment, need),
    }),
  );
}

/**
 * What making MLflow ready needs of the settings: not the experiment's number, which only that tells.
 * @throws SettingsError like `readSettings`
 */
export function readMlflowServer(env: RawEnvironment): MlflowServerSettings {
  const { MLFLOW_EXPERIMENT_ID: _, ...others } = mlflowOnly(env);
  return read(
    others,
    () => 'making MLflow ready',
    (environment, need) => mlflowServer(environment, need('MLFLOW_TRACKING_URI'), need),
  );
}

/**
 * Where copies of spans are sent to.
 * @throws SettingsError like `readSettings`
 */
export function readMlflowTarget(env: RawEnvironment): MlflowSettings {
  return read(
    mlflowOnly(env),
    () => 'sending traces again',
    (environment, need) => ({
      ...mlflowServer(environment, need('MLFLOW_TRACKING_URI'), need),
      experimentId: need('MLFLOW_EXPERIMENT_ID'),
    }),
  );
}

const mlflowOnly = (env: RawEnvironment): RawEnvironment =>
  Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('MLFLOW_')));

function read<T>(
  env: RawEnvironment,
  neededBy: (environment: Environment) => string,
  assembled: (...known: Known) => T,
): T {
  const problems: string[] = [...unknownNames(env)];
  const { given, unread, files } = withSecretsFromFiles(env, problems);
  const invalid = invalidNames(given);
  for (const name of invalid) {
    problems.push(whyInvalid(name, given[name], files.get(name)));
    delete given[name];
  }
  const environment = environmentSchema.parse(given);
  const told = new Set([...unread, ...invalid]);
  /** The value of a setting that is needed here. */
  const need = (name: NeededName): string => {
    const value = environment[name];
    if (value === undefined && !told.has(name)) problems.push(missing(name, neededBy(environment)));
    return value ?? '';
  };
  const settings = assembled(environment, need, problems, told);
  if (problems.length > 0) throw new SettingsError(problems.join('\n'));
  return settings;
}

type NeededName = Extract<
  SettingName,
  | 'SLACK_BOT_TOKEN'
  | 'SLACK_APP_TOKEN'
  | 'SLACK_SIGNING_SECRET'
  | 'REDIS_URL'
  | 'REDIS_PASSWORD'
  | 'FLEETBOT_REDIS_CERT'
  | 'FLEETBOT_REDIS_KEY'
  | 'FLEETBOT_REDIS_SENTINEL_MASTER'
  | 'FLEETBOT_SSH_KEY'
  | 'FLEETBOT_LEDGER_KEY'
  | 'FLEETBOT_CAPSULE_KEY'
  | 'FLEETBOT_DECISION_PUBLIC_KEYS'
  | 'MLFLOW_TRACKING_URI'
  | 'MLFLOW_EXPERIMENT_ID'
  | 'MLFLOW_TRACKING_USERNAME'
  | 'MLFLOW_TRACKING_PASSWORD'
>;

/** The environment, who must have a setting of it, where problems go, and the settings that have one. */
type Known = readonly [
  environment: Environment,
  need: (name: NeededName) => string,
  problems: string[],
  told: ReadonlySet<string>,
];

function assemble(...[env, need, problems, told]: Known): Settings {
  const role = env.FLEETBOT_ROLE;
  const signer = signerSettings(env, need);
  problems.push(...sameKeyProblems(env, signer?.decisionKeys ?? []));
  return {
    role,
    fleetFile: env.FLEETBOT_FLEET_FILE,
    logLevel: env.FLEETBOT_LOG_LEVEL,
    shutdownTimeoutMs: env.FLEETBOT_SHUTDOWN_TIMEOUT_MS,
    redis: redisSettings(env, need, problems, told),
    health: { host: env.FLEETBOT_HEALTH_HOST, port: env.FLEETBOT_HEALTH_PORT },
    signer,
    decisionKey: env.FLEETBOT_DECISION_KEY,
    needlessKeys: needlessKeys(env),
    ...((role === 'bot' || role === 'all') && {
      slack: slackSettings(env, need),
      pagers: env.FLEETBOT_PAGERS,
      alerts: alertsSettings(env),
    }),
    ...((role === 'worker' || role === 'all') && {
      worker: {
        sshPrivateKey: need('FLEETBOT_SSH_KEY'),
        concurrency: env.FLEETBOT_WORKER_CONCURRENCY,
        reconcileIntervalMs: env.FLEETBOT_RECONCILE_INTERVAL_MS,
      },
    }),
    mlflow: mlflowSettings(env, need),
    ...(env.FLEETBOT_SPANS_FOLDER && {
      spans: { folder: env.FLEETBOT_SPANS_FOLDER, maxBytes: env.FLEETBOT_SPANS_MAX_MIB * bytesPerMib },
    }),
    ...(env.FLEETBOT_LEDGER_FILE && {
      ledger: {
        file: env.FLEETBOT_LEDGER_FILE,
        privateKey: need('FLEETBOT_LEDGER_KEY'),
        maxBytes: env.FLEETBOT_LEDGER_MAX_BYTES,
      },
    }),
  };
}

function slackSettings(env: Environment, need: (name: NeededName) => string): SlackSettings {
  return {
    botToken: need('SLACK_BOT_TOKEN'),
    ...(env.SLACK_API_URL && { apiUrl: env.SLACK_API_URL }),
    connection:
      env.FLEETBOT_SLACK_MODE === 'socket'
        ? { mode: 'socket', appToken: need('SLACK_APP_TOKEN') }
        : {
            mode: 'http',
            signingSecret: need('SLACK_SIGNING_SECRET'),
            host: env.FLEETBOT_HTTP_HOST,
            port: env.FLEETBOT_HTTP_PORT,
          },
  };
}

/** The webhook is not opened where nobody could prove who they are. */
function alertsSettings(env: Environment): AlertsSettings | undefined {
  const { FLEETBOT_ALERTS_TOKEN: token, FLEETBOT_ALERTS_HMAC_SECRET: hmacSecret } = env;
  if (token === undefined && hmacSecret === undefined) return undefined;
  return {
    ...{ host: env.FLEETBOT_ALERTS_HOST, port: env.FLEETBOT_ALERTS_PORT, token, hmacSecret },
    maxBytes: env.FLEETBOT_ALERTS_MAX_BYTES,
  };
}

function missing(name: NeededName, neededBy: string): string {
  const { about, must, secret } = noteOn(name);
  const file = secret ? ` (or ${name}_FILE)` : '';
  return `${name} is not set, and ${neededBy} needs it. ${about} Set ${name}${file} to ${must}.`;
}

/** @param file the file in which the value stands, where NAME_FILE is set */
function whyInvalid(name: SettingName, value = '', file?: string): string {
  const { must, secret } = noteOn(name);
  const where = file === undefined ? name : `${name}_FILE (${file})`;
  const mistake = isPlaceholder(value) ? undefined : keyMistake(name, value);
  if (mistake !== undefined) return `${where} ${mistake}`;
  const wrong = isPlaceholder(value)
    ? `holds a placeholder (${placeholderMark}) in the place of a value`
    : `is ${secret ? 'not usable' : `"${value}"`}`;
  return `${where} ${wrong}. It must be ${must}.`;
}

function isPlaceholder(value: string): boolean {
  return value.includes(placeholderMark);
}

function* unknownNames(env: RawEnvironment): Generator<string> {
  const known = [...settingNames, ...settingNames.filter(isSecret).map((name) => `${name}_FILE`)];
  for (const name of Object.keys(env)) {
    if (!name.startsWith('FLEETBOT_') || known.includes(name) || serviceVariable.test(name)) continue;
    const meant = suggest(name, known);
    yield `${name} is no setting. ${meant ? `Did you mean ${meant}?` : 'Remove it; .env.example lists all settings.'}`;
  }
}

function isSecret(name: SettingName): boolean {
  return noteOn(name).secret === true;
}

/** What is set, with NAME_FILE read in the place of NAME; the names whose files hold nothing; and all such files. */
function withSecretsFromFiles(
  env: RawEnvironment,
  problems: string[],
): {
  given: Record<string, string>;
  unread: readonly SettingName[];
  files: ReadonlyMap<SettingName, string>;
} {
  const given: Record<string, string> = {};
  const unread: SettingName[] = [];
  const files = new Map<SettingName, string>();
  for (const name of settingNames) {
    const value = env[name] ?? '';
    const file = isSecret(name) ? (env[`${name}_FILE`] ?? '') : '';
    if (value !== '' && file !== '') {
      problems.push(`${name} and ${name}_FILE are both set. Remove one of them.`);
    }
    const content = file === '' ? value : readSecret(`${name}_FILE`, file, problems);
    if (file !== '') files.set(name, file);
    if (content !== '') given[name] = content;
    else if (file !== '') unread.push(name);
  }
  return { given, unread, files };
}

function readSecret(name: string, file: string, problems: string[]): string {
  try {
    const content = readFileSync(file, 'utf8').trim();
    if (content === '') problems.push(`${name}: the file ${file} is empty. Put the secret into it.`);
    return content;
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? error.code : error;
    problems.push(
      `${name}: the file ${file} cannot be read (${reason}). See that it exists and is readable.`,
    );
    return '';
  }
}

function invalidNames(given: Record<string, string>): SettingName[] {
  const names = new Set(environmentSchema.safeParse(given).error?.issues.map((issue) => issue.path[0]));
  return settingNames.filter((name) => names.has(name) || isPlaceholder(given[name] ?? ''));
}
