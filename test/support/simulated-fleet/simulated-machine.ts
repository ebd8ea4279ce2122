import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2, { type ServerChannel } from 'ssh2';
import { parseVerb, type Verb } from '../../../src/sandbox/machine/parse-verb.ts';
import type { Behaviour, VerbFault } from './behaviour.ts';
import { Books } from './books.ts';
import { type GateAnswer, SimulatedGate, type SimulatedGateOptions } from './simulated-gate.ts';

export interface SimulatedMachineOptions extends Omit<SimulatedGateOptions, 'books' | 'clock'> {
  readonly hostKeyPem: string;
  readonly behaviour: Behaviour;
  /** How far its clock is off. */
  readonly clockSkewMs: number;
}

/** A machine with an SSH server on a loopback port of its own, which lets every key in and only serves its gate. */
export class SimulatedMachine {
  readonly name: string;
  readonly books = new Books();
  readonly #behaviour: Behaviour;
  readonly #gate: SimulatedGate;
  readonly #ssh;
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();
  /** Connections that were taken while the machine was silent; it has not looked at them yet. */
  readonly #unseen = new Set<Socket>();
  #silent = false;

  private constructor(options: SimulatedMachineOptions) {
    const { name, behaviour, clockSkewMs, hostKeyPem } = options;
    this.name = name;
    this.#behaviour = behaviour;
    this.#gate = new SimulatedGate({ ...options, books: this.books, clock: () => Date.now() + clockSkewMs });
    this.#ssh = new ssh2.Server({ hostKeys: [hostKeyPem] }, (client) => {
      client.on('authentication', (context) => context.accept());
      client.on('session', (accept) => {
        accept().once('exec', (acceptExec, _reject, { command }) => void this.#serve(acceptExec(), command));
      });
      client.on('error', () => {});
    });
    this.#listener = createServer({ noDelay: true }, (socket) => this.#take(socket));
  }

  static async start(options: SimulatedMachineOptions): Promise<SimulatedMachine> {
    const machine = new SimulatedMachine(options);
    machine.#listener.listen(0, '127.0.0.1');
    await once(machine.#listener, 'listening');
    return machine;
  }

  get port(): number {
    const address = this.#listener.address();
    if (address === null || typeof address === 'string') throw new Error(`${this.name} does not listen`);
    return address.port;
  }

  get silent(): boolean {
    return this.#silent;
  }

  /** Resets every open connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Its network is gone: connections stay open or are taken, and nothing is read or written. Its agent runs on. */
  goSilent(): void {
    this.#silent = true;
    for (const socket of this.#sockets) {
      socket.pause();
      socket.cork();
    }
  }

  /** Its network is back, with everything that was sent meanwhile. */
  comeBack(): void {
    if (!this.#silent) return;
    this.#silent = false;
    for (const socket of this.#sockets) {
      socket.uncork();
      if (this.#unseen.delete(socket)) this.#ssh.injectSocket(socket);
      else socket.resume();
    }
  }

  /** Ends its agent and cuts everything. */
  async close(): Promise<void> {
    this.#gate.close();
    const closed = once(this.#listener, 'close');
    this.#listener.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {}).once('close', () => this.#sockets.delete(socket));
    if (this.#silent) {
      socket.cork();
      this.#unseen.add(socket);
    } else this.#ssh.injectSocket(socket);
  }

  async #serve(channel: ServerChannel, command: string): Promise<void> {
    channel.on('error', () => {});
    const verb = parseVerb(command);
    if (verb === undefined) {
      const message = `The gate does not know "${command}".`;
      return say(channel, { kind: 'refusal', refusal: { code: 'verb-refused', message } });
    }
    const fault = this.#behaviour.fault(verb.verb);
    if (fault !== undefined) this.books.add({ kind: 'fault', fault: `${fault.kind} ${verb.verb}` });
    const answer = await this.#answer(verb, fault);
    if (answer === undefined) channel.resume();
    else say(channel, answer);
  }

  /** undefined where nobody gets an answer. */
  async #answer(verb: Verb, fault: VerbFault | undefined): Promise<GateAnswer | undefined> {
    switch (fault?.kind) {
      case undefined:
        return this.#gate.answer(verb);
      case 'slow':
        await sleep(fault.ms);
        return this.#gate.answer(verb);
      case 'refused':
        return this.#gate.answer(verb, true);
      case 'hung':
        if (fault.done) this.#gate.answer(verb);
        return undefined;
      case 'cut':
        if (fault.done) this.#gate.answer(verb);
        this.cut();
        return undefined;
      case 'silent':
        this.goSilent();
        setTimeout(() => this.comeBack(), fault.ms).unref();
        return this.#gate.answer(verb);
    }
  }
}

function say(channel: ServerChannel, answer: GateAnswer): void {
  switch (answer.kind) {
    case 'reply':
      channel.resume();
      channel.write(JSON.stringify(answer.reply), () => finish(channel, 0));
      break;
    case 'refusal':
      channel.resume();
      channel.stderr.write(JSON.stringify(answer.refusal), () => finish(channel, 1));
      break;
    case 'connection':
      relay(channel, answer.stream);
  }
}

function relay(channel: ServerChannel, stream: (GateAnswer & { kind: 'connection' })['stream']): void {
  if (stream === undefined) {
    channel.resume();
    finish(channel, 0);
    return;
  }
  channel.pipe(stream);
  stream.pipe(channel, { end: false });
  stream.once('close', () => {
    if (channel.writable) channel.write('', () => finish(channel, 0));
  });
  channel.once('close', () => stream.destroy());
}

/** The exit status first: ssh2 closes the channel as soon as it has ended. */
function finish(channel: ServerChannel, exitCode: number): void {
  channel.exit(exitCode);
  channel.end();
}
