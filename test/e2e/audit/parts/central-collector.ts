import { join } from 'node:path';
import { parse } from 'yaml';
import { type Collector, startCentralCollector } from '../../edge/parts/collector.ts';
import { fleetbot } from './fleetbot.ts';
import { names } from './rules.ts';

/** The central collector of these machines, with the prices of their fleet file. */
export class CentralCollector {
  /** With its queue, its copy and its log. */
  readonly folder: string;
  readonly copyFolder: string;
  readonly url: string;
  readonly #mlflowUrl: string;
  readonly #fleetFile: string;
  readonly #port: number;
  #collector: Collector | undefined;

  constructor(folder: string, mlflowUrl: string, fleetFile: string, port: number) {
    this.folder = folder;
    this.copyFolder = join(folder, 'central/copy');
    this.url = `http://127.0.0.1:${port}`;
    this.#mlflowUrl = mlflowUrl;
    this.#fleetFile = fleetFile;
    this.#port = port;
  }

  async start(): Promise<void> {
    const prices = await fleetbot(['collector', 'prices', '--fleet', this.#fleetFile]);
    this.#collector = await startCentralCollector({
      folder: this.folder,
      passwords: Object.fromEntries(names.map((name) => [name, passwordOf(name)])),
      mlflow: { url: this.#mlflowUrl, experimentId: '0' },
      own: parse(prices),
      port: this.#port,
    });
  }

  async kill(): Promise<void> {
    await this.#collector?.kill();
  }
}

/** As the machine shows it to the central collector (`govern.ts`). */
export function passwordOf(machine: string): string {
  return `of-${machine}`;
}
