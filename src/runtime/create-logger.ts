import { type DestinationStream, destination, type Logger, pino } from 'pino';
import { errorRecord } from './error-record.ts';

export interface LoggerOptions {
  readonly level: string;
  /** Applied to every line as a whole, so that no field can be forgotten. */
  readonly redact: (text: string) => string;
  /** stderr, synchronously, when absent: the last lines before a crash are the ones that matter. */
  readonly stream?: DestinationStream;
}

const stderrFileDescriptor = 2;

/**
 * The process's logger: JSON lines with ISO time, level by name, and no secrets. Errors go under `err`; of them
 * only what `errorRecord` keeps is written. Give runs a child: `log.child({ run, machine, trace })`.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { level, redact, stream = destination({ fd: stderrFileDescriptor, sync: true }) } = options;
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error) => errorRecord(error), error: (error) => errorRecord(error) },
    },
    redactedStream(stream, redact),
  );
}

/** Redacts the strings inside a line rather than its JSON, whose escapes would hide where a secret ends. */
function redactedStream(stream: DestinationStream, redact: (text: string) => string): DestinationStream {
  return {
    write(line) {
      const record: unknown = JSON.parse(line);
      stream.write(`${JSON.stringify(redactedValue(record, redact))}\n`);
    },
  };
}

function redactedValue(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactedValue(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, redactedField(name, inner, redact)]),
  );
}

/** What stands under the name of a secret is one, even where its form does not show it. */
function redactedField(name: string, value: unknown, redact: (text: string) => string): unknown {
  const probe = `${name}=probe`;
  if (typeof value === 'string' && redact(probe) !== probe) return '[redacted:secret]';
  return redactedValue(value, redact);
}
