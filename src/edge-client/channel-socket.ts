import { Socket } from 'node:net';
import { MachineError } from '../fleet/errors.ts';
import { onceClosed } from './channel-exit.ts';
import type { Lease } from './kept-connection.ts';
import { refusalError } from './refusal.ts';

/** A gate's refusal is one sentence; more on stderr is not one. */
const stderrMaxBytes = 16 * 1024;

/** What is written to a socket: net.Socket leaves strings as they are. */
interface Piece {
  readonly chunk: Buffer | string;
  readonly encoding: BufferEncoding;
}

/**
 * A gate's `connect` channel as a socket: what undici needs to run HTTP and WebSocket over SSH, without a
 * local port. When the gate refuses, or the SSH connection breaks, the socket is destroyed with a
 * MachineError. Destroying the socket closes the channel and gives its place back.
 *
 * It extends `Socket` because undici's `connect` option wants one; it has no handle of its own, so everything
 * that would touch one is overridden.
 */
class ChannelSocket extends Socket {
  readonly #lease: Lease;

  constructor(lease: Lease, machine: string) {
    super({ allowHalfOpen: true });
    this.#lease = lease;
    const { channel } = lease;
    let stderr = '';
    channel.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) channel.pause();
    });
    channel.stderr.on('data', (chunk: Buffer) => {
      if (stderr.length < stderrMaxBytes) stderr += chunk.toString();
    });
    // A closed channel takes nothing more: the end of what it brought is the end of the socket. undici's
    // WebSocket waits for 'close' and would miss a gateway that died.
    this.once('end', () => this.destroy());
    // The end is passed on only once it is known whether it is one: a refusal ends stdout, too.
    onceClosed(channel, (exitCode) => {
      if (exitCode === undefined) this.destroy(brokeOff(machine));
      else if (exitCode !== 0) this.destroy(refusalError(machine, stderr, exitCode));
      else this.push(null);
    });
  }

  override _read(): void {
    this.#lease.channel.resume();
  }

  override _write(
    chunk: Buffer | string,
    encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    this._writev([{ chunk, encoding }], callback);
  }

  override _writev(chunks: Piece[], callback: (error?: Error | null) => void): void {
    // A channel that the gate has closed takes nothing; its close, on its way, tells why better than this would.
    this.#lease.channel.write(Buffer.concat(chunks.map(bytesOf)), () => callback());
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#lease.channel.end();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#lease.channel.close();
    this.#lease.release();
    // Emits 'close', which streams of this class do not do by themselves.
    super._destroy(error, callback);
  }
}

/** Turns the channel of a gate's `connect` into a socket. `machine` names it in errors. */
export function openChannelSocket(lease: Lease, machine: string): Socket {
  const socket = new ChannelSocket(lease, machine);
  // It may break while nobody listens; who uses it next learns the reason from `errored`.
  return socket.on('error', () => {});
}

function brokeOff(machine: string): MachineError {
  return new MachineError(
    'unreachable',
    `The SSH connection to ${machine} broke while its agent was being asked.`,
  );
}

function bytesOf({ chunk, encoding }: Piece): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
}
