import type { ClientChannel } from 'ssh2';
import type { z } from 'zod';
import { MachineError } from '../fleet/errors.ts';
import type { Machine } from '../fleet/machine.ts';
import { abortable } from './abortable.ts';
import { onceClosed } from './channel-exit.ts';
import type { ConnectionPool } from './connection-pool.ts';
import { parseJson } from './parse-json.ts';
import { protocolError, refusalError } from './refusal.ts';

/** The most that a verb may print, unless it says otherwise. */
const defaultStdoutMaxBytes = 64 * 1024;
const stderrMaxBytes = 16 * 1024;

/** One request to a machine's gate. */
export interface Verb<Reply> {
  /** The command line, exactly as the gate's grammar wants it. */
  readonly line: string;
  readonly reply: z.ZodType<Reply>;
  /** From the moment a connection is there, waiting for a free channel included. */
  readonly timeoutMs: number;
  /** Asking twice does no more than asking once. */
  readonly repeatable: boolean;
  readonly stdin?: string;
  readonly stdoutMaxBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a verb and returns its parsed reply. Where a kept connection turns out to be broken, a repeatable verb
 * is asked once more over a fresh one.
 * @throws MachineError; the signal's reason
 */
export async function runVerb<Reply>(
  pool: ConnectionPool,
  machine: Machine,
  verb: Verb<Reply>,
): Promise<Reply> {
  const overKept = pool.keeps(machine);
  try {
    return await ask(pool, machine, verb);
  } catch (error) {
    const broken = error instanceof MachineError && error.code === 'unreachable';
    if (!(broken && overKept && verb.repeatable)) throw error;
    return await ask(pool, machine, verb);
  }
}

async function ask<Reply>(pool: ConnectionPool, machine: Machine, verb: Verb<Reply>): Promise<Reply> {
  await pool.connect(machine, verb.signal);
  const tooLate = AbortSignal.timeout(verb.timeoutMs);
  const signal = verb.signal ? AbortSignal.any([verb.signal, tooLate]) : tooLate;
  try {
    const lease = await pool.exec(machine, verb.line, signal);
    try {
      return await abortable(answer(lease.channel, machine, verb), signal);
    } finally {
      if (signal.aborted) lease.channel.close();
      if (tooLate.aborted) lease.retireConnection();
      lease.release();
    }
  } catch (error) {
    if (!tooLate.aborted || verb.signal?.aborted || error instanceof MachineError) throw error;
    const [name] = verb.line.split(' ');
    throw new MachineError(
      'timeout',
      `${machine.name} did not answer "${name}" within ${verb.timeoutMs} ms. Look at the load of the machine, or ` +
        'raise the limit in the fleet file.',
    );
  }
}

/** Writes stdin and waits for the channel to close with an exit code. */
function answer<Reply>(channel: ClientChannel, machine: Machine, verb: Verb<Reply>): Promise<Reply> {
  const stdoutMaxBytes = verb.stdoutMaxBytes ?? defaultStdoutMaxBytes;
  return new Promise((resolve, reject) => {
    const stdout = collect(channel, stdoutMaxBytes, () => {
      channel.close();
      reject(protocolError(machine.name, `it printed more than ${stdoutMaxBytes} bytes`, stdout()));
    });
    const stderr = collect(channel.stderr, stderrMaxBytes, () => {});
    onceClosed(channel, (exitCode) => {
      if (exitCode === undefined) reject(brokeOff(machine));
      else if (exitCode !== 0) reject(refusalError(machine.name, stderr(), exitCode));
      else {
        const reply = verb.reply.safeParse(parseJson(stdout()));
        if (reply.success) resolve(reply.data);
        else reject(protocolError(machine.name, 'its reply has another form', stdout(), reply.error));
      }
    });
    channel.end(verb.stdin ?? '');
  });
}

/** Collects a stream's text, up to a limit in bytes; what follows is dropped and told once. */
function collect(stream: NodeJS.ReadableStream, maxBytes: number, onOverflow: () => void): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    if (bytes > maxBytes) return;
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes > maxBytes) onOverflow();
  });
  return () => Buffer.concat(chunks).subarray(0, maxBytes).toString();
}

function brokeOff(machine: Machine): MachineError {
  return new MachineError(
    'unreachable',
    `The connection to ${machine.name} broke before its gate had answered. What it did is not known; try again.`,
  );
}
