import { z } from 'zod';
import { type DriftNote, driftNoteSchema } from '../fleet/drift.ts';
import { cancellationSchema, type Run, runSchema } from '../fleet/run.ts';

/** A string field that may be missing: hash fields come as null, from Lua as null too. */
export const maybeText = z.string().nullable();

/** A field that holds JSON; pipe it into a schema. */
export const json = z.string().transform((text): unknown => JSON.parse(text));
const storedRun = json.pipe(runSchema);
const quarantineSchema = z.object({ runId: z.string(), reason: z.string(), at: z.int() });

/** A machine whose agent could not be measured inactive. */
export type Quarantine = z.infer<typeof quarantineSchema>;

/** The quarantine of a stored field. */
export function readQuarantine(stored: string): Quarantine {
  return json.pipe(quarantineSchema).parse(stored);
}

export const storedCancellation = json.pipe(cancellationSchema);

/** A machine's record, as the reconciler and lists for people need it. */
export interface StoredMachine {
  readonly fence: number;
  readonly currentRunId?: string;
  readonly quarantine?: Quarantine;
  /** In what it differs from what should be installed there. */
  readonly drift?: DriftNote;
}

/** The fields that `readMachine` wants, in its order. */
export const machineFields = ['fence', 'current', 'quarantine', 'drift'] as const;

/** The record of a machine's stored fields; one that Redis does not know has fence 0. */
export function readMachine([fence, current, quarantine, drift]: readonly (string | null)[]): StoredMachine {
  return {
    fence: Number(fence ?? 0),
    ...(current && { currentRunId: current }),
    ...(quarantine && { quarantine: readQuarantine(quarantine) }),
    ...(drift && readDrift(drift)),
  };
}

/** A run and the text it was read from: what a compare-and-set holds against what is stored by then. */
export interface StoredRun {
  readonly body: string;
  readonly run: Run;
}

/** The fields that `readStoredRun` wants, in its order. */
export const runFields = ['body', 'cancellation'] as const;

/** The run of its stored fields; undefined where there is none. */
export function readStoredRun([body, cancellation]: readonly (string | null)[]): StoredRun | undefined {
  return body ? { body, run: readRun(body, cancellation ?? null) } : undefined;
}

/** The run of a stored body, with the cancellation that stands beside it. */
export function readRun(body: string, cancellation: string | null): Run {
  return withCancellation(storedRun.parse(body), cancellation);
}

/** The same run with the cancellation as it was stored, where there is one. */
export function withCancellation(run: Run, cancellation: string | null): Run {
  return cancellation === null ? run : { ...run, cancellation: storedCancellation.parse(cancellation) };
}

/** One that another version of fleetbot wrote in words of its own counts as none: the next visit writes it anew. */
function readDrift(text: string): Pick<StoredMachine, 'drift'> {
  const { data } = json.pipe(driftNoteSchema).safeParse(text);
  return data === undefined ? {} : { drift: data };
}
