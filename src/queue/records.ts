import { z } from 'zod';
import { cancellationSchema, type Run, runSchema } from '../fleet/run.ts';

/** A string field that may be missing: hash fields come as null, from Lua as null too. */
export const maybeText = z.string().nullable();

const json = z.string().transform((text): unknown => JSON.parse(text));
const storedRun = json.pipe(runSchema);
export const storedCancellation = json.pipe(cancellationSchema);

/** The run of a stored body, with the cancellation that stands beside it. */
export function readRun(body: string, cancellation: string | null): Run {
  return withCancellation(storedRun.parse(body), cancellation);
}

/** The same run with the cancellation as it was stored, where there is one. */
export function withCancellation(run: Run, cancellation: string | null): Run {
  return cancellation === null ? run : { ...run, cancellation: storedCancellation.parse(cancellation) };
}
