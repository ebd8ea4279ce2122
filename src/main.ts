#!/usr/bin/env node
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import { createIntake, type Intake } from './alerts/intake.ts';
import { createAlertMessages } from './alerts/slack/create-alert-messages.ts';
import { startWebhookServer } from './alerts/webhook-server.ts';
import type { Bot } from './bot/create-bot.ts';
import { recordId } from './bot/record-id.ts';
import { printCollectorPrices } from './commands/collector-prices.ts';
import { complain } from './commands/complain.ts';
import { printPolicy } from './commands/edge-policy.ts';
import { lockDirectly } from './commands/lock-directly.ts';
import { makeKey } from './commands/make-key.ts';
import { makeMlflowReady } from './commands/mlflow-init.ts';
import { replayTraces } from './commands/replay-traces.ts';
import { searchLedger } from './commands/search-ledger.ts';
import { validate } from './commands/validate.ts';
import { verifyExport } from './commands/verify-ledger.ts';
import { verifyOneMachine } from './commands/verify-machine.ts';
import { assessmentsDuty } from './dispatch/assessments.ts';
import { campaignsDuty } from './dispatch/campaigns.ts';
import { createDispatcher, type Dispatcher, dispatchIntervalMs } from './dispatch/create-dispatcher.ts';
import { type HandInTools, handIn } from './dispatch/hand-in.ts';
import { handOverDuty } from './dispatch/hand-overs.ts';
import { createHoldBack } from './dispatch/hold-back.ts';
import { incidentsDuty } from './dispatch/incidents.ts';
import { createPeers, type Peers } from './dispatch/peers.ts';
import { schedulesDuty } from './dispatch/schedules.ts';
import { silencesDuty } from './dispatch/silences.ts';
import { createMachines, type EdgeMachines } from './edge-client/create-machines.ts';
import { createSeals } from './fleet/create-seals.ts';
import { InputError } from './fleet/errors.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { Run } from './fleet/run.ts';
import { readSigningKey } from './fleet/signing-key.ts';
import { createPagers, type Pagers } from './on-call/create-pagers.ts';
import { readPagers } from './on-call/pagers-file.ts';
import type { Queue } from './queue/create-queue.ts';
import { lockFile } from './queue/file-lock.ts';
import { LedgerExporter } from './queue/ledger/ledger-exporter.ts';
import { ledgerExportDefaults } from './queue/ledger/ledger-settings.ts';
import { PolicyRecorder } from './queue/ledger/policy-recorder.ts';
import { readCommandLine } from './runtime/command-line.ts';
import { createLogger } from './runtime/create-logger.ts';
import { type FleetFile, openFleetFile } from './runtime/fleet-file.ts';
import { type ReadyCheck, startHealthServer } from './runtime/health-server.ts';
import { keysInUse } from './runtime/keys-in-use.ts';
import { readSettings, type Settings, type SlackSettings, type WorkerSettings } from './runtime/settings.ts';
import { exitCodes, handleShutdown, type ShutdownStep } from './runtime/shutdown.ts';
import type { SignerSettings } from './runtime/signer-settings.ts';
import { usage } from './runtime/usage.ts';
import { createSigner, type Signer } from './signer/create-signer.ts';
import { defaultSupervisorSettings } from './supervisors/context.ts';
import { createSupervisor } from './supervisors/create-supervisor.ts';
import { createReconciler, type Reconciler } from './supervisors/reconciler/create-reconciler.ts';
import { defaultReconcilerSettings } from './supervisors/reconciler/parts.ts';
import { createTelemetry, type Telemetry } from './telemetry/create-telemetry.ts';
import type { FleetMetrics } from './telemetry/metrics/create-metrics.ts';
import { redact } from './telemetry/redact.ts';
import type { SafeTracer } from './telemetry/safe-tracer.ts';

/**
 * The program and the composition root: the only file that knows every room. Parts are started in order
 * and ended in the opposite one.
 */

