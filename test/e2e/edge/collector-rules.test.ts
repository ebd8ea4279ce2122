import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { type OtlpReceiver, startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { collectorBinary } from '../parts/collector-binary.ts';
import { eventually } from '../parts/eventually.ts';
import { type Prometheus, promtool, startPrometheus } from '../parts/prometheus.ts';
import { selectorsOf } from '../parts/promql.ts';
import { type CentralCollector, startCentralCollector } from './parts/collector.ts';
import { sendSpans } from './parts/send-spans.ts';

const deploy = join(import.meta.dirname, '../../../deploy');
const folderOfRules = join(deploy, 'prometheus');
const rulesFile = join(folderOfRules, 'collector-rules.yml');
const rulesTestFile = join(folderOfRules, 'collector-rules.test.yml');

const read = (file: string): unknown => parse(readFileSync(file, 'utf8'));
const ruleSchema = z.object({ alert: z.string(), expr: z.string() });
const rules = z.object({ groups: z.tuple([z.object({ rules: z.array(ruleSchema) })]) }).parse(read(rulesFile))
  .groups[0].rules;
const dashboardSchema = z.object({
  panels: z.array(z.object({ targets: z.array(z.object({ expr: z.string() })).default([]) })),
});
/** What the dashboard asks of the collector, as Grafana would ask it. */
const shown = dashboardSchema
  .parse(read(join(deploy, 'grafana/fleetbot.json')))
  .panels.flatMap(({ targets }) => targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '1m')))
  .filter((expr) => expr.includes('job="fleetbot-collector"'));
const scrape = z.object({ scrape_configs: z.array(z.object({ job_name: z.string() })) });

describe('the alert rules on the collector', () => {
  it('are understood by Prometheus, and fire when they should and only then', () => {
    expect(promtool(['check', 'rules', rulesFile])).toMatchObject({ status: 0 });
    expect(promtool(['test', 'rules', rulesTestFile])).toMatchObject({ status: 0 });
  });

  it('are all shown firing and not firing', () => {
    const samples = z.object({ expr: z.string(), exp_samples: z.array(z.unknown()) });
    const cases = z
      .object({ tests: z.array(z.object({ promql_expr_test: z.array(samples) })) })
      .parse(read(rulesTestFile))
      .tests.flatMap((test) => test.promql_expr_test);
    for (const { alert } of rules) {
      const shown = cases.filter(({ expr }) => expr.includes(`alertname="${alert}"`));
      expect([alert, new Set(shown.map((each) => each.exp_samples.length > 0))]).toEqual([
        alert,
        new Set([false, true]),
      ]);
    }
  });
});

describe('a central collector that Prometheus watches', () => {
  let folder: string;
  let mlflow: OtlpReceiver;
  let central: CentralCollector;
  let prometheus: Prometheus;

  beforeAll(() => void collectorBinary());

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fleetbot-watched-'));
    mlflow = await startOtlpReceiver();
    await mkdir(join(folder, 'central/copy'), { recursive: true });
    await symlink('/dev/full', join(folder, 'central/copy/spans.jsonl'));
    central = await startCentralCollector({
      folder,
      passwords: { 'rhel-01': 'of-rhel-01' },
      mlflow: { url: mlflow.url, experimentId: '7' },
    });
    const [, job] = scrape.parse(read(join(folderOfRules, 'scrape.example.yml'))).scrape_configs;
    prometheus = await startPrometheus({
      folder,
      job: job?.job_name ?? '',
      target: `127.0.0.1:${central.metricsPort}`,
      rules: rulesFile,
    });
    return async () => {
      await prometheus.stop();
      await central.kill();
      await mlflow.close();
      await rm(folder, { recursive: true });
    };
  });

  it('tells when MLflow refuses, its disk is full, a machine forges spans or shows a wrong password', async () => {
    const url = `http://127.0.0.1:${central.port}`;
    mlflow.answer = { status: 422 };
    const machine = { machine: 'rhel-01', password: 'of-rhel-01' };
    // It cannot keep a copy: the machine is to send again.
    expect(await sendSpans(url, machine, [{}])).toBe(503);
    expect(await sendSpans(url, machine, [{ parentSpanId: '' }])).toBe(200);
    expect(await sendSpans(url, { ...machine, password: 'wrong' }, [{}])).toBe(401);
    const selectors = [...new Set([...shown, ...rules.map(({ expr }) => expr)].flatMap(selectorsOf))];
    await eventually(async () => {
      const known = await Promise.all(selectors.map((selector) => prometheus.knows(selector)));
      expect(selectors.filter((_, index) => !known[index])).toEqual([]);
    });
    await eventually(async () => {
      const firing = await prometheus.query('ALERTS{alertstate="firing"}');
      expect(firing.map(({ metric }) => metric.alertname).toSorted()).toEqual([
        ...['FleetbotCollectorCopyFails', 'FleetbotCollectorRefused', 'FleetbotSpansForged'],
      ]);
    });
  });
});
