import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Halt } from '../fleet/halt.ts';
import type { RedisHalts } from './halts.ts';
import type { RedisRunStore } from './run-store.ts';
import type { WakeWorker } from './wake-worker.ts';

export interface ObeyHaltsOptions {
  readonly halts: Pick<RedisHalts, 'known' | 'onChanged' | 'listen'>;
  readonly runs: Pick<RedisRunStore, 'cancelForHalt'>;
  readonly haltOf: (halts: readonly Halt[], machine: string) => Halt | undefined;
  readonly worker: Pick<WakeWorker, 'driven'>;
  readonly log: Logger;
}

/**
 * From now on, whenever halts change, the runs that this process drives on halted machines are cancelled. Returns how
 * to stop.
 */
export async function obeyHalts(options: ObeyHaltsOptions, subscriber: Redis): Promise<() => void> {
  const { halts, log } = options;
  const unsubscribe = halts.onChanged(() => {
    obey(options).catch((error: unknown) => log.error({ err: error }, 'a change of halts was not obeyed'));
  });
  const stopListening = await halts.listen(subscriber);
  return () => {
    unsubscribe();
    stopListening();
  };
}

async function obey({ halts, runs, haltOf, worker, log }: ObeyHaltsOptions): Promise<void> {
  const cancelling = worker.driven().map(async (run) => {
    const halt = haltOf(halts.known.halts, run.request.machine);
    if (halt === undefined) return;
    const { traceId: trace } = run.trace;
    log.warn({ run: run.id, machine: run.request.machine, trace, halt: halt.id }, 'cancelling a run: halted');
    await runs.cancelForHalt(run, halt);
  });
  // Together: none waits until another one's cancellation is on disk, nor fails with it.
  await Promise.all(cancelling);
}
