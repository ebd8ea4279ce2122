import { toFailure } from '../fleet/errors.ts';
import { redact } from '../telemetry/redact.ts';

/** Writes an error for people to stderr. */
export function complain(error: unknown): void {
  process.stderr.write(`${redact(toFailure(error).message)}\n`);
}