/** What the parts of a process share. */
interface Shared {
  readonly settings: Settings;
  readonly log: Logger;
  readonly fleet: FleetFile;
  readonly queue: Queue;
  readonly telemetry: Telemetry;
  readonly metrics: FleetMetrics;
  /** Records and counts. */
  readonly tracer: SafeTracer;
}

async function start(): Promise<void> {
  const settings = readSettings(process.env);
  const log = createLogger({ level: settings.logLevel, redact });
  for (const name of settings.needlessKeys) {
    log.warn(
      `a ${settings.role} does not need ${name}: take it away, so that nobody can do alone what takes several`,
    );
  }
  const steps: ShutdownStep[] = [];
  // Before anything is opened: a signal during the start ends what is open by then.
  const end = handleShutdown({ steps, timeoutMs: settings.shutdownTimeoutMs, log });
  try {
    await open(settings, log, steps);
  } catch (error) {
    // The worker may be driving runs already: their agents must not be left alone.
    await end();
    throw error;
  }
}

/** The rooms whose libraries take longest to load: a command such as `halt --direct` does not wait for them. */
async function loadServices() {
  const [{ createQueue }, { createMetrics }] = await Promise.all([
    import('./queue/create-queue.ts'),
    import('./telemetry/metrics/create-metrics.ts'),
  ]);
  return { createQueue, createMetrics };
}

/** Opens the parts one after the other; each adds its end to the front of `steps`. */
async function open(settings: Settings, log: Logger, steps: ShutdownStep[]): Promise<void> {
  const fleet = await openFleetFile(settings.fleetFile, { log });
  steps.unshift({ name: 'fleet file', run: () => fleet.close() });
  const pagers = pagersOf(settings, fleet, log);
  const telemetry = await telemetryOf(settings, log);
  steps.unshift({ name: 'telemetry', run: () => telemetry.shutdown() });
  const machines = settings.worker && createMachines({ privateKey: settings.worker.sshPrivateKey, log });
  if (machines) steps.unshift({ name: 'machines', run: () => machines.close() });
  const { createQueue, createMetrics } = await loadServices();
  const { url, access, ...redisSettings } = settings.redis;
  const queue = await createQueue({
    ...{ redisUrl: url, redisAccess: access, log, settings: redisSettings },
    fleet: () => fleet.current(),
  });
  steps.unshift({ name: 'queue', run: () => queue.close() });

  const metrics = createMetrics({ log, clock: () => performance.now() });
  const tracer = metrics.tracer(telemetry.tracer);
  const shared: Shared = { settings, log, fleet, queue, telemetry, metrics, tracer };
  const exporter = await keepLedger(shared, steps);
  const bot = settings.slack && (await botOf(shared, settings.slack));
  const checks: ReadyCheck[] = [
    { name: 'redis', ready: () => queue.ready() },
    ...(bot ? [{ name: 'slack', ready: () => bot.ready() }] : []),
    ...(settings.signer ? [{ name: 'signer', ready: () => queue.signingAsks.isLooking() }] : []),
  ];
  const page = metrics.page({
    ...{ version: await version(), role: settings.role, fleet, spans: () => telemetry.counts() },
    signs: settings.signer !== undefined,
    slackConnected: bot && (() => bot.ready()),
    ledgerFailure: exporter && (() => exporter.status().failure),
    ssh: machines && (() => machines.stats()),
    gauges: () => queue.gauges(),
  });
  // Before Slack, which may be away: the page then says so, and the worker works.
  const health = await startHealthServer({ ...settings.health, checks, metrics: page });
  steps.unshift({ name: 'health page', run: () => health.close() });

  if (settings.signer) {
    const signer = signerOf(shared, settings.signer);
    steps.unshift({ name: 'signer', run: () => signer.stop() });
    signer.start();
  }
  if (settings.worker && machines) {
    const reconciler = reconcilerOf(shared, machines, settings.worker);
    steps.unshift({ name: 'reconciler', run: () => reconciler.stop() });
    await work(shared, machines, settings.worker);
    reconciler.start();
  }
  if (bot) {
    await openWebhook(shared, steps);
    steps.unshift({ name: 'bot', run: () => bot.stop() });
    const dispatcher = dispatcherOf(shared, bot, pagers);
    steps.unshift({ name: 'dispatcher', run: () => dispatcher.stop() });
    dispatcher.start();
  }
  // First of all, also while Slack is waited for: nothing that hangs may keep an agent alive.
  steps.unshift({ name: 'runs', run: () => queue.letGo() });
  await bot?.start();
  log.info(
    {
      role: settings.role,
      machines: fleet.current().machines.size,
      healthPort: health.port,
      fingerprints: keysInUse(settings),
    },
    'ready',
  );
}

