import { type Failure, toFailure } from '../fleet/errors.ts';
import type { Redact } from './ports.ts';

/** What is kept of an error. Its sentence may quote what a machine or an agent printed. */
export function failureOf(error: unknown, redact: Redact): Failure {
  const { code, message } = toFailure(error);
  return { code, message: redact(message) };
}
