import { createPublicKey, type KeyObject } from 'node:crypto';
import { type FileHandle, readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Logger } from 'pino';
import { SettingsError } from '../../fleet/errors.ts';
import { ChainCheck, type EntryPlace } from './check-chain.ts';
import { genesisHash, type LedgerLine } from './ledger-line.ts';

/** Every unfinished line of ours is the beginning of one that begins with this. */
const lineBegins = '{"type":"';

/** Where the chain stands on disk. */
export interface LedgerPlace {
  readonly part: number;
  /** Of the file as it is now; 0 before its header. */
  readonly bytes: number;
  readonly hash: string;
  /** The number that the next entry should have; undefined before the first one of all. */
  readonly next: number | undefined;
  /** Entries after the last checkpoint. */
  readonly uncovered: number;
  readonly exporter: string;
  /** What has to be told before the next entry. */
  readonly pending: readonly LedgerLine[];
}

/** The name that a full file gets. */
export function putAsideName(path: string, part: number): string {
  return `${path}.${part}`;
}

/**
 * Checks the file and finds out where it ends; a last line that is not finished is removed. Where the file is new,
 * it goes on from the last one that was put aside.
 * @throws SettingsError when it is not as fleetbot left it, or another key signs it
 */
export async function recoverLedger(
  handle: FileHandle,
  options: {
    readonly path: string;
    readonly privateKey: KeyObject;
    readonly exporterName: string;
    readonly clock: () => number;
    readonly log: Logger;
    readonly onEntry: (entry: EntryPlace) => void;
  },
): Promise<LedgerPlace> {
  const { path, privateKey, exporterName, clock, log, onEntry } = options;
  const publicKey = createPublicKey(privateKey);
  let check = await checked(path, new ChainCheck(publicKey, { onEntry }));
  const pending: LedgerLine[] = [];
  const { unfinished, wholeBytes: bytes } = check;
  if (unfinished !== undefined) {
    if (!isBeginningOfLine(unfinished))
      throw notOurs(path, 'it ends in something else than a line of a ledger');
    await handle.truncate(bytes);
    await handle.sync();
    pending.push({ type: 'torn', bytes: unfinished.length, at: clock() });
    log.warn({ file: path, bytes: unfinished.length }, 'removed an unfinished line from the ledger file');
  }
  // Without an entry of its own, it does not tell which one was the last.
  const last = check.entries === 0 ? await lastPutAside(path) : undefined;
  if (last !== undefined) {
    const before = await checked(last, new ChainCheck(publicKey, { onEntry }));
    if (before.header === undefined) throw notOurs(last, 'it is empty');
    if (bytes === 0) check = before;
  }
  const { header } = check;
  const part = header?.part ?? 0;
  return {
    part: bytes === 0 ? part + 1 : part,
    bytes,
    hash: check.hash ?? genesisHash,
    next: header && check.next,
    uncovered: check.uncovered,
    exporter: header?.exporter ?? exporterName,
    pending,
  };
}

async function checked(file: string, check: ChainCheck): Promise<ChainCheck> {
  await check.checkFile(file);
  const found = check.findings.find(({ kind }) => kind === 'tampering');
  if (found !== undefined) throw notOurs(file, found.text);
  return check;
}

function notOurs(file: string, why: string): SettingsError {
  return new SettingsError(
    `The ledger file ${file} is not as fleetbot left it: ${why}. Keep it as evidence under another name; a new file is begun then. Where only FLEETBOT_LEDGER_KEY was changed, put the old key back or give the new key a file of its own.`,
  );
}

/** Zeros are what a power failure leaves of bytes that had not reached the disk. */
function isBeginningOfLine(bytes: Buffer): boolean {
  const start = bytes.subarray(0, lineBegins.length).toString('latin1');
  return lineBegins.startsWith(start) || bytes.every((byte) => byte === 0);
}

/** The full file with the highest number. */
async function lastPutAside(path: string): Promise<string | undefined> {
  const names = await readdir(dirname(path));
  const parts = names
    .map((name) => Number(/\.([1-9]\d{0,8})$/.exec(name)?.[1] ?? 0))
    .filter((part) => names.includes(putAsideName(basename(path), part)));
  return parts.length === 0 ? undefined : putAsideName(path, Math.max(...parts));
}
