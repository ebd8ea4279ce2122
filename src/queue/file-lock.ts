import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { type FileHandle, open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { z } from 'zod';
import { parseJson } from './ledger/ledger-line.ts';

/** Renewals that may fail before another host takes the lock for void. */
const renewalsPerVoid = 4;

const holderSchema = z.object({
  host: z.string(),
  /** Another value after each start of the computer. */
  boot: z.string(),
  /** Among which processes its id counts: containers have ids of their own. */
  pids: z.string(),
  pid: z.int(),
  /** When the process started, in the kernel's count: ids of processes come again. */
  started: z.string(),
  /** Tells this lock from every other. */
  token: z.string(),
});

/** Who has a lock. */
export type LockHolder = z.infer<typeof holderSchema>;

/** Keeps something for one process. */
export interface FileLock {
  /** Whether it is still ours: another process may have taken it for void while this one stood still. */
  held(): Promise<boolean>;
  release(): Promise<void>;
}

/** A lock, or who has it, where that can be read. */
export type LockAnswer =
  | { readonly lock: FileLock }
  | { readonly lock?: never; readonly holder: LockHolder | undefined };

export interface FileLockOptions {
  /** Another host's lock that was not renewed for so long is void. */
  readonly voidAfterMs: number;
  /**
   * Whether containers of one host name may share what is locked: then a process that cannot be seen from here may be
   * alive, and its lock is judged as another host's. Otherwise a container that was started again has its lock at once.
   */
  readonly amongContainers?: boolean;
  readonly clock: () => number;
  readonly log: Logger;
}

/**
 * Locks by the file at `path`, which exists as long as the lock. The lock of a process that is gone is void: on this
 * host its id and start tell, on another one that it was not renewed. Node.js has no flock(2).
 * @throws what the file system says where the file cannot be made
 */
export async function lockFile(path: string, options: FileLockOptions): Promise<LockAnswer> {
  const { voidAfterMs, amongContainers = false, clock, log } = options;
  const own = { ...placeOf(process.pid), token: randomUUID() };
  if (!(await tryToLock(path, own))) {
    const holder = await holderOf(path);
    const renewedBeforeMs = clock() - voidAfterMs;
    const isVoid = (of: LockHolder | undefined) =>
      isGone(of, amongContainers) ?? isOld(path, renewedBeforeMs);
    if (!(await isVoid(holder))) return { holder };
    const isOurs = await alone(`${path}.void`, renewedBeforeMs, async () => {
      if (!(await isVoid(await holderOf(path)))) return false;
      await rm(path, { force: true });
      return tryToLock(path, own);
    });
    if (!isOurs) return { holder: await holderOf(path) };
    log.warn({ path, holder }, 'a lock was held by a process that is gone');
  }
  const held = async () => (await holderOf(path))?.token === own.token;
  const renew = async () => {
    const now = clock() / 1_000;
    if (await held()) await utimes(path, now, now);
  };
  const renewal = setInterval(() => {
    renew().catch((error: unknown) => log.warn({ err: error, path }, 'cannot renew a lock'));
  }, voidAfterMs / renewalsPerVoid);
  renewal.unref();
  return {
    lock: {
      held,
      async release() {
        clearInterval(renewal);
        if (await held()) await rm(path, { force: true });
      },
    },
  };
}

/** Returns whether there was no lock. */
async function tryToLock(path: string, holder: LockHolder): Promise<boolean> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'wx');
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
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

/**
 * Does a work of moments while no other process does it, or does nothing and returns false: two that remove the same
 * void lock could remove each other's new one. The mark of a process that was killed in it is removed for the next.
 */
async function alone(mark: string, madeBeforeMs: number, work: () => Promise<boolean>): Promise<boolean> {
  try {
    await (await open(mark, 'wx')).close();
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    const made = await stat(mark).catch(() => undefined);
    if (made && made.mtimeMs < madeBeforeMs) await rm(mark, { force: true });
    return false;
  }
  try {
    return await work();
  } finally {
    await rm(mark, { force: true });
  }
}

/** undefined where there is no lock, or one that is just being written. */
async function holderOf(path: string): Promise<LockHolder | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return holderSchema.safeParse(parseJson(text)).data;
}

/** undefined where that cannot be told from here. */
function isGone(holder: LockHolder | undefined, amongContainers: boolean): boolean | undefined {
  if (holder?.host !== hostname()) return undefined;
  const here = placeOf(holder.pid);
  if (holder.boot !== here.boot) return true;
  if (amongContainers && holder.pids !== here.pids) return undefined;
  return holder.started !== here.started || holder.pids !== here.pids;
}

/** Whether it was not renewed. */
async function isOld(path: string, renewedBeforeMs: number): Promise<boolean> {
  const renewed = await stat(path).catch(() => undefined);
  return renewed === undefined || renewed.mtimeMs < renewedBeforeMs;
}

/** proc_pid_stat(5): the 22nd field; the second one, the name in parentheses, may hold anything. */
const startAfterName = 19;

/** Where a process of this host runs; `started` is '' where there is none. */
function placeOf(pid: number): Omit<LockHolder, 'token'> {
  const boot = textOf('/proc/sys/kernel/random/boot_id').trim();
  const status = textOf(`/proc/${pid}/stat`);
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  return { host: hostname(), boot, pids: pidNamespace(), pid, started: fields[startAfterName] ?? '' };
}

/** pid_namespaces(7). */
function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
