import { Redis, ReplyError } from 'ioredis';
import type { Logger } from 'pino';
import { FleetbotError, SettingsError, StoreUnavailableError } from '../fleet/errors.ts';
import { accessOptions, type ConnectionOptions, type RedisAccess } from './redis-access.ts';
import { loadingProgress } from './redis-loading.ts';
import { logOutages, logRefusals } from './redis-log.ts';
import { overheard } from './redis-overheard.ts';
import { sentinelTrouble } from './redis-sentinels.ts';
import { placeOf, redisTrouble } from './redis-trouble.ts';
import { loadScripts } from './scripts.ts';

const reconnectMaxMs = 2_000;
const reconnectStepMs = 100;
/** How often a server that loads its data is asked whether it has. */
const loadingPollMs = 1_000;
/** Longer than BullMQ's longest blocking read (10 s), so that only a dead connection runs into it. */
const workerSocketTimeoutMs = 20_000;
/** ioredis' answer of `reconnectOnError` for: reconnect, and send the refused command once more. */
const reconnectAndSendAgain = 2;

/**
 * A connection for a bot's requests: a person waits at the other end. Nothing is queued while Redis is away
 * and nothing is sent twice; a command that is not answered in time is rejected.
 * @throws SettingsError for a certificate or key that cannot be used
 */
export function connectForRequests(url: string, log: Logger, timeoutMs: number, access?: RedisAccess): Redis {
  return connect(url, log, access, isReplica, {
    connectionName: 'fleetbot-requests',
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: timeoutMs,
    // A command that is late leaves the connection open; one that is silent for as long is dead and replaced.
    socketTimeout: timeoutMs,
  });
}

/**
 * A connection for workers: while Redis is away, commands wait for it; unanswered ones are sent again.
 * @throws SettingsError for a certificate or key that cannot be used
 */
export function connectForWorkers(url: string, log: Logger, access?: RedisAccess): Redis {
  return connect(url, log, access, (error) => (isReplica(error) ? reconnectAndSendAgain : false), {
    connectionName: 'fleetbot-worker',
    maxRetriesPerRequest: null,
    socketTimeout: workerSocketTimeoutMs,
  });
}

/** After a fail-over an open connection may lead to the former primary, which refuses writes for ever. */
function isReplica(error: Error): boolean {
  return redisTrouble(error)?.kind === 'replica';
}

function connect(
  url: string,
  log: Logger,
  access: RedisAccess = {},
  reconnects: (error: Error) => boolean | typeof reconnectAndSendAgain,
  options: ConnectionOptions,
): Redis {
  const hearRefusal = logRefusals(log, () => placeOf(redis, true));
  const redis = new Redis(url, {
    ...accessOptions(url, access),
    ...options,
    maxLoadingRetryTime: loadingPollMs,
    scripts: loadScripts(),
    retryStrategy: (attempt: number) => Math.min(attempt * reconnectStepMs, reconnectMaxMs),
    // Hears every error that Redis answers, on BullMQ's duplicates of this connection too.
    reconnectOnError: (error) => {
      hearRefusal(error);
      return reconnects(error);
    },
  });
  logOutages(redis, log);
  return redis;
}

/**
 * The error for what stands in the way of everything: SettingsError where no patience cures it, else
 * StoreUnavailableError. Undefined for any other error.
 */
export function storeProblem(error: unknown, redis: Redis): FleetbotError | undefined {
  const trouble = redisTrouble(error, placeOf(redis));
  return trouble && problemOf(trouble.message, trouble.final, error);
}

function problemOf(message: string, final: boolean, cause: unknown): FleetbotError {
  return final ? new SettingsError(message, { cause }) : new StoreUnavailableError(message, { cause });
}

/**
 * Waits for the first connection; where Redis loads its data, as long as that takes.
 * @throws SettingsError for what no patience cures, such as a refused login; mostly at once
 * @throws StoreUnavailableError when it does not answer in time
 */
export async function whenConnected(redis: Redis, timeoutMs: number, log: Logger): Promise<void> {
  if (redis.status === 'ready') return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let last: Error | undefined;
  const onError = (error: Error): void => {
    last = error;
    const problem = storeProblem(error, redis);
    if (problem instanceof SettingsError) reject(problem);
  };
  redis.once('ready', resolve).on('error', onError);
  const waitOrGiveUp = async (): Promise<void> => {
    const progress = await loadingProgress(redis);
    if (redis.status === 'ready') return;
    if (progress === undefined) return reject(await noAnswer(redis, timeoutMs, last));
    log.info(`${placeOf(redis).server} is loading its data (${progress}); waiting until it has`);
    timer.refresh();
  };
  const timer = setTimeout(waitOrGiveUp, timeoutMs);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    redis.off('ready', resolve).off('error', onError);
  }
}

/** What is known when nothing came in time; for troubles of which ioredis tells too little, what is seen now. */
async function noAnswer(redis: Redis, timeoutMs: number, last?: Error): Promise<FleetbotError> {
  const place = placeOf(redis);
  let trouble = redisTrouble(last ?? new Error('ETIMEDOUT'), place);
  if (trouble?.kind === 'broken') trouble = redisTrouble(await overheard(redis), place) ?? trouble;
  if (trouble?.kind === 'sentinels-unreachable' || trouble?.kind === 'no-answer') {
    trouble = (await sentinelTrouble(redis)) ?? trouble;
  }
  const why = trouble?.message ?? `${place.server}: ${last?.message}. ${place.cure}`;
  return problemOf(`Redis did not answer within ${timeoutMs} ms. ${why}`, trouble?.final === true, last);
}

/**
 * Awaits a command of a requests connection.
 * @throws StoreUnavailableError which tells whether it was certainly not done, or is not confirmed
 */
export async function ask<T>(what: string, command: Promise<T>): Promise<T> {
  try {
    return await command;
  } catch (error) {
    if (error instanceof FleetbotError) throw error;
    const trouble = error instanceof ReplyError ? redisTrouble(error) : undefined;
    if (trouble) {
      throw new StoreUnavailableError(`Redis refused to ${what}. ${trouble.message}`, { cause: error });
    }
    const reason = error instanceof Error ? error.message : String(error);
    const notSent = /^(Stream isn't writeable|Connection is closed)/.test(reason);
    throw new StoreUnavailableError(
      notSent || error instanceof ReplyError
        ? `Redis is not available, so it could not ${what} (${reason}). Nothing was changed; try again when Redis is back.`
        : `Redis did not confirm in time that it did ${what} (${reason}). It may or may not have been done: look before you try again.`,
      { cause: error },
    );
  }
}
