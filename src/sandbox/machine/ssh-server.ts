import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Logger } from 'pino';
import ssh2, { type AuthContext, type ParsedKey, type ServerChannel } from 'ssh2';
import { FleetbotError } from '../../fleet/errors.ts';
import type { Answer } from './gate.ts';

/** What is read of a request's stdin, and how long it may take. */
const stdinMaxBytes = 64 * 1024;
const stdinTimeoutMs = 10_000;

export interface SshServerOptions {
  readonly host: string;
  readonly port: number;
  readonly hostKeyPem: string;
  /** The one public key that is let in, as a line of `authorized_keys`. */
  readonly authorizedKey: string;
  readonly answer: (line: string, stdin: () => Promise<string>) => Promise<Answer>;
  readonly log: Logger;
}

export interface SshServer {
  readonly port: number;
  /** Cuts every connection and stops listening. */
  close(): Promise<void>;
}

/**
 * What sshd with `restrict,command=…` leaves of SSH: one key, and exec requests that all go to the gate. Shell,
 * pty, sftp and other subsystems, environment and forwarding are refused, because nothing here accepts them.
 * Any user name is taken: there is only one account to reach.
 * @throws FleetbotError `authorized-key-unusable`, and what `listen` throws
 */
export async function startSshServer(options: SshServerOptions): Promise<SshServer> {
  const { host, port, hostKeyPem, authorizedKey, answer, log } = options;
  const allowed = ssh2.utils.parseKey(authorizedKey);
  if (allowed instanceof Error) {
    const message = 'The authorized key is not an OpenSSH public key line.';
    throw new FleetbotError('authorized-key-unusable', message, { cause: allowed });
  }
  const ssh = new ssh2.Server({ hostKeys: [hostKeyPem] }, (client) => {
    client.on('authentication', (context) => {
      if (mayEnter(context, allowed)) context.accept();
      else context.reject(['publickey']);
    });
    client.on('session', (accept) => {
      accept().once('exec', (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        channel.on('error', (error: Error) => log.debug({ err: error }, 'a channel broke'));
        serve(
          channel,
          answer(command, () => readAll(channel)),
        );
      });
    });
    client.on('error', (error) => log.debug({ err: error }, 'an SSH connection broke'));
  });

  // Our own listener, because ssh2's does not switch Nagle's delay off.
  const sockets = new Set<Socket>();
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    ssh.injectSocket(socket);
  });
  listener.listen(port, host);
  await once(listener, 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new FleetbotError('internal', 'No TCP port.');

  return {
    port: address.port,
    async close() {
      const closed = once(listener, 'close');
      listener.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function mayEnter(context: AuthContext, allowed: ParsedKey): boolean {
  if (context.method !== 'publickey') return false;
  const { key, signature, blob, hashAlgo } = context;
  if (!key.data.equals(allowed.getPublicSSH())) return false;
  // Without a signature the client only asks whether the key would do.
  if (signature === undefined) return true;
  return blob !== undefined && allowed.verify(blob, signature, hashAlgo) === true;
}

/** All of a channel's stdin, up to a limit and for a while; what it is then is for whoever reads it. */
async function readAll(channel: ServerChannel): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, stdinTimeoutMs);
  channel.once('end', resolve).once('close', resolve);
  channel.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > stdinMaxBytes) resolve();
    else chunks.push(chunk);
  });
  await promise;
  clearTimeout(timer);
  return Buffer.concat(chunks).toString();
}

async function serve(channel: ServerChannel, pending: Promise<Answer>): Promise<void> {
  const answer = await pending;
  // What nobody reads would keep a closed channel alive: ssh2 waits for the end of its stdin.
  if (answer.kind !== 'connection' || answer.socket === undefined) channel.resume();
  switch (answer.kind) {
    case 'reply':
      channel.write(JSON.stringify(answer.reply), () => finish(channel, 0));
      break;
    case 'refusal':
      channel.stderr.write(JSON.stringify(answer.refusal), () => finish(channel, 1));
      break;
    case 'connection':
      if (answer.socket === undefined) finish(channel, 0);
      else relay(channel, answer.socket);
  }
}

function relay(channel: ServerChannel, socket: Socket): void {
  channel.pipe(socket);
  socket.pipe(channel, { end: false });
  socket.once('error', () => socket.destroy());
  socket.once('close', () => {
    if (channel.writable) channel.write('', () => finish(channel, 0));
  });
  channel.once('close', () => socket.destroy());
}

/** The exit status first: ssh2 closes the channel as soon as it has ended. */
function finish(channel: ServerChannel, exitCode: number): void {
  channel.exit(exitCode);
  channel.end();
}
