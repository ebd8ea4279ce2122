import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 50;

/** Resolves with what the condition brings as soon as it does not throw. @throws what it threw last */
export async function until<T>(condition: () => Promise<T>, timeoutMs: number): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await condition();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await sleep(pollMs);
  }
}
