/** Errors wrap one another a few times; a longer chain is a circle. */
const maxDepth = 8;

/** What a log line holds of an error. */
export interface ErrorRecord {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string | number;
  readonly cause?: unknown;
  /** The errors of an AggregateError. */
  readonly errors?: readonly unknown[];
}

/**
 * Reduces an error and its causes to what a log line may hold. Whatever else hangs on an error stays out,
 * because it can be a secret that no rule knows by its form: ioredis puts the refused command with the
 * password on it, Slack's client the answer's headers and body. What is no error becomes text.
 */
export function errorRecord(error: unknown, depth = 0): ErrorRecord | string {
  if (!(error instanceof Error)) return String(error);
  const { cause, stack, message } = error;
  const code = 'code' in error ? error.code : undefined;
  const inner = depth < maxDepth ? (other: unknown) => errorRecord(other, depth + 1) : String;
  return {
    type: error.constructor.name,
    message,
    ...(stack !== undefined && { stack }),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    ...(cause !== undefined && { cause: inner(cause) }),
    ...(error instanceof AggregateError && { errors: error.errors.map(inner) }),
  };
}
