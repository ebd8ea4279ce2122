import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ChildProcess } from '../../../../src/sandbox/child-process.ts';
import { freePort } from '../../../../src/sandbox/free-port.ts';
import { startMlflow } from '../../../../src/sandbox/mlflow-server.ts';
import { mlflowBinFolder } from '../../parts/mlflow.ts';
import { type Door, openDoor } from './door.ts';

/** A real MLflow that can be killed and started again, and a door before it through which everything goes. */
export class MlflowBehindDoor implements AsyncDisposable {
  readonly door: Door;
  /** With its database and its log. */
  readonly folder: string;
  readonly #port: number;
  #child: ChildProcess | undefined;

  private constructor(door: Door, folder: string, port: number) {
    this.door = door;
    this.folder = folder;
    this.#port = port;
  }

  static async start(parent: string): Promise<MlflowBehindDoor> {
    // Last, because the folder has a python of its own.
    process.env.PATH = `${process.env.PATH}:${mlflowBinFolder()}`;
    const folder = join(parent, 'mlflow');
    mkdirSync(folder);
    const port = await freePort();
    const mlflow = new MlflowBehindDoor(await openDoor(port), folder, port);
    await mlflow.start();
    return mlflow;
  }

  get url(): string {
    return this.door.url;
  }

  async start(): Promise<void> {
    this.#child = (await startMlflow(this.#port, this.folder)).child;
  }

  /** SIGKILL, to the server and its workers. */
  async kill(): Promise<void> {
    if (!this.#child) return;
    process.kill(-this.#child.pid, 'SIGKILL');
    await this.#child.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child?.stop();
    await this.door[Symbol.asyncDispose]();
  }
}
