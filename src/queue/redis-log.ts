import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { placeOf, type RedisTrouble, redisTrouble } from './redis-trouble.ts';
import type { RedisPlace } from './redis-trouble-table.ts';

/** A refusal that lasts is told again after this time. */
const tellAgainMs = 600_000;

/** fleetbot can do without it: see `safety.ts`. */
const optionalCommands: ReadonlySet<string> = new Set(['config']);

/**
 * One line when Redis goes and one when it is back, however often the connection is tried meanwhile; another
 * one when it comes to a trouble that no patience cures. Nothing before the first connection: `whenConnected`
 * tells why there is none.
 */
export function logOutages(redis: Redis, log: Logger): void {
  let answers: boolean | undefined;
  const told = new Set<string>();
  redis.on('error', (error: Error) => {
    if (answers === undefined) return;
    const trouble = redisTrouble(error, placeOf(redis, true));
    const isNews = answers || (trouble?.final === true && !told.has(trouble.kind));
    answers = false;
    if (!isNews) return;
    if (trouble) told.add(trouble.kind);
    log.error(
      { err: error, connection: redis.options.connectionName, ...(trouble && { trouble: trouble.kind }) },
      `Redis does not answer; trying again until it does. ${trouble?.message ?? error.message}`,
    );
  });
  redis.on('ready', () => {
    if (answers === false) log.info('Redis answers again');
    answers = true;
    told.clear();
  });
}

/**
 * Passes errors on; of each kind of trouble with Redis only the first, and another one when it lasts. For what
 * hears of every attempt.
 */
export function oncePerTrouble(
  tell: (error: Error, trouble: RedisTrouble | undefined) => void,
  place?: () => RedisPlace,
): (error: Error) => void {
  const told = new Set<RedisTrouble['kind']>();
  return (error) => {
    const trouble = redisTrouble(error, place?.());
    if (trouble !== undefined) {
      if (told.has(trouble.kind)) return;
      told.add(trouble.kind);
      setTimeout(() => told.delete(trouble.kind), tellAgainMs).unref();
    }
    tell(error, trouble);
  };
}

/** Takes every error that Redis answers and logs what stands in the way; most are part of the normal course. */
export function logRefusals(log: Logger, place: () => RedisPlace): (error: Error) => void {
  const tell = oncePerTrouble((error, trouble) => {
    if (!trouble) return;
    log.error({ err: error, trouble: trouble.kind }, `Redis refuses what it is told. ${trouble.message}`);
  }, place);
  return (error) => {
    if (!isOptional(error)) tell(error);
  };
}

/** ioredis puts the refused command on the error. */
function isOptional(error: Error): boolean {
  if (!('command' in error) || typeof error.command !== 'object' || error.command === null) return false;
  const { command } = error;
  return 'name' in command && typeof command.name === 'string' && optionalCommands.has(command.name);
}
