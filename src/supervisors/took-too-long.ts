import type { Failure, RunFailureCode } from '../fleet/errors.ts';
import type { Machine } from '../fleet/machine.ts';

/** Why a run was ended whose time was over. */
export function tookTooLong({ name, limits }: Machine): Failure {
  return {
    code: 'run-timeout' satisfies RunFailureCode,
    message:
      `The run took longer than the ${limits.runTimeoutMs / 1_000} s that a run on ${name} may take, and was ended. ` +
      'Ask for less, or ask an operator to raise `limits.runTimeoutMs`.',
  };
}
