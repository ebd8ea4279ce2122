import { haltIdOfLock } from '../fleet/halt.ts';
import type { Machine } from '../fleet/machine.ts';
import { type LockOutcome, lockMachine, outcomeOf, unlockMachine } from './measure-lock.ts';
import { Places } from './places.ts';
import type { Brakes, MachineBrake, Redact } from './ports.ts';

/** How every lock begins that was made without Redis and Slack. */
const directLockPrefix = 'halt --direct by ';

/** What became of one machine. */
export type DirectResult = LockOutcome & { readonly machine: string };

interface DirectOptions {
  /** Machines asked at a time. */
  readonly concurrency: number;
  readonly redact: Redact;
}

/**
 * Locks the machines over their gates, without a store. Yields each as soon as it is known: `inactive` (locked,
 * its agent measured so), `ending`, `unreachable` or `failed`. A lock that is there already is replaced. Every
 * machine is asked, whether or not the results are read to their end. Never throws.
 * @param options.by who does it, as `USER@HOST`
 */
export function haltDirectly(
  machines: readonly Machine[],
  reason: string,
  brakes: Brakes,
  options: DirectOptions & { readonly by: string },
): AsyncIterable<DirectResult> {
  const { by, redact } = options;
  const lock = `${directLockPrefix}${by}: ${reason}`;
  return each(machines, brakes, options, (machine, brake) => lockMachine(machine, brake, lock, redact));
}

/**
 * Unlocks the machines that `haltDirectly` locked. One that is locked by other means stays so and is `failed` with
 * how to unlock it, unless `force`. Yields and promises as `haltDirectly` does; `unlocked` also for one that was
 * not locked.
 */
export function resumeDirectly(
  machines: readonly Machine[],
  brakes: Brakes,
  options: DirectOptions & { readonly force: boolean },
): AsyncIterable<DirectResult> {
  return each(machines, brakes, options, (_machine, brake) => unlockDirectly(brake, options));
}

async function unlockDirectly(
  brake: MachineBrake,
  { force, redact }: { readonly force: boolean; readonly redact: Redact },
): Promise<LockOutcome> {
  try {
    const { lock } = await brake.status();
    if (lock === null) return { outcome: 'unlocked', detail: 'It was not locked.' };
    if (!force && !lock.reason.startsWith(directLockPrefix)) {
      return { outcome: 'failed', detail: redact(whyItStaysLocked(lock.reason)) };
    }
    return await unlockMachine(brake, lock.reason, redact);
  } catch (error) {
    return outcomeOf(error, redact);
  }
}

function whyItStaysLocked(reason: string): string {
  const cure =
    haltIdOfLock(reason) === undefined
      ? 'Ask whoever locked it, or use --force.'
      : 'Type /fleet resume in Slack, or use --force while Slack or Redis is away.';
  return `It stays locked: ${reason}. ${cure}`;
}

function each(
  machines: readonly Machine[],
  brakes: Brakes,
  { concurrency }: DirectOptions,
  work: (machine: Machine, brake: MachineBrake) => Promise<LockOutcome>,
): AsyncIterable<DirectResult> {
  const places = new Places(concurrency);
  return asTheyCome(
    machines.map(async (machine) => {
      const outcome = places.hold(() => work(machine, brakes.gate(machine)));
      return { machine: machine.name, ...(await outcome) };
    }),
  );
}

/** Yields what the promises bring, the first one first. None of them may reject. */
async function* asTheyCome<T>(promises: readonly Promise<T>[]): AsyncGenerator<T> {
  const arrivals = promises.map(() => Promise.withResolvers<T>());
  let arrived = 0;
  for (const promise of promises) {
    void promise.then((value) => arrivals[arrived++]?.resolve(value));
  }
  for (const { promise } of arrivals) yield await promise;
}