/** Traces of runs. Their spans wait on disk, where the settings name a folder for them. */
function telemetryOf({ mlflow, spans }: Settings, log: Logger): Promise<Telemetry> {
  if (mlflow && !spans) {
    log.warn(
      'spans of traces that MLflow has not taken are lost with this process: set FLEETBOT_SPANS_FOLDER to a folder that lasts',
    );
  }
  const { lockVoidAfterMs: voidAfterMs } = ledgerExportDefaults;
  const options = { voidAfterMs, amongContainers: true, clock: Date.now, log };
  const disk = spans && {
    ...{ ...spans, folder: resolve(spans.folder) },
    lockFile: async (path: string) => (await lockFile(path, options)).lock,
  };
  return createTelemetry({ mlflow, disk, log });
}

/** The ledger: it is told which fleet file is in force, and copied to a file where one is set. */
async function keepLedger(
  { settings, log, fleet, queue }: Shared,
  steps: ShutdownStep[],
): Promise<LedgerExporter | undefined> {
  const policy = new PolicyRecorder({
    appendOnce: (slot, value, entry) => queue.ledger.appendOnce(slot, value, entry),
    ...{ log, clock: Date.now },
  });
  steps.unshift({ name: 'policy in the ledger', run: () => policy.stop() });
  fleet.beforeChange((next) => policy.record(next));
  await policy.record(fleet.current());
  if (!settings.ledger) return undefined;
  const { file, privateKey, maxBytes } = settings.ledger;
  const exporter = new LedgerExporter({
    ...{ source: queue.ledger, file, privateKey, settings: { maxBytes }, log, clock: Date.now },
    exporterName: `${hostname()}:${resolve(file)}`,
  });
  await exporter.start();
  steps.unshift({ name: 'export of the ledger', run: () => exporter.stop() });
  return exporter;
}

/** The worker: takes wakes and drives runs until the queue is closed. */
function work(shared: Shared, machines: EdgeMachines, { concurrency }: WorkerSettings): Promise<void> {
  const { log, fleet, queue, telemetry, tracer } = shared;
  const drive = createSupervisor({
    fleet: () => fleet.current(),
    runs: queue.runs,
    restraints: queue.restraints,
    machines,
    signer: queue.signer,
    peers: peersOf(shared),
    tracer,
    redact,
    clock: Date.now,
    log,
    settings: defaultSupervisorSettings,
  });
  return queue.work(drive, {
    concurrency,
    onExpired: (run) => endTrace(run, shared),
    // Counted where it ended, if its process still came to that: only its trace lacks the end.
    onUntraced: (run) => endTrace(run, { ...shared, tracer: telemetry.tracer }),
  });
}

/** Ends the trace of a run that is done. */
function endTrace(run: Run, { queue, tracer }: Pick<Shared, 'queue' | 'tracer'>): void {
  tracer.finish(run);
  queue.runs.traced(run.id);
}

/** The supervisors of other machines, as one of this worker asks them. */
function peersOf({ fleet, queue }: Shared): Peers {
  return createPeers({
    fleet: () => fleet.current(),
    requests: queue.requests,
    halts: queue.halts,
    holdBack: createHoldBack({ silences: queue.silences, clock: Date.now }),
    budgets: queue.budgets,
    claims: queue.peerClaims,
    machinesOf: async (id) => (await queue.requests.campaign(id))?.campaign.machines ?? [],
    clock: Date.now,
  });
}

