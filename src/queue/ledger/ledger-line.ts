import { createHash } from 'node:crypto';
import { z } from 'zod';

/**
 * The exported ledger, format 1: JSON lines. Every line ends in `,"hash":"…"}` and a line feed. The hash is the
 * SHA-256, in hex, of the hash of the line before it (in hex; 64 zeros before the very first) and the line's own
 * bytes up to that `,"hash"`. So each line fixes all bytes of the file before it, and of the files before that:
 * a file that goes on from another one names its last hash.
 */
export const ledgerFormat = 1;

/** What stands before the first line of all. */
export const genesisHash = '0'.repeat(64);

const hashSchema = z.string().regex(/^[0-9a-f]{64}$/);
/** Milliseconds since the epoch. */
const at = z.int();
const seq = z.int().min(0);

/** First line of each file. */
const headerSchema = z.strictObject({
  type: z.literal('header'),
  format: z.literal(ledgerFormat),
  /** 1 for the first file, then counting up. */
  part: z.int().min(1),
  exporter: z.string(),
  /** The id of the key that signs (see `keyId`). */
  key: z.string(),
  /** The last hash of the file before; null in the first file. */
  previous: hashSchema.nullable(),
  /** The number of the first entry that is expected. */
  next: seq,
  at,
});

/** A signed statement about all lines before it. */
export const checkpointSchema = z.object({
  /** The last entry before it. */
  seq,
  /** The hash of the line before it. */
  chain: hashSchema,
  at,
  /** Ed25519 over `checkpointText`, in hex: base64 can look like a secret, which a log does not show. */
  signature: z.string(),
});
export type Checkpoint = z.infer<typeof checkpointSchema>;

export const ledgerLineSchema = z.discriminatedUnion('type', [
  headerSchema,
  z.strictObject({ type: z.literal('entry'), seq, position: z.string(), entry: z.unknown() }),
  /** These entries were not in Redis when their turn came. */
  z.strictObject({ type: z.literal('gap'), from: seq, to: seq, at }),
  /** Redis lost entries that stand above: from `from` down to the one after `to`. Their numbers come again. */
  z.strictObject({ type: z.literal('rewound'), from: seq, to: seq, at }),
  /** Here began a line that was not written to its end, and was removed; its entry follows. */
  z.strictObject({ type: z.literal('torn'), bytes: z.int(), at }),
  z.strictObject({ type: z.literal('checkpoint'), ...checkpointSchema.shape }),
]);
export type LedgerLine = z.infer<typeof ledgerLineSchema>;
export type Header = z.infer<typeof headerSchema>;

const beforeHash = ',"hash":"';
const afterHash = '"}';
const sealLength = beforeHash.length + genesisHash.length + afterHash.length;

/** A line as it stands in the file, and its hash. */
export interface SealedLine {
  /** With its line feed. */
  readonly text: string;
  readonly hash: string;
}

/** Writes a line that comes after the one with the hash `previous`. */
export function seal(line: LedgerLine, previous: string): SealedLine {
  const body = JSON.stringify(line).slice(0, -1);
  const hash = chainHash(previous, Buffer.from(body));
  return { text: `${body}${beforeHash}${hash}${afterHash}\n`, hash };
}

/** A line that was read. */
export interface ReadLine {
  readonly line: LedgerLine;
  /** The hash that it claims. */
  readonly hash: string;
  /** Whether that is its hash, where the line before it has the hash `previous`. */
  follows(previous: string): boolean;
}

/** Reads a line's bytes, without its line feed; undefined where they are no line of a ledger. */
export function readLine(bytes: Buffer): ReadLine | undefined {
  const body = bytes.subarray(0, Math.max(0, bytes.length - sealLength));
  const ending = bytes.subarray(body.length).toString('latin1');
  const hash = ending.slice(beforeHash.length, -afterHash.length);
  if (ending !== `${beforeHash}${hash}${afterHash}` || !hashSchema.safeParse(hash).success) return undefined;
  const line = ledgerLineSchema.safeParse(parseJson(`${body}}`)).data;
  return line && { line, hash, follows: (previous) => chainHash(previous, body) === hash };
}

/** The value of a JSON text; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function chainHash(previous: string, body: Buffer): string {
  return createHash('sha256').update(previous).update(body).digest('hex');
}
