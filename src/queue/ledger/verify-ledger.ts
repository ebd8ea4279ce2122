import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { InputError } from '../../fleet/errors.ts';
import { ChainCheck } from './check-chain.ts';
import { isSigned, readPublicKey } from './ledger-key.ts';
import { type Checkpoint, checkpointSchema, parseJson, readLine } from './ledger-line.ts';
import { readLines } from './read-lines.ts';

export interface VerifyOptions {
  /** Of one ledger, in any order. */
  readonly files: readonly string[];
  /** File with the public key. */
  readonly keyFile: string;
  /** A checkpoint that was kept elsewhere: its line of the ledger or of the log, or a file that holds such lines. */
  readonly checkpoint?: string | undefined;
  /** The first file may go on from one that is not given. */
  readonly partial: boolean;
}

/** What came out of a check. */
export interface Verification {
  readonly check: ChainCheck;
  /** The checkpoint that was kept elsewhere; absent where none was given. */
  readonly kept: Checkpoint | undefined;
  /** Nothing was tampered with and nothing is missing, as far as the last checkpoint reaches. */
  readonly sound: boolean;
}

/**
 * Checks the files of a ledger.
 * @throws InputError when a file cannot be read, or holds no key or no checkpoint where one is wanted
 */
export async function verifyLedger(options: VerifyOptions): Promise<Verification> {
  const { files, keyFile, partial } = options;
  const publicKey = readPublicKey(await readText(keyFile), keyFile);
  const kept = options.checkpoint === undefined ? undefined : await readCheckpoint(options.checkpoint);
  let keptIsThere = false;
  const check = new ChainCheck(publicKey, {
    onCheckpoint: ({ chain, seq }) => {
      keptIsThere ||= chain === kept?.chain && seq === kept.seq;
    },
  });
  const ordered = await inOrder(files);
  for (const [index, file] of ordered.entries()) {
    await readable(file, () => check.checkFile(file));
    if (index === 0 && !partial) findMissingFiles(check, file);
  }
  if (check.unfinished !== undefined) {
    check.find(
      'tampering',
      `${ordered.at(-1)}: the last line is not finished: it is being written, or fleetbot was killed while it wrote it (its next start tells so), or it was cut`,
    );
  }
  if (check.proved === undefined) check.find('tampering', 'no checkpoint proves anything');
  if (kept !== undefined) findKept(check, kept, keptIsThere, publicKey);
  return { check, kept, sound: check.count('tampering') + check.count('gap') === 0 };
}

function findMissingFiles(check: ChainCheck, file: string): void {
  const part = check.header?.part ?? 1;
  if (part === 1) return;
  check.find(
    'tampering',
    `${file} goes on from files that are not given (parts 1 to ${part - 1}). Give them too, or say --partial`,
  );
}

function findKept(check: ChainCheck, kept: Checkpoint, isThere: boolean, publicKey: KeyObject): void {
  if (!isSigned(kept, publicKey)) {
    check.find('tampering', `the checkpoint at entry ${kept.seq} that was given is not signed by the key`);
  } else if (!isThere) {
    check.find(
      'tampering',
      `the checkpoint at entry ${kept.seq} that was given is not in the files: they were cut, or are another ledger's`,
    );
  }
}

/** By the part that each says it is; one that says nothing readable comes first, an empty one last. */
async function inOrder(files: readonly string[]): Promise<readonly string[]> {
  const parts = await Promise.all(
    [...new Set(files)].map(async (file) => ({ file, part: await readable(file, () => partOf(file)) })),
  );
  return parts.toSorted((a, b) => a.part - b.part).map(({ file }) => file);
}

async function partOf(file: string): Promise<number> {
  for await (const { bytes } of readLines(file)) {
    const line = readLine(bytes)?.line;
    return line?.type === 'header' ? line.part : 0;
  }
  return Number.MAX_SAFE_INTEGER;
}

async function readCheckpoint(given: string): Promise<Checkpoint> {
  const lines = given.trimStart().startsWith('{') ? [given] : (await readText(given)).trimEnd().split('\n');
  for (const line of lines.reverse()) {
    const checkpoint = checkpointSchema.safeParse(parseJson(line)).data;
    if (checkpoint !== undefined) return checkpoint;
  }
  throw new InputError(
    '--checkpoint is no checkpoint. Give a "ledger checkpoint" line of the log or a checkpoint line of a ledger, or the path of a file that holds one.',
  );
}

function readText(file: string): Promise<string> {
  return readable(file, () => readFile(file, 'utf8'));
}

/** @throws InputError that names the file, for whatever keeps it from being read */
export async function readable<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${file} cannot be read (${reason}).`, { cause: error });
  }
}