/** The signer: signs what people approved, by its own fleet file and keys. */
function signerOf({ log, fleet, queue, metrics }: Shared, settings: SignerSettings): Signer {
  return createSigner({
    ...settings,
    capsuleKey: readSigningKey(settings.capsuleKey, 'capsule'),
    asks: queue.signingAsks,
    runs: queue.requests,
    ledger: queue.ledger,
    meter: metrics.signer,
    fleet: () => fleet.current(),
    clock: Date.now,
    log,
  });
}

/** Sees to it, in one worker at a time, that machines are as the records say. */
function reconcilerOf(shared: Shared, machines: EdgeMachines, settings: WorkerSettings): Reconciler {
  const { log, fleet, queue, metrics } = shared;
  return createReconciler({
    fleet: () => fleet.current(),
    store: queue.reconciler,
    brakes: machines,
    meter: metrics.reconciler,
    redact,
    clock: Date.now,
    newId: () => randomUUID().replaceAll('-', ''),
    log,
    settings: { ...defaultReconcilerSettings, roundIntervalMs: settings.reconcileIntervalMs },
  });
}

/** The webhook for alerts, where the settings give it a secret; like all that takes requests in, a bot's. */
async function openWebhook(shared: Shared, steps: ShutdownStep[]): Promise<void> {
  const { settings, log, metrics } = shared;
  if (settings.alerts === undefined) return;
  const { token, hmacSecret, ...address } = settings.alerts;
  const webhook = await startWebhookServer({
    ...address,
    credentials: { token, hmacSecret },
    intake: intakeOf(shared),
    meter: metrics.alerts,
    clock: Date.now,
    log,
  });
  steps.unshift({ name: 'webhook for alerts', run: () => webhook.close() });
  log.info({ port: webhook.port }, 'the webhook for alerts is open');
}

function intakeOf({ log, fleet, queue, metrics }: Shared): Intake {
  return createIntake({
    fleet: () => fleet.current(),
    incidents: queue.incidents,
    meter: metrics.alerts,
    redact,
    log,
  });
}

/** What comes due by itself; in bots, which alone can say who asks. */
function dispatcherOf(shared: Shared, bot: Bot, pagers: Pagers): Dispatcher {
  const { log, fleet, queue, telemetry, metrics } = shared;
  const tools = handInToolsOf(shared);
  const { assessor } = telemetry;
  const ofTraces = { ledger: queue.ledgerTail, meter: metrics.assessments, clock: Date.now, log };
  return createDispatcher({
    duties: [
      ...(assessor ? [assessmentsDuty({ ...ofTraces, assessor })] : []),
      campaignsDuty({
        ...{ ...tools, requests: queue.requests, campaigns: queue.requests.campaigns },
        accepted: (task, runs) => metrics.bot.accepted(task, runs),
      }),
      schedulesDuty({
        fleet: tools.fleet,
        schedules: queue.schedules,
        mayAsk: (person, verb, machines) => bot.mayAsk(person, verb, machines),
        handIn: (wish) => handIn(wish, tools),
        clock: tools.clock,
        log,
      }),
      handOverDuty({
        ...{ store: queue.handOvers, pagers, slack: bot, silences: queue.silences },
        ...{ fleet: () => fleet.current(), clock: Date.now },
      }),
      silencesDuty({ silences: queue.silences, log }),
      incidentsDuty({ ...tools, incidents: queue.incidents, handIn: (wish) => handIn(wish, tools), log }),
    ],
    lead: (work, signal) => queue.leadDispatch(work, signal),
    intervalMs: dispatchIntervalMs,
    log,
  });
}

/** Whom the bot can call beside those in Slack; tells which of the fleet file's pagers it knows nothing of. */
function pagersOf(settings: Settings, fleet: FleetFile, log: Logger): Pagers {
  const pagers = createPagers({ entries: readPagers(settings.pagers ?? '{}'), log });
  const warn = ({ approvals }: Fleet) => {
    const unknown = settings.slack ? pagers.unknown(approvals.onCall) : [];
    if (unknown.length === 0) return;
    log.warn(
      { unknown },
      'onCall names pagers that FLEETBOT_PAGERS does not: add them, or nobody is called there',
    );
  };
  warn(fleet.current());
  fleet.beforeChange(async (next) => warn(next));
  return pagers;
}

