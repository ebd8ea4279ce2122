import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FleetbotError } from '../../fleet/errors.ts';
import { isMissing } from './is-missing.ts';

const gateStateSchema = z.strictObject({
  /** The highest fence seen. */
  fence: z.int().nonnegative(),
  /** The highest fence that was stopped: nothing starts under it, or a lower one, again. */
  retired: z.int().nonnegative(),
  lock: z.strictObject({ reason: z.string(), at: z.iso.datetime() }).nullable(),
  /** The last activation that was not stopped over the gate; its agent may have ended by itself since. */
  activation: z
    .strictObject({
      fence: z.int().positive(),
      run: z.string(),
      pid: z.int().positive(),
      /** Kernel ticks at which the process began: tells it from a later one with the same pid. */
      pidStart: z.string().nullable(),
    })
    .nullable(),
});

/** What a machine must remember across its own restarts. */
export type GateState = z.infer<typeof gateStateSchema>;

const fileName = 'gate.json';

/**
 * Reads the gate's state; a machine that has none starts with fence 0.
 * @throws FleetbotError `gate-state-unreadable`: guessing would let an old fence in
 */
export async function loadGateState(stateDir: string): Promise<GateState> {
  const file = join(stateDir, fileName);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return { fence: 0, retired: 0, lock: null, activation: null };
    throw unreadable(file, error);
  }
  try {
    return gateStateSchema.parse(JSON.parse(text));
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** Replaces the state on disk as a whole; when it resolves, a power cut cannot undo it. */
export async function saveGateState(stateDir: string, state: GateState): Promise<void> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const temporary = join(stateDir, `${fileName}.new`);
  await using file = await open(temporary, 'w', 0o600);
  await file.writeFile(JSON.stringify(state));
  await file.sync();
  await rename(temporary, join(stateDir, fileName));
  await using directory = await open(stateDir);
  await directory.sync();
}

function unreadable(file: string, cause: unknown): FleetbotError {
  return new FleetbotError(
    'gate-state-unreadable',
    `The gate's state in ${file} cannot be read. Restore it, or delete it if no supervisor uses this machine.`,
    { cause },
  );
}
