import { z } from 'zod';

/** The fields that `parseJournal` reads; journalctl adds the times by itself. */
export const journalFields = [
  'MESSAGE',
  'PRIORITY',
  'SYSLOG_IDENTIFIER',
  '_SYSTEMD_UNIT',
  'UNIT',
  'COREDUMP_UNIT',
].join(',');

/** One line of the journal. */
export interface JournalEntry {
  /** The unit that the line is about; without one, the program that wrote it. */
  readonly unit: string;
  readonly message: string;
  /** When the journal took it, by the machine's clock, in milliseconds since the epoch. */
  readonly at: number;
  /** The same in milliseconds since the machine booted. */
  readonly sinceBootMs: number;
}

const unitCharacters = 80;

/**
 * A field as systemd.journal-fields(7) and journalctl's JSON have it: text, bytes where it is no UTF-8, several
 * values, or null where it is too long to print.
 */
const fieldSchema = z
  .union([
    z.string(),
    z.array(z.int().min(0).max(255)).transform((bytes) => Buffer.from(bytes).toString('utf8')),
    z.array(z.string()).transform((values) => values.join(' ')),
  ])
  .nullish();

const microsecondsSchema = z
  .string()
  .regex(/^\d{1,20}$/)
  .transform((text) => Number(text) / 1000);

const lineSchema = z.object({
  __REALTIME_TIMESTAMP: microsecondsSchema,
  __MONOTONIC_TIMESTAMP: microsecondsSchema,
  MESSAGE: fieldSchema,
  SYSLOG_IDENTIFIER: fieldSchema,
  _SYSTEMD_UNIT: fieldSchema,
  UNIT: fieldSchema,
  COREDUMP_UNIT: fieldSchema,
});

/** Reads the lines of `journalctl -o json`; `unread` counts those that are no entries. */
export function parseJournal(text: string): { entries: readonly JournalEntry[]; unread: number } {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const entries = lines.flatMap((line) => readEntry(line) ?? []);
  return { entries, unread: lines.length - entries.length };
}

function readEntry(line: string): JournalEntry | undefined {
  const { data } = lineSchema.safeParse(parsed(line));
  if (data === undefined) return undefined;
  return {
    unit: unitOf(data),
    message: data.MESSAGE ?? '(a message that is too long to print)',
    at: data.__REALTIME_TIMESTAMP,
    sinceBootMs: data.__MONOTONIC_TIMESTAMP,
  };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/**
 * What systemd says about a unit, and systemd-coredump about a crashed one, counts as that unit's. Scopes (a
 * person's session) and the instances of a connection's sshd say less than the program's name.
 */
function unitOf(line: z.infer<typeof lineSchema>): string {
  const from = line._SYSTEMD_UNIT ?? '';
  const about = line.COREDUMP_UNIT ?? (from === 'init.scope' || from === '' ? line.UNIT : undefined);
  const named = from.endsWith('.scope') ? '' : from.replace(/^(sshd?)@.+$/s, '$1.service');
  // Programs choose their names: only what a unit's name may hold is shown.
  return (about || named || line.SYSLOG_IDENTIFIER || 'unknown')
    .slice(0, unitCharacters)
    .replace(/[^\w:.@\\-]/g, '?');
}
