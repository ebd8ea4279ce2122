import { once } from 'node:events';
import { connect as tcpConnect } from 'node:net';
import { text } from 'node:stream/consumers';
import ssh2, { type ClientChannel, type ConnectConfig } from 'ssh2';

export interface GateResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A plain SSH client of a machine's gate, without any of the edge client's knowledge. */
export class GateClient implements AsyncDisposable {
  readonly ssh = new ssh2.Client();
  readonly #closed = once(this.ssh, 'close').catch(() => undefined);

  /** Connects to loopback. @throws what ssh2 reports, for example a refused key */
  static async connect(port: number, privateKey: string, config: ConnectConfig = {}): Promise<GateClient> {
    const client = new GateClient();
    const ready = once(client.ssh, 'ready');
    const sock = tcpConnect({ host: '127.0.0.1', port, noDelay: true });
    client.ssh.connect({ sock, username: 'fleetbot', privateKey, ...config });
    await ready;
    client.ssh.on('error', () => undefined);
    return client;
  }

  /** Opens a channel for one request. */
  async open(line: string): Promise<ClientChannel> {
    const { promise, resolve, reject } = Promise.withResolvers<ClientChannel>();
    this.ssh.exec(line, (error, channel) => (error ? reject(error) : resolve(channel)));
    return await promise;
  }

  /** One request, to its end. */
  async run(line: string, stdin = ''): Promise<GateResult> {
    const channel = await this.open(line);
    channel.end(stdin);
    const closed = once(channel, 'close');
    // The exit code comes with `close` too; an `exit` event can be over before anyone can listen.
    const [stdout, stderr, [exitCode]] = await Promise.all([text(channel), text(channel.stderr), closed]);
    return { exitCode: exitCode ?? null, stdout, stderr };
  }

  /** One request that has to succeed: its reply. */
  async reply(line: string): Promise<unknown> {
    const { exitCode, stdout, stderr } = await this.run(line);
    if (exitCode !== 0) throw new Error(`${line}: exit code ${exitCode}: ${stderr}`);
    return JSON.parse(stdout);
  }

  /** One request that has to be refused: its refusal. */
  async refusal(line: string, stdin = ''): Promise<unknown> {
    const { exitCode, stdout, stderr } = await this.run(line, stdin);
    if (exitCode !== 1 || stdout !== '') throw new Error(`${line}: exit code ${exitCode}: ${stdout}`);
    return JSON.parse(stderr);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ssh.end();
    await this.#closed;
  }
}
