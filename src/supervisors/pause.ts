import { setTimeout as sleep } from 'node:timers/promises';

/** Waits. @throws the reason of `signal` as soon as it aborts */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
