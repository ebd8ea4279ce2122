import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import ssh2, { type ServerChannel } from 'ssh2';
import { type KeyPair, newKeyPair } from '../../src/sandbox/key-pair.ts';

/** A machine's SSH server for what a good machine never does. */
export interface FaultyServer {
  readonly port: number;
  readonly hostKey: string;
  /** Every command that was run, in order. */
  readonly commands: readonly string[];
  /** How many TCP connections were made in all, and how many are open. */
  connections(): { readonly made: number; readonly open: number };
  /** Resets every open connection. */
  cut(): void;
  /** Stops reading and writing on every open connection without closing it, as a cut cable does. */
  freeze(): void;
  close(): Promise<void>;
}

/** Starts an SSH server on loopback that lets every key in, or none, and leaves each command to `onExec`. */
export async function startFaultyServer(options: {
  onExec?: (command: string, channel: ServerChannel) => void;
  refuseKeys?: boolean;
  /** Leaves every command without an answer, not even that it was begun. */
  ignoreCommands?: boolean;
  hostKeys?: readonly KeyPair[];
}): Promise<FaultyServer> {
  const {
    onExec = () => {},
    refuseKeys = false,
    ignoreCommands = false,
    hostKeys = [newKeyPair()],
  } = options;
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  let made = 0;
  const ssh = new ssh2.Server({ hostKeys: hostKeys.map(({ privateKey }) => privateKey) }, (client) => {
    client.on('authentication', (context) => (refuseKeys ? context.reject() : context.accept()));
    client.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, { command }) => {
        commands.push(command);
        if (!ignoreCommands) onExec(command, acceptExec());
      });
    });
    client.on('error', () => {});
  });
  const listener = createServer({ noDelay: true }, (socket) => {
    made += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    ssh.injectSocket(socket);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return {
    port: address.port,
    hostKey: hostKeys[0]?.publicKey ?? '',
    commands,
    connections: () => ({ made, open: sockets.size }),
    cut: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    freeze: () => {
      for (const socket of sockets) {
        socket.removeAllListeners('data');
        socket.pause();
      }
    },
    async close() {
      const closed = once(listener, 'close');
      listener.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Ends a command as the gate does: success with a JSON object on stdout. */
export function reply(channel: ServerChannel, body: unknown): void {
  finish(channel, JSON.stringify(body), '', 0);
}

/** Ends a command as the gate does: a refusal on stderr. */
export function refuse(channel: ServerChannel, body: unknown): void {
  finish(channel, '', JSON.stringify(body), 1);
}

/** Ends a command with anything. */
export function finish(channel: ServerChannel, stdout: string, stderr: string, exitCode: number): void {
  channel.stderr.write(stderr, () => {
    channel.write(stdout, () => {
      channel.exit(exitCode);
      channel.end();
    });
  });
}
