import { Redis, type RedisOptions, ReplyError } from 'ioredis';
import type { Logger } from 'pino';
import { FleetbotError, SettingsError, StoreUnavailableError } from '../fleet/errors.ts';
import { loadScripts } from './scripts.ts';

const reconnectMaxMs = 2_000;
const reconnectStepMs = 100;
/** Longer than BullMQ's longest blocking read (10 s), so that only a dead connection runs into it. */
const workerSocketTimeoutMs = 20_000;
/** ioredis' answer of `reconnectOnError` for: reconnect, and send the refused command once more. */
const reconnectAndSendAgain = 2;

/**
 * A connection for a bot's requests: a person waits at the other end. Nothing is queued while Redis is away
 * and nothing is sent twice; a command that is not answered in time is rejected.
 */
export function connectForRequests(url: string, log: Logger, timeoutMs: number): Redis {
  return connect(url, log, {
    connectionName: 'fleetbot-requests',
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: timeoutMs,
    // A command that is late leaves the connection open; one that is silent for as long is dead and replaced.
    socketTimeout: timeoutMs,
    reconnectOnError: isReplica,
  });
}

/** A connection for workers: while Redis is away, commands wait for it; unanswered ones are sent again. */
export function connectForWorkers(url: string, log: Logger): Redis {
  return connect(url, log, {
    connectionName: 'fleetbot-worker',
    maxRetriesPerRequest: null,
    socketTimeout: workerSocketTimeoutMs,
    reconnectOnError: (error) => (isReplica(error) ? reconnectAndSendAgain : false),
  });
}

/** After a fail-over an open connection may lead to the former primary, which refuses writes for ever. */
function isReplica(error: Error): boolean {
  return error.message.includes('READONLY');
}

function connect(url: string, log: Logger, options: Omit<RedisOptions, 'replyMapping'>): Redis {
  const redis = new Redis(url, {
    ...options,
    scripts: loadScripts(),
    retryStrategy: (attempt: number) => Math.min(attempt * reconnectStepMs, reconnectMaxMs),
  });
  logOutages(redis, log);
  return redis;
}

/**
 * One line when Redis goes and one when it is back, however often the connection is tried meanwhile. Nothing
 * before the first connection: `whenConnected` tells why there is none.
 */
function logOutages(redis: Redis, log: Logger): void {
  let answers: boolean | undefined;
  redis.on('error', (error: Error) => {
    if (!answers) return;
    answers = false;
    log.error({ err: error }, 'Redis does not answer; trying again until it does');
  });
  redis.on('ready', () => {
    if (answers === false) log.info('Redis answers again');
    answers = true;
  });
}

/** What Redis says to a wrong login, to none where it wants one, and to a user who may not do a command. */
const refusedLogin = /^(?:WRONGPASS|NOAUTH|NOPERM)/;

/** The error for a login that Redis refuses, which no patience cures; undefined for any other error. */
export function loginProblem(error: unknown): SettingsError | undefined {
  if (!(error instanceof Error && refusedLogin.test(error.message))) return undefined;
  return new SettingsError(
    `Redis refused the login: check user and password in REDIS_URL, and what that user may do (${error.message}).`,
    { cause: error },
  );
}

/**
 * Waits for the first connection.
 * @throws SettingsError at once when Redis refuses the login
 * @throws StoreUnavailableError when it does not answer in time
 */
export async function whenConnected(redis: Redis, timeoutMs: number): Promise<void> {
  if (redis.status === 'ready') return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let last: Error | undefined;
  const onError = (error: Error): void => {
    last = error;
    const refused = loginProblem(error);
    if (refused) reject(refused);
  };
  redis.once('ready', resolve).on('error', onError);
  const timer = setTimeout(() => {
    const message = `Redis did not answer within ${timeoutMs} ms: ${last?.message ?? 'no answer'}. Check REDIS_URL and that Redis runs.`;
    reject(new StoreUnavailableError(message, { cause: last }));
  }, timeoutMs);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    redis.off('ready', resolve).off('error', onError);
  }
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
