import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type FileHandle, open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import { SettingsError } from '../../fleet/errors.ts';
import { parseJson } from './ledger-line.ts';

/** Renewals that may fail before another host takes the lock for void. */
const renewalsPerVoid = 4;

const holderSchema = z.object({
  host: z.string(),
  /** Another value after each start of the computer. */
  boot: z.string(),
  pid: z.int(),
  /** When the process started, in the kernel's count: ids of processes come again. */
  started: z.string(),
  /** Tells this lock from every other. */
  token: z.string(),
});
type Holder = z.infer<typeof holderSchema>;

/** Keeps a file for one process. */
export interface LedgerLock {
  /** Whether it is still ours: another process may have taken it for void while this one stood still. */
  held(): Promise<boolean>;
  release(): Promise<void>;
}

/** The lock's file. Hidden, so that `ledger.jsonl*` does not match it. */
export function lockFileOf(file: string): string {
  return join(dirname(file), `.${basename(file)}.lock`);
}

/**
 * Locks a ledger file. The lock of a process that is gone is void: on this host its id and start tell, on another
 * one that it was not renewed. Node.js has no flock(2).
 * @throws SettingsError that names the process which holds it
 */
export async function lockLedger(
  file: string,
  options: { readonly voidAfterMs: number; readonly clock: () => number; readonly log: Logger },
): Promise<LedgerLock> {
  const { voidAfterMs, clock, log } = options;
  const path = lockFileOf(file);
  const own = { ...placeOf(process.pid), token: randomUUID() };
  if (!(await tryToLock(path, own))) {
    const holder = await holderOf(path);
    if (!(await isVoid(holder, path, clock() - voidAfterMs))) throw lockedBy(holder, file, path);
    log.warn({ file, holder }, 'the ledger file was locked by a process that is gone');
    await rm(path, { force: true });
    if (!(await tryToLock(path, own))) throw lockedBy(await holderOf(path), file, path);
  }
  const held = async () => (await holderOf(path))?.token === own.token;
  const renew = async () => {
    const now = clock() / 1_000;
    if (await held()) await utimes(path, now, now);
  };
  const renewal = setInterval(() => {
    renew().catch((error: unknown) => log.warn({ err: error, path }, 'cannot renew the lock of the ledger'));
  }, voidAfterMs / renewalsPerVoid);
  renewal.unref();
  return {
    held,
    async release() {
      clearInterval(renewal);
      if (await held()) await rm(path, { force: true });
    },
  };
}

/** Returns whether there was no lock. */
async function tryToLock(path: string, holder: Holder): Promise<boolean> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'wx');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
  try {
    await handle.writeFile(JSON.stringify(holder));
    return true;
  } catch (error) {
    // A full disk: an empty lock would look like another process's.
    await rm(path, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/** undefined where there is no lock, or one that is just being written. */
async function holderOf(path: string): Promise<Holder | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return holderSchema.safeParse(parseJson(text)).data;
}

async function isVoid(holder: Holder | undefined, path: string, renewedBeforeMs: number): Promise<boolean> {
  if (holder?.host === hostname()) {
    const here = placeOf(holder.pid);
    return holder.boot !== here.boot || holder.started !== here.started;
  }
  const renewed = await stat(path).catch(() => undefined);
  return renewed === undefined || renewed.mtimeMs < renewedBeforeMs;
}

/** proc_pid_stat(5): the 22nd field; the second one, the name in parentheses, may hold anything. */
const startAfterName = 19;

/** Where a process of this host runs; `started` is '' where there is none. */
function placeOf(pid: number): Omit<Holder, 'token'> {
  const boot = textOf('/proc/sys/kernel/random/boot_id').trim();
  const status = textOf(`/proc/${pid}/stat`);
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  return { host: hostname(), boot, pid, started: fields[startAfterName] ?? '' };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function lockedBy(holder: Holder | undefined, file: string, path: string): SettingsError {
  const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process';
  return new SettingsError(
    `The ledger file ${file} is written by ${who}. Give every process a FLEETBOT_LEDGER_FILE of its own; where that process is gone for good, remove ${path}.`,
  );
}
