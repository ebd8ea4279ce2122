import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Node has no Unix datagram sockets. Prints `ready`, then each entry in journald's native protocol as JSON. */
const receiver = `
import json, socket, sys
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.bind(sys.argv[1])
print("ready", flush=True)
while True:
    datagram, entry = journal.recv(65536), {}
    while datagram:
        name, rest = datagram.split(b"\\n", 1)
        size = int.from_bytes(rest[:8], "little")
        entry[name.decode()], datagram = rest[8:8 + size].decode(), rest[8 + size + 1:]
    print(json.dumps(entry), flush=True)
`;

export interface JournalStandIn extends AsyncDisposable {
  /** The next entries, in order. */
  entries(count: number): Promise<Record<string, string>[]>;
}

/** A journal on a socket of its own. */
export async function startJournal(python: string, path: string): Promise<JournalStandIn> {
  const child = spawn(python, ['-I', '-c', receiver, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  await lines.next();
  return {
    async entries(count) {
      const entries: Record<string, string>[] = [];
      while (entries.length < count) {
        const line = await lines.next();
        if (line.done) throw new Error('the journal has ended');
        entries.push(JSON.parse(line.value));
      }
      return entries;
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    },
  };
}
