import { z } from 'zod';

/** Names of machines, checks and agents: what a person can type and a gate can match exactly. */
export const nameSchema = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$/,
    'must be 1–64 of a–z, 0–9, ".", "_", "-", and start and end with a letter or digit',
  );

const percent = z.number().min(0).max(100);
const milliseconds = z.int().min(1).max(86_400_000);
const days = z.number().positive().max(3_650);
const sinceMinutes = z.int().min(1).max(10_080);
/** Globs, in which `*` is any text: unlike regular expressions they take no endless time on unlucky lines. */
const ignoredLines = z.array(z.string().min(1).max(200)).max(30).default([]);

/** Warning and critical limit in percent for one thing that fills up. */
const fillLimitsSchema = z.strictObject({
  warnUsedPercent: percent.default(80),
  criticalUsedPercent: percent.default(90),
  warnInodesPercent: percent.default(80),
  criticalInodesPercent: percent.default(90),
});

/** Limits of a single mount point; what it leaves out is the machine's own. No defaults here: they would win. */
const mountLimitsSchema = z.strictObject({
  warnUsedPercent: percent.optional(),
  criticalUsedPercent: percent.optional(),
  warnInodesPercent: percent.optional(),
  criticalInodesPercent: percent.optional(),
});

/** As `df` prints it: with a slash at its end it would match nothing. */
const mountPointSchema = z.string().regex(/^\/(.*[^/])?$/, 'must be an absolute path without "/" at its end');

/** The state a machine should be in; checks judge evidence against it. */
export const expectSchema = z.strictObject({
  disk: z
    .strictObject({
      ...fillLimitsSchema.shape,
      /** Other limits for single mount points. */
      mounts: z.record(mountPointSchema, mountLimitsSchema).default({}),
      /** Mount points that are not judged; a trailing `*` matches everything below. */
      ignoreMounts: z.array(z.string().startsWith('/')).default([]),
      /** File system types that are not judged (never applied to `/`). */
      ignoreTypes: z
        .array(z.string())
        .default(['tmpfs', 'devtmpfs', 'squashfs', 'iso9660', 'overlay', 'efivarfs', 'ramfs']),
    })
    .prefault({}),
  memory: z
    .strictObject({
      warnAvailablePercent: percent.default(15),
      criticalAvailablePercent: percent.default(5),
      warnSwapUsedPercent: percent.default(50),
      criticalSwapUsedPercent: percent.default(90),
    })
    .prefault({}),
  load: z
    .strictObject({
      /** Limits for the 5-minute load average divided by the number of processors. */
      warnPerCpu: z.number().positive().default(1.5),
      criticalPerCpu: z.number().positive().default(3),
    })
    .prefault({}),
  services: z
    .strictObject({
      /** systemd units that must be active. */
      active: z.array(z.string().regex(/^[A-Za-z0-9:_.@\\-]+$/, 'must be a systemd unit name')).default([]),
      /** Whether any other failed unit is a warning. */
      warnOnFailed: z.boolean().default(true),
    })
    .prefault({}),
  logs: z
    .strictObject({
      /** How far back error lines are counted. */
      sinceMinutes: sinceMinutes.default(60),
      /** Limits for the error lines of one unit in that time. */
      warnLines: z.int().min(1).default(5),
      criticalLines: z.int().min(1).default(100),
      /** Globs for lines that do not count, matched against `UNIT: MESSAGE`. */
      ignore: ignoredLines,
    })
    .prefault({}),
  kernel: z
    .strictObject({
      /** How long a fault is critical, and a warning one at all. */
      sinceMinutes: sinceMinutes.default(1_440),
      /** Globs for messages that do not count. */
      ignore: ignoredLines,
    })
    .prefault({}),
  updates: z
    .strictObject({
      /** Limits for the number of security updates that wait. */
      warnSecurity: z.int().min(1).default(1),
      criticalSecurity: z.int().min(1).default(50),
      /** From this age on, what the machine knows about updates is out of date. */
      warnMetadataDays: days.default(7),
      /** Whether a reboot that is due is a warning. */
      warnOnReboot: z.boolean().default(true),
    })
    .prefault({}),
  time: z
    .strictObject({
      /** Limits for how far the machine's clock is from the supervisor's. */
      warnSkewMs: z.number().positive().default(1_000),
      criticalSkewMs: z.number().positive().default(30_000),
      /** Whether it is a warning that no time service is enabled: guests may get the time from their host. */
      requireNtp: z.boolean().default(false),
    })
    .prefault({}),
  certs: z
    .strictObject({
      /** Certificates on the machine; of a file with several, the first counts. */
      files: z
        .array(z.string().regex(/^\/[^\p{Cc}]*$/u, 'must be an absolute path'))
        .max(20)
        .default([]),
      warnDays: days.default(21),
      criticalDays: days.default(7),
    })
    .prefault({}),
  network: z
    .strictObject({
      /** Whether there must be a default route. */
      defaultRoute: z.boolean().default(true),
      /** Interfaces that must be up. */
      interfaces: z
        .array(z.string().regex(/^[^\s/-][^\s/]{0,14}$/, 'must be the name of an interface'))
        .default([]),
      /** Host names that the machine must be able to look up. */
      resolve: z
        .array(z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,252}$/, 'must be a host name'))
        .max(5)
        .default([]),
      /** TCP ports that something must listen on. */
      listening: z.array(z.int().min(1).max(65_535)).default([]),
      /** Limit for the errors of a link, as a share of its packets. */
      warnErrorsPercent: percent.default(0.1),
    })
    .prefault({}),
});

