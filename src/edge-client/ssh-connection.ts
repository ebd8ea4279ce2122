import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Client, type ClientChannel } from 'ssh2';
import { MachineError } from '../fleet/errors.ts';
import type { Machine } from '../fleet/machine.ts';
import { fingerprint, pinnedHostKey } from './host-key.ts';

/** How often an idle connection is probed; with the limit below a cut link is noticed in about 4 s. */
const keepaliveIntervalMs = 1_000;
/** How many probes in a row may stay unanswered. */
const keepaliveMissesMax = 3;

/** One authenticated SSH connection to a machine. It only runs commands: no shell, no forwarding, no files. */
export interface SshConnection {
  /** Becomes true for good once the connection has ended, for whatever reason. */
  readonly closed: boolean;
  /** Calls back once when the connection has ended. */
  onClosed(callback: () => void): void;
  /** Runs one command. @throws MachineError `unreachable`, `verb-refused` */
  exec(command: string): Promise<ClientChannel>;
  close(): void;
}

/**
 * Connects to a machine and authenticates with the private key, within the machine's `connectTimeoutMs`.
 * @throws MachineError `unreachable`, `host-key-changed`, `key-refused`
 */
export async function openSshConnection(machine: Machine, privateKey: string): Promise<SshConnection> {
  const { client, socket } = await openSshClient(machine, privateKey);
  return kept(client, socket, machine);
}

/**
 * The same with everything that SSH can ask for: only for trying what a machine must refuse.
 * @throws MachineError as `openSshConnection` does
 */
export async function openSshClient(
  machine: Machine,
  privateKey: string,
): Promise<{ client: Client; socket: Socket }> {
  const { address, ssh, limits, name } = machine;
  // ssh2 must not create the socket: without TCP_NODELAY a command takes ten times as long.
  const socket = connect({ host: address, port: ssh.port, noDelay: true });
  const client = new Client();
  const tooLate = AbortSignal.timeout(limits.connectTimeoutMs);
  try {
    await once(socket, 'connect', { signal: tooLate });
    await handshake(client, socket, machine, privateKey, tooLate);
  } catch (error) {
    // A connection that is being torn down reports errors for a while; they say nothing new.
    socket.on('error', () => {});
    client.on('error', () => {});
    client.destroy();
    socket.destroy();
    if (error instanceof MachineError) throw error;
    const what = tooLate.aborted ? `did not answer within ${limits.connectTimeoutMs} ms` : messageOf(error);
    throw new MachineError(
      'unreachable',
      `${name} cannot be reached over SSH at ${address}:${ssh.port} (${what}). ` +
        'Check that it is up, that the address in the fleet file is right, and that no firewall is between.',
      { cause: error },
    );
  }
  return { client, socket };
}

async function handshake(
  client: Client,
  socket: Socket,
  machine: Machine,
  privateKey: string,
  signal: AbortSignal,
): Promise<void> {
  const pinned = pinnedHostKey(machine.hostKey);
  let shown: Buffer | undefined;
  client.connect({
    sock: socket,
    username: machine.ssh.user,
    privateKey,
    authHandler: ['publickey'],
    algorithms: { serverHostKey: pinned.algorithms },
    hostVerifier: (key: Buffer) => {
      shown = key;
      return key.equals(pinned.raw);
    },
    keepaliveInterval: keepaliveIntervalMs,
    keepaliveCountMax: keepaliveMissesMax,
    // The caller's signal bounds the whole of it.
    readyTimeout: 0,
  });
  try {
    const lost = once(client, 'close', { signal }).then(() => {
      throw new Error('the connection was closed during the handshake');
    });
    await Promise.race([once(client, 'ready', { signal }), lost]);
  } catch (error) {
    const hostKeyRefused = shown ? !shown.equals(pinned.raw) : /no matching host key/i.test(messageOf(error));
    if (hostKeyRefused) throw hostKeyChanged(machine, pinned.raw, shown, error);
    if (levelOf(error) === 'client-authentication') throw keyRefused(machine, error);
    throw error;
  }
}

function kept(client: Client, socket: Socket, machine: Machine): SshConnection {
  let closed = false;
  client.once('close', () => {
    closed = true;
  });
  // 'close' follows every error of a connection that was ready, and it is what counts.
  client.on('error', () => {});
  return {
    get closed() {
      return closed;
    },
    onClosed: (callback) => {
      client.once('close', callback);
    },
    exec: (command) => exec(client, machine, command),
    close: () => {
      client.end();
      // A peer that is gone never answers the goodbye.
      socket.destroySoon();
    },
  };
}

function exec(client: Client, machine: Machine, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      const refused = messageOf(error).startsWith('Unable to exec');
      reject(
        new MachineError(
          refused ? 'verb-refused' : 'unreachable',
          refused
            ? `The SSH server of ${machine.name} refused to run a command. Check the forced command of the key.`
            : `The SSH connection to ${machine.name} broke (${messageOf(error)}). Try again.`,
          { cause: error },
        ),
      );
    };
    try {
      client.exec(command, (error, channel) => (error ? fail(error) : resolve(channel)));
    } catch (error) {
      // ssh2 throws where the connection is known to be gone.
      fail(error);
    }
  });
}

function hostKeyChanged(machine: Machine, pinned: Buffer, shown: Buffer | undefined, cause: unknown) {
  const other = shown ? fingerprint(shown) : 'a key of another type';
  return new MachineError(
    'host-key-changed',
    `${machine.name} showed another host key: ${other} instead of ${fingerprint(pinned)}. Nothing was sent to it. ` +
      'Verify the key out of band (at the console, or with whoever reinstalled the machine); only if it is ' +
      'genuine, edit hostKey in the fleet file.',
    { cause },
  );
}

function keyRefused(machine: Machine, cause: unknown) {
  return new MachineError(
    'key-refused',
    `${machine.name} refused the SSH key for user ${machine.ssh.user}. Install fleetbot's public key on it ` +
      '(and see that the from="…" of its line allows this host).',
    { cause },
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** ssh2 marks its errors with the layer they come from. */
function levelOf(error: unknown): unknown {
  return error instanceof Error && 'level' in error ? error.level : undefined;
}
