import type { CommandOutput } from '../../fleet/evidence.ts';
import { hostReplySchema } from '../machine/host-call.ts';

/** Runs a command on the host; null when the machine's broker does not list it. Rejects when aborted. */
export type Exec = (command: string, signal: AbortSignal) => Promise<CommandOutput | null>;

/** The agent's end of the channel to the machine that started it. */
export interface MachineChannel {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
}

/**
 * The `exec` tool: hands the command to the machine's broker, which alone decides what runs. There is no shell
 * at either end: the command is only cut at its spaces.
 */
export function createExecTool(channel: MachineChannel): Exec {
  const waiting = new Map<number, (output: CommandOutput | null) => void>();
  let lastId = 0;
  channel.onMessage((message) => {
    const { data: reply } = hostReplySchema.safeParse(message);
    if (reply) waiting.get(reply.id)?.(reply.output);
  });
  return async (command, signal) => {
    signal.throwIfAborted();
    lastId += 1;
    const id = lastId;
    const { promise, resolve, reject } = Promise.withResolvers<CommandOutput | null>();
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    waiting.set(id, resolve);
    try {
      channel.send({ id, argv: command.split(' ') });
      return await promise;
    } finally {
      waiting.delete(id);
      signal.removeEventListener('abort', abort);
    }
  };
}
