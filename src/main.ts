#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { type Bot, createBot } from './bot/create-bot.ts';
import { createMachines, type EdgeMachines } from './edge-client/create-machines.ts';
import { InputError, toFailure } from './fleet/errors.ts';
import { createQueue, type Queue } from './queue/create-queue.ts';
import { readCommandLine, usage } from './runtime/command-line.ts';
import { createLogger } from './runtime/create-logger.ts';
import { type FleetFile, openFleetFile, readFleetFile } from './runtime/fleet-file.ts';
import { type ReadyCheck, startHealthServer } from './runtime/health-server.ts';
import { readSettings, type Settings, type SlackSettings } from './runtime/settings.ts';
import { exitCodes, handleShutdown, type ShutdownStep } from './runtime/shutdown.ts';
import { defaultSupervisorSettings } from './supervisors/context.ts';
import { createSupervisor } from './supervisors/create-supervisor.ts';
import { createTelemetry, type Telemetry } from './telemetry/create-telemetry.ts';
import { redact } from './telemetry/redact.ts';

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
}

async function start(): Promise<void> {
  const settings = readSettings(process.env);
  const log = createLogger({ level: settings.logLevel, redact });
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

/** Opens the parts one after the other; each adds its end to the front of `steps`. */
async function open(settings: Settings, log: Logger, steps: ShutdownStep[]): Promise<void> {
  const fleet = await openFleetFile(settings.fleetFile, { log });
  steps.unshift({ name: 'fleet file', run: () => fleet.close() });
  const telemetry = await createTelemetry({ mlflow: settings.mlflow, log });
  steps.unshift({ name: 'telemetry', run: () => telemetry.shutdown() });
  const machines = settings.worker && createMachines({ privateKey: settings.worker.sshPrivateKey, log });
  if (machines) steps.unshift({ name: 'machines', run: () => machines.close() });
  const { url, ...redisSettings } = settings.redis;
  const queue = await createQueue({ redisUrl: url, log, settings: redisSettings });
  steps.unshift({ name: 'queue', run: () => queue.close() });

  const shared: Shared = { settings, log, fleet, queue, telemetry };
  const bot = settings.slack && botOf(shared, settings.slack);
  const checks: ReadyCheck[] = [
    { name: 'redis', ready: () => queue.ready() },
    ...(bot ? [{ name: 'slack', ready: () => bot.ready() }] : []),
  ];
  // Before Slack, which may be away: the page then says so, and the worker works.
  const health = await startHealthServer({ ...settings.health, checks });
  steps.unshift({ name: 'health page', run: () => health.close() });

  if (settings.worker && machines) await work(shared, machines, settings.worker.concurrency);
  if (bot) {
    steps.unshift({ name: 'bot', run: () => bot.stop() });
    await bot.start();
  }
  log.info(
    { role: settings.role, machines: fleet.current().machines.size, healthPort: health.port },
    'ready',
  );
}

/** The worker: takes wakes and drives runs until the queue is closed. */
function work(shared: Shared, machines: EdgeMachines, concurrency: number): Promise<void> {
  const { log, fleet, queue, telemetry } = shared;
  const drive = createSupervisor({
    fleet: () => fleet.current(),
    runs: queue.runs,
    machines,
    tracer: telemetry.tracer,
    redact,
    clock: Date.now,
    log,
    settings: defaultSupervisorSettings,
  });
  return queue.work(drive, { concurrency });
}

/** The bot: takes commands and clicks, and publishes records. */
function botOf(shared: Shared, { botToken, apiUrl, connection }: SlackSettings): Bot {
  const { log, fleet, queue, telemetry } = shared;
  return createBot({
    connection,
    botToken,
    ...(apiUrl !== undefined && { slackApiUrl: apiUrl }),
    fleet,
    requests: queue.requests,
    views: queue.views,
    budget: queue.budget,
    linkTo: telemetry.linkTo,
    finishTrace: (run) => telemetry.tracer.finish(run),
    redact,
    clock: Date.now,
    random: Math.random,
    log,
  });
}

/** Checks every file, also after one that cannot be used. Returns whether all can be. */
async function validate(files: readonly string[]): Promise<boolean> {
  let valid = true;
  for (const file of files) {
    try {
      const { machines, access } = await readFleetFile(file);
      const content = `${machines.size} machines, ${access.length} access rules`;
      process.stdout.write(`${file}: ${content}: valid\n`);
    } catch (error) {
      complain(error);
      valid = false;
    }
  }
  return valid;
}

/** The version in package.json. */
async function version(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

function complain(error: unknown): void {
  process.stderr.write(`${redact(toFailure(error).message)}\n`);
}

async function main(args: readonly string[]): Promise<void> {
  const line = readCommandLine(args);
  switch (line.command) {
    case 'start':
      return start();
    case 'validate':
      if (!(await validate(line.files))) process.exitCode = exitCodes.failed;
      return;
    case 'help':
      process.stdout.write(usage);
      return;
    case 'version':
      process.stdout.write(`${await version()}\n`);
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  complain(error);
  if (error instanceof InputError) process.stderr.write(`\n${usage}`);
  process.exit(error instanceof InputError ? exitCodes.usage : exitCodes.failed);
}
