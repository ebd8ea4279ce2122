import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket, connect as tcpConnect } from 'node:net';
import { loadScripts } from '../../src/queue/scripts.ts';
import { CommandSplitter } from './command-splitter.ts';

/** A command of ours on its way to Redis: a script by its name, or the command itself, and what follows. */
export interface Command {
  readonly name: string;
  /** Without number and name of the keys of a script. */
  readonly words: readonly string[];
}

/**
 * What becomes of a command: `pass`; `hold`, neither it nor anything after it gets to Redis; `deafen`, it does,
 * but nothing comes back any more.
 */
export type Fate = 'pass' | 'hold' | 'deafen';

/** The connections of one process to Redis, where each of its own commands can be seen and held. */
export interface Wire extends AsyncDisposable {
  readonly url: string;
}

const host = '127.0.0.1';
const wordsOfScript = 4;
const scripts = new Map(
  Object.entries(loadScripts()).flatMap(([name, { lua }]) => [
    [lua, name],
    [createHash('sha1').update(lua).digest('hex'), name],
  ]),
);

/**
 * Starts a wire to the Redis at this port. `decide` is asked about each command of ours, and only about those;
 * `onAnswer` is called once after each that was deafened, when Redis has answered it or is gone.
 */
export async function startWire(
  redisPort: number,
  decide: (command: Command) => Fate,
  onAnswer: () => void,
): Promise<Wire> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    const far = tcpConnect({ host, port: redisPort, noDelay: true });
    const splitter = new CommandSplitter();
    let [held, deaf] = [false, false];
    near.on('data', (chunk) => {
      if (held) return;
      for (const { bytes, words } of splitter.push(chunk)) {
        const command = commandOf(words);
        const fate = command === undefined ? 'pass' : decide(command);
        held ||= fate === 'hold';
        if (held) return;
        if (fate === 'deafen') {
          deaf = true;
          far.once('data', onAnswer).once('close', onAnswer);
        }
        far.write(bytes);
      }
    });
    far.on('data', (chunk) => deaf || near.write(chunk));
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    }
    // What a process had sent before it was killed gets there all the same.
    near.once('close', () => far.end());
    far.once('close', () => near.destroy());
  });
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return {
    url: `redis://${host}:${address.port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** undefined for what is not ours: BullMQ's scripts, and plain reads. */
function commandOf(words: readonly Buffer[]): Command | undefined {
  const name = words[0]?.toString().toUpperCase() ?? '';
  if (name === 'HSET') return { name, words: words.slice(1).map(String) };
  if (name !== 'EVAL' && name !== 'EVALSHA') return undefined;
  const script = scripts.get(words[1]?.toString() ?? '');
  return script === undefined ? undefined : { name: script, words: words.slice(wordsOfScript).map(String) };
}
