import { once } from 'node:events';
import { createServer, type Socket, connect as tcpConnect } from 'node:net';

const host = '127.0.0.1';

/** The network between fleetbot and a machine: a TCP proxy that can fail. */
export interface Link extends AsyncDisposable {
  readonly port: number;
  /** Every connection breaks and new ones are refused. */
  cut(): Promise<void>;
  /** Nothing gets through any more, and nobody is told: what a machine without power looks like. */
  freeze(): void;
  /** As `freeze`, but only for what is open: new connections are well. */
  strand(): void;
  /** New connections lead to another port of this computer. */
  leadTo(target: number): void;
  /** As it was before `cut` or `freeze`. */
  restore(): Promise<void>;
}

/** Starts a link to a port of this computer. */
export async function startLink(firstTarget: number): Promise<Link> {
  let target = firstTarget;
  const sockets = new Set<Socket>();
  let frozen = false;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket));
    if (frozen) socket.pause();
  };
  const server = createServer({ noDelay: true }, (near) => {
    const far = tcpConnect({ host, port: target, noDelay: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk) => to.write(chunk));
      from.once('close', () => to.destroy());
      keep(from);
    }
  });
  const listen = async (port: number) => {
    server.listen(port, host);
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP port');
    return address.port;
  };
  const close = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const port = await listen(0);
  return {
    port,
    cut: close,
    freeze() {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    strand() {
      for (const socket of sockets) socket.pause();
    },
    leadTo(port) {
      target = port;
    },
    async restore() {
      frozen = false;
      for (const socket of sockets) socket.resume();
      if (!server.listening) await listen(port);
    },
    [Symbol.asyncDispose]: close,
  };
}
