import { once } from 'node:events';
import type { Client, ClientChannel } from 'ssh2';
import { MachineError } from '../fleet/errors.ts';
import type { Machine } from '../fleet/machine.ts';
import { onceClosed } from './channel-exit.ts';
import { pinnedHostKey } from './host-key.ts';
import { openSshClient, openSshConnection } from './ssh-connection.ts';

/** What is neither refused nor done after this counts as not refused. */
const attemptTimeoutMs = 10_000;
const forwardedPort = 22;
/** SSH_OPEN_CONNECT_FAILED (RFC 4254, 5.1): the server would have forwarded, but reached nobody. */
const connectFailed = 2;

/** Something that a machine must refuse, and whether it did. */
export interface Attempt {
  /** What was tried, in words: `a shell`. */
  readonly what: string;
  readonly refused: boolean;
}

/** Resolves with whether it was allowed. */
type Try = (client: Client) => Promise<boolean>;

/** What fleetbot's key must not be able to do on a machine. None of it changes anything where it is allowed. */
const attempts: Readonly<Record<string, Try>> = {
  'another command': (client) => runs((done) => client.exec('id', done)),
  'a command behind a verb': (client) => runs((done) => client.exec('status; id', done)),
  'a command on a second line': (client) => runs((done) => client.exec('status\nid', done)),
  'a shell': (client) => runs((done) => client.shell(false, done)),
  // With a command that the gate takes: what it refuses tells nothing of the terminal.
  'a terminal': (client) => isGranted((done) => client.exec('status', { pty: true }, (error) => done(error))),
  'file transfer': (client) => isGranted((done) => client.sftp((error) => done(error))),
  'forwarding into the machine': forwardsIn,
  'forwarding out of the machine': (client) =>
    isGranted((done) => client.forwardIn('127.0.0.1', 0, (error) => done(error))),
};

/**
 * Tries what fleetbot's key must not be able to do on a machine, each over a connection of its own.
 * @throws MachineError when the machine cannot be reached
 * @throws the reason of `signal`, before the next attempt
 */
export async function probeSsh(
  machine: Machine,
  privateKey: string,
  signal: AbortSignal,
): Promise<readonly Attempt[]> {
  const results: Attempt[] = [];
  for (const [what, isAllowed] of Object.entries(attempts)) {
    signal.throwIfAborted();
    const { client, socket } = await openSshClient(machine, privateKey);
    // Where the refusal is the end of the connection, it tells in no other way.
    const closed = once(client, 'close').then(() => false);
    client.on('error', () => {});
    const { promise: tooLate, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(true), attemptTimeoutMs);
    const allowed = await Promise.race([isAllowed(client), closed, tooLate]);
    clearTimeout(timer);
    client.end();
    socket.destroySoon();
    results.push({ what, refused: !allowed });
  }
  return results;
}

/**
 * Whether this side refuses a machine that shows another host key than the pinned one.
 * @throws MachineError when the machine cannot be reached
 */
export async function refusesOtherHostKey(machine: Machine, privateKey: string): Promise<boolean> {
  const [type = ''] = machine.hostKey.split(' ');
  const { raw } = pinnedHostKey(machine.hostKey);
  const other = Buffer.concat([raw.subarray(0, -1), Buffer.from([(raw.at(-1) ?? 0) ^ 1])]);
  try {
    const hostKey = `${type} ${other.toString('base64')}`;
    const connection = await openSshConnection({ ...machine, hostKey }, privateKey);
    connection.close();
    return false;
  } catch (error) {
    if (error instanceof MachineError && error.code === 'host-key-changed') return true;
    throw error;
  }
}

/** A gate that refuses ends with an exit code; a server that refuses opens no channel. */
async function runs(
  start: (done: (error: Error | undefined, channel: ClientChannel) => void) => void,
): Promise<boolean> {
  const { promise: opened, resolve } = Promise.withResolvers<ClientChannel | undefined>();
  start((error, channel) => resolve(error ? undefined : channel));
  const channel = await opened;
  if (channel === undefined) return false;
  const { promise: exitCode, resolve: exit } = Promise.withResolvers<number | null | undefined>();
  onceClosed(channel, exit);
  channel.resume();
  channel.stderr.resume();
  // A shell would wait for what to do, and ends in peace when there is nothing.
  channel.end();
  return (await exitCode) === 0;
}

function isGranted(ask: (done: (error: Error | undefined) => void) => void): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  ask((error) => resolve(!error));
  return promise;
}

/** Where nobody listens on the port, the server has tried all the same. */
function forwardsIn(client: Client): Promise<boolean> {
  return isGranted((done) =>
    client.forwardOut('127.0.0.1', 0, '127.0.0.1', forwardedPort, (error) =>
      done(isConnectFailure(error) ? undefined : error),
    ),
  );
}

function isConnectFailure(error: Error | undefined): boolean {
  return error !== undefined && 'reason' in error && error.reason === connectFailed;
}