/** A check that exists only in the fleet file: one command, judged by a pattern or a number. */
export const customCheckSchema = z
  .strictObject({
    summary: z.string().min(1).max(120),
    /** Exact argument vector; no shell. */
    command: z.array(z.string().min(1)).min(1).max(64),
    /** Exit codes that count as having run. */
    exitCodes: z.array(z.int().min(0).max(255)).default([0]),
    /** The command runs as root, because what it reads is closed to others. */
    root: z.boolean().optional(),
    /** Critical unless this regular expression matches the output (multi-line mode). */
    mustMatch: z.string().optional(),
    /** Critical when this regular expression matches the output (multi-line mode). */
    mustNotMatch: z.string().optional(),
    /** A number in the output, and its limits. */
    number: z
      .strictObject({
        /** Regular expression whose first group is the number. */
        pattern: z.string(),
        unit: z.string().max(20).default(''),
        warnAbove: z.number().optional(),
        criticalAbove: z.number().optional(),
        warnBelow: z.number().optional(),
        criticalBelow: z.number().optional(),
      })
      .optional(),
  })
  .refine((c) => c.mustMatch !== undefined || c.mustNotMatch !== undefined || c.number !== undefined, {
    message: 'needs at least one of mustMatch, mustNotMatch, number',
  });

export const transportNames = ['gateway-ws', 'chat-completions'] as const;
export const diagnoseModes = ['always', 'on-finding', 'never'] as const;

/** Stands, in a list of commands or paths, for those that are built in. */
export const builtInList = 'built-in';

/** When the agent is wanted; `by-request` means: a person's request `always`, a schedule's `on-finding`. */
export const agentSchema = z.strictObject({
  /** The agent's id in its OpenClaw configuration. */
  id: nameSchema.default('edge'),
  transport: z.enum(transportNames).default('gateway-ws'),
  diagnose: z.union([z.enum(diagnoseModes), z.literal('by-request')]).default('by-request'),
  /** What the agent may run on the machine to read its state: patterns of `command-pattern.ts`. */
  commands: z.array(z.string().min(1).max(500)).max(500).default([builtInList]),
  /** Which files and folders those commands may be given; `*` stands for any characters, `/` too. */
  readPaths: z.array(z.string().min(1).max(500)).max(500).default([builtInList]),
  /** The image that the agent should run, by digest; another one counts as drift. */
  image: z
    .string()
    .regex(/^[^\s@]+@sha256:[0-9a-f]{64}$/, 'must be an image with its digest: REGISTRY/NAME@sha256:HEX')
    .optional(),
});

/** How long each step may take and how much it may bring. Every one of them can be set per machine. */
export const limitsSchema = z.strictObject({
  connectTimeoutMs: milliseconds.default(10_000),
  statusTimeoutMs: milliseconds.default(10_000),
  evidenceTimeoutMs: milliseconds.default(30_000),
  startTimeoutMs: milliseconds.default(30_000),
  readyTimeoutMs: milliseconds.default(60_000),
  taskTimeoutMs: milliseconds.default(180_000),
  abortTimeoutMs: milliseconds.default(3_000),
  stopTimeoutMs: milliseconds.default(30_000),
  maxToolCalls: z.int().min(1).max(10_000).default(40),
  maxAnswerBytes: z.int().min(1_000).max(1_000_000).default(100_000),
  /** How long a whole run may take, from the moment a worker takes it up. */
  runTimeoutMs: milliseconds.default(900_000),
  /** Tokens, in and out together, that one run may use. */
  maxTokens: z.int().min(1).default(1_000_000),
  /** What one run may cost, in US dollars; tells only where the model's price is known. */
  maxCostUsd: z.number().positive().default(10),
  /** How many requests may wait for the machine. */
  maxWaiting: z.int().min(1).max(10_000).default(100),
  /** How many requests the machine may get, from all people together. */
  requestsPerMinute: z.int().min(1).max(10_000).default(60),
});

export const sshSchema = z.strictObject({
  user: z.string().min(1).default('fleetbot'),
  port: z.int().min(1).max(65_535).default(22),
});

/** Public host key as in `known_hosts` or `ssh-keyscan`: type and base64, without host name or comment. */
export const hostKeySchema = z
  .string()
  .regex(/^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa) [A-Za-z0-9+/]+={0,2}$/, {
    error: 'must be "TYPE BASE64", for example "ssh-ed25519 AAAAC3Nz…"',
    abort: true,
  });

export const channelSchema = z
  .string()
  .regex(/^[CGD][A-Z0-9]{2,}$/, 'must be a Slack channel id such as C0123ABCD (not a name)');

/** A machine with every default filled in. */
export const machineSchema = z.strictObject({
  name: nameSchema,
  address: z.string().min(1),
  ssh: sshSchema,
  hostKey: hostKeySchema,
  role: z.string().min(1).max(80),
  labels: z.record(z.string(), z.string()),
  expect: expectSchema,
  /** Names of the checks that may run here. */
  checks: z.array(nameSchema),
  customChecks: z.record(nameSchema, customCheckSchema),
  /** Names of the actions that may run here. */
  actions: z.array(nameSchema),
  agent: agentSchema,
  channel: channelSchema.optional(),
  limits: limitsSchema,
});

/** A machine of which some could not be read: enough to look for further mistakes in its entry. */
export const machineDraftSchema = machineSchema.partial({ name: true, address: true, hostKey: true });

export type Machine = z.infer<typeof machineSchema>;
export type MachineDraft = z.infer<typeof machineDraftSchema>;
export type Expect = z.infer<typeof expectSchema>;
export type CustomCheck = z.infer<typeof customCheckSchema>;
export type Limits = z.infer<typeof limitsSchema>;
export type TransportName = (typeof transportNames)[number];
