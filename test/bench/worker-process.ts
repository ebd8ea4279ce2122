import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Ended, newsSchema, type Order, type WorkOrder } from './messages.ts';

/** Starts a program of this folder that ends with us. */
export function startProcess(file: string): ChildProcess {
  return fork(join(import.meta.dirname, file), { execArgv: [] });
}

/** One worker process, as the benchmark sees it. */
export class WorkerProcess {
  readonly #child = startProcess('worker.ts');
  #ended = Promise.withResolvers<Ended>();
  done = 0;

  constructor() {
    this.#child.on('message', (message) => {
      const news = newsSchema.parse(message);
      if (news.news === 'progress') this.done = news.done;
      else this.#ended.resolve(news);
    });
    this.#child.on('exit', (code) => this.#ended.reject(new Error(`a worker ended with exit code ${code}`)));
    this.#ended.promise.catch(() => undefined);
  }

  begin(order: Omit<WorkOrder, 'order'>): void {
    this.done = 0;
    this.#ended = Promise.withResolvers();
    this.#order({ order: 'work', ...order });
  }

  end(): Promise<Ended> {
    this.#order({ order: 'end' });
    return this.#ended.promise;
  }

  async close(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }

  #order(order: Order): void {
    this.#child.send(order);
  }
}
