import { cp, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RedisServer, startRedis } from '../../src/sandbox/redis-server.ts';

/** From when to when what was confirmed may be gone; milliseconds since the epoch. */
export interface LostWindow {
  readonly from: number;
  readonly to: number;
}

const appendOnly = 'appendonlydir';
const manifest = 'appendonly.aof.manifest';

/** A real Redis that is killed, frozen and robbed of its last second. One thing is done to it at a time. */
export class ChaosRedis {
  readonly port: number;
  readonly #folder: string;
  #server: RedisServer;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, server: RedisServer) {
    this.#folder = folder;
    this.#server = server;
    this.port = server.port;
  }

  static async start(): Promise<ChaosRedis> {
    const folder = await mkdtemp(join(tmpdir(), 'fleetbot-chaos-redis-'));
    return new ChaosRedis(folder, await startRedis({ folder, tell }));
  }

  get url(): string {
    return this.#server.url;
  }

  /** SIGKILL, and a start on the same data. */
  crash(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#kill();
      await this.#start();
    });
  }

  freeze(ms: number): Promise<void> {
    return this.#inTurn(async () => {
      process.kill(this.#server.pid, 'SIGSTOP');
      await sleep(ms);
      process.kill(this.#server.pid, 'SIGCONT');
    });
  }

  /** SIGKILL, and a start on the data of about a second before, as after the loss of a primary. */
  loseLastSecond(): Promise<LostWindow> {
    return this.#inTurn(async () => {
      const copy = join(this.#folder, 'a-second-ago');
      const from = await this.#copyTo(copy);
      await sleep(1_000);
      await this.#kill();
      await rm(join(this.#folder, appendOnly), { recursive: true });
      await rename(copy, join(this.#folder, appendOnly));
      await this.#start();
      return { from, to: Date.now() };
    });
  }

  async stop(): Promise<void> {
    await this.#turn;
    await this.#server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Copies the data, again where Redis rewrote its files meanwhile. @returns when the copy was begun */
  async #copyTo(copy: string): Promise<number> {
    const files = join(this.#folder, appendOnly);
    for (;;) {
      const from = Date.now();
      const before = await readFile(join(files, manifest), 'utf8');
      await rm(copy, { recursive: true, force: true });
      await cp(files, copy, { recursive: true });
      if ((await readFile(join(files, manifest), 'utf8')) === before) return from;
    }
  }

  async #kill(): Promise<void> {
    process.kill(this.#server.pid, 'SIGKILL');
    await this.#server.stop();
  }

  async #start(): Promise<void> {
    this.#server = await startRedis({ folder: this.#folder, tell, port: this.port });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