/** How what comes due is handed in. */
function handInToolsOf({ settings, fleet, queue }: Shared): HandInTools {
  const { decisionKey } = settings;
  const seals = decisionKey === undefined ? undefined : createSeals(readSigningKey(decisionKey, 'decision'));
  return {
    fleet: () => fleet.current(),
    requests: queue.requests,
    halts: queue.halts,
    holdBack: createHoldBack({ silences: queue.silences, clock: Date.now }),
    budgets: queue.budgets,
    seal: seals && ((request) => seals.request(request)),
    newCampaignId: () => recordId('c', Date.now(), Math.random()),
    clock: Date.now,
  };
}

/** The bot: takes commands and clicks, and publishes records. Nobody else loads Slack's libraries. */
async function botOf(shared: Shared, { botToken, apiUrl, connection }: SlackSettings): Promise<Bot> {
  const { createBot } = await import('./bot/create-bot.ts');
  const { settings, log, fleet, queue, telemetry, metrics } = shared;
  const { decisionKey } = settings;
  if (decisionKey === undefined && fleet.current().actions.size > 0) {
    log.warn('the fleet file has actions, but without FLEETBOT_DECISION_KEY nobody can approve them');
  }
  return createBot({
    connection,
    botToken,
    ...(apiUrl !== undefined && { slackApiUrl: apiUrl }),
    fleet,
    requests: queue.requests,
    halts: queue.halts,
    silences: queue.silences,
    incidents: queue.incidents,
    approvals: queue.approvals,
    alertMessages: createAlertMessages({ fleet: () => fleet.current(), intake: intakeOf(shared), redact }),
    handOvers: queue.handOvers,
    schedules: queue.schedules,
    budgets: queue.budgets,
    spending: queue.spending,
    ...(decisionKey !== undefined && { seals: createSeals(readSigningKey(decisionKey, 'decision')) }),
    signerSeen: () => queue.signer.seen(),
    notices: queue,
    ledger: queue.ledger,
    facts: queue.ledgerFacts,
    meter: metrics.bot,
    views: queue.views,
    budget: metrics.budget(queue.budget),
    linkTo: telemetry.linkTo,
    finishTrace: (run) => endTrace(run, shared),
    redact,
    clock: Date.now,
    random: Math.random,
    log,
  });
}

/** The version in package.json. */
async function version(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

/** The exit code, once what is open has ended. */
function endWith(isWell: boolean): void {
  if (!isWell) process.exitCode = exitCodes.failed;
}

async function main(args: readonly string[]): Promise<void> {
  const line = readCommandLine(args);
  switch (line.command) {
    case 'start':
      return start();
    case 'validate':
      return endWith(await validate(line.files));
    case 'halt':
    case 'resume':
      return endWith(await lockDirectly(line));
    case 'edge policy':
      return printPolicy(line);
    case 'collector prices':
      return printCollectorPrices(line);
    case 'machine verify':
      return endWith(await verifyOneMachine(line));
    case 'mlflow init':
      return endWith(await makeMlflowReady(line));
    case 'traces replay':
      return endWith(await replayTraces(line));
    case 'ledger verify':
      return endWith(await verifyExport(line));
    case 'ledger search':
      return endWith(await searchLedger(line));
    case 'ledger key':
    case 'decision key':
    case 'capsule key':
      return makeKey(line);
    case 'help':
      process.stdout.write(usage);
      return;
    case 'version':
      process.stdout.write(`${await version()}\n`);
  }
}

/** The whole usage would push what is wrong off the screen. */
const howToGetHelp = 'fleetbot --help lists what it can do.\n';

// What the environment says already wins.
if (existsSync('.env')) process.loadEnvFile('.env');
try {
  await main(process.argv.slice(2));
} catch (error) {
  complain(error);
  if (error instanceof InputError)
    process.stderr.write(process.argv.length > 2 ? howToGetHelp : `\n${usage}`);
  process.exit(error instanceof InputError ? exitCodes.usage : exitCodes.failed);
}
