import type { EventEmitter } from 'node:events';
import { InputError } from '../fleet/errors.ts';

/** How people, terminals and systems tell a command to end. */
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * While it is held, the process does not end when it is told to, however often, nor when nobody reads its output any
 * longer: the signal aborts instead, so that what was begun can be undone first.
 */
export function holdInterruption(
  process: EventEmitter,
  output: EventEmitter,
): Disposable & { readonly signal: AbortSignal } {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort(new InputError('It was broken off.'));
  for (const ending of endings) process.on(ending, interrupt);
  output.on('error', interrupt);
  return {
    signal: interrupted.signal,
    [Symbol.dispose]: () => {
      for (const ending of endings) process.off(ending, interrupt);
      output.off('error', interrupt);
    },
  };
}
