import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { answersOk } from '../../../../src/sandbox/answers-ok.ts';
import { type ChildProcess, startChild } from '../../../../src/sandbox/child-process.ts';
import { freePort } from '../../../../src/sandbox/free-port.ts';
import { programOf } from '../../parts/system-package.ts';

const readyTimeoutMs = 30_000;
/** For an alert that nobody resolves while the tests run. */
const firesForMs = 600_000;

const name = 'prometheus-alertmanager';

/**
 * How the program is called. Debian's reads its templates from `/usr/share` and nowhere else: where it is not installed
 * it runs with a view of the file system in which its own files are there. Nobody else sees that.
 */
function command(): readonly string[] {
  const program = programOf(name, name);
  if (program === name) return [program];
  const share = join(program, '../../share');
  const seeOwn = 'mount --bind "$0" /usr/share && exec "$@"';
  return ['unshare', '--map-root-user', '--mount', 'sh', '-c', seeOwn, share, program];
}

/** An alert as a Prometheus would send it. */
export interface Fired {
  readonly name: string;
  /** `host:port`, as Prometheus names what it scrapes. */
  readonly instance: string;
}

/** A real Alertmanager. */
export class Alertmanager {
  readonly #child: ChildProcess;
  readonly #url: string;
  /** When each alert began: it is the same alert only with the same begin. */
  readonly #began = new Map<string, Date>();

  constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.#url = url;
  }

  fire(alerts: readonly Fired[]): Promise<void> {
    return this.#post(alerts, new Date(Date.now() + firesForMs));
  }

  resolve(alerts: readonly Fired[]): Promise<void> {
    return this.#post(alerts, new Date());
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }

  async #post(alerts: readonly Fired[], endsAt: Date): Promise<void> {
    const body = alerts.map(({ name, instance }) => {
      const key = `${name} ${instance}`;
      const startsAt = this.#began.get(key) ?? new Date();
      this.#began.set(key, startsAt);
      const labels = { alertname: name, instance, severity: 'warning' };
      return { labels, annotations: { summary: `${name} on ${instance}` }, startsAt, endsAt };
    });
    const response = await fetch(`${this.#url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`Alertmanager took nothing: ${await response.text()}`);
  }
}

/** Starts one that sends everything to the webhook at once, one message for each name of alerts. */
export async function startAlertmanager(options: {
  readonly folder: string;
  readonly webhookUrl: string;
  readonly token: string;
}): Promise<Alertmanager> {
  const { folder, webhookUrl, token } = options;
  const config = join(folder, 'alertmanager.yml');
  writeFileSync(
    config,
    stringify({
      route: {
        ...{ receiver: 'fleetbot', group_by: ['alertname'] },
        ...{ group_wait: '100ms', group_interval: '500ms', repeat_interval: '1h' },
      },
      receivers: [
        {
          name: 'fleetbot',
          webhook_configs: [
            {
              url: webhookUrl,
              send_resolved: true,
              http_config: { authorization: { type: 'Bearer', credentials: token } },
            },
          ],
        },
      ],
    }),
  );
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = await startChild({
    name: 'alertmanager',
    argv: [
      ...command(),
      `--config.file=${config}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      // Alone: it looks for no others.
      '--cluster.listen-address=',
    ],
    cwd: folder,
    logFile: join(folder, 'alertmanager.log'),
    ready: () => answersOk(`${url}/-/ready`),
    readyTimeoutMs,
  });
  return new Alertmanager(child, url);
}
