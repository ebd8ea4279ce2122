import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { answersOk } from '../../../src/sandbox/answers-ok.ts';
import { type ChildProcess, startChild } from '../../../src/sandbox/child-process.ts';
import { freePort } from '../../../src/sandbox/free-port.ts';
import { programOf } from './system-package.ts';

const readyTimeoutMs = 30_000;

const program = (name: 'prometheus' | 'promtool') => programOf('prometheus', name);

/** Runs Prometheus' own tool. */
export function promtool(
  args: readonly string[],
  input = '',
): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(program('promtool'), args, { input, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

const sampleSchema = z.object({
  metric: z.record(z.string(), z.string()),
  value: z.tuple([z.number(), z.string()]),
});
const answerSchema = z.union([
  z.object({ status: z.literal('success'), data: z.unknown() }),
  z.object({ status: z.literal('error'), error: z.string() }),
]);
const vectorSchema = z.object({ result: z.array(sampleSchema) });

/** A real Prometheus. */
export class Prometheus {
  readonly #child: ChildProcess;
  readonly #url: string;

  constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.#url = url;
  }

  /** The samples of an expression now. @throws Error with what Prometheus says against it */
  async query(expr: string): Promise<z.infer<typeof sampleSchema>[]> {
    return vectorSchema.parse(await this.#get('query', { query: expr })).result;
  }

  /** The number of an expression that has one sample. */
  async number(expr: string): Promise<number> {
    const [sample, ...more] = await this.query(expr);
    if (sample === undefined || more.length > 0) throw new Error(`${expr} has ${more.length + 1} samples`);
    return Number(sample.value[1]);
  }

  /** Whether a selector names any series. */
  async knows(selector: string): Promise<boolean> {
    return z.array(z.unknown()).parse(await this.#get('series', { 'match[]': selector })).length > 0;
  }

  /** Every name of a metric that was scraped. */
  async names(): Promise<string[]> {
    return z.array(z.string()).parse(await this.#get('label/__name__/values', {}));
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }

  async #get(path: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
    const response = await fetch(`${this.#url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const answer = answerSchema.parse(await response.json());
    if (answer.status === 'error') throw new Error(`${answer.error}: ${parameters.query ?? path}`);
    return answer.data;
  }
}

/** Starts one that scrapes the target every second under the job's name and evaluates the rules. */
export async function startPrometheus(options: {
  readonly folder: string;
  readonly job: string;
  readonly target: string;
  readonly rules: string;
}): Promise<Prometheus> {
  const { folder, job, target, rules } = options;
  const config = join(folder, 'prometheus.yml');
  writeFileSync(
    config,
    stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [rules],
      scrape_configs: [{ job_name: job, static_configs: [{ targets: [target] }] }],
    }),
  );
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = await startChild({
    name: 'prometheus',
    argv: [
      program('prometheus'),
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    cwd: folder,
    logFile: join(folder, 'prometheus.log'),
    ready: () => answersOk(`${url}/-/ready`),
    readyTimeoutMs,
  });
  return new Prometheus(child, url);
}
