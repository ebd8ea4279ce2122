import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { waitingAgent } from '../support/agent-program.ts';
import { eventually } from './parts/eventually.ts';
import { type Harness, startHarness } from './parts/harness.ts';
import { Hold } from './parts/hold.ts';
import { type Prometheus, promtool, startPrometheus } from './parts/prometheus.ts';
import { selectorsOf } from './parts/promql.ts';

const deploy = join(import.meta.dirname, '../../deploy');
const rulesFile = join(deploy, 'prometheus/fleetbot-rules.yml');
const rulesTestFile = join(deploy, 'prometheus/fleetbot-rules.test.yml');
const scrapeFile = join(deploy, 'prometheus/scrape.example.yml');
const dashboardFile = join(deploy, 'grafana/fleetbot.json');

/** The machine's agent waits at its task, so that its link can be cut meanwhile. */
const limits = { connectTimeoutMs: 1_000, statusTimeoutMs: 1_000, stopTimeoutMs: 2_000 };
const runtimeMaxMs = 12_000;
/** A scrape takes no longer than Redis may, and a little. */
const scrapeMaxMs = 4_000;

const ruleSchema = z.object({
  alert: z.string(),
  expr: z.string(),
  labels: z.object({ severity: z.enum(['critical', 'warning', 'info']) }),
  annotations: z.object({ summary: z.string(), description: z.string() }),
});
const rulesSchema = z.object({ groups: z.array(z.object({ rules: z.array(ruleSchema) })) });
const rulesTestSchema = z.object({
  tests: z.array(
    z.object({
      promql_expr_test: z.array(z.object({ expr: z.string(), exp_samples: z.array(z.unknown()) })),
    }),
  ),
});
const scrapeSchema = z.object({ scrape_configs: z.tuple([z.object({ job_name: z.string() })], z.unknown()) });
const dashboardSchema = z.object({
  templating: z.object({ list: z.array(z.object({ name: z.string(), definition: z.string().optional() })) }),
  panels: z.array(
    z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })).default([]) }),
  ),
});

const logLineSchema = z.object({
  msg: z.string(),
  run: z.string().optional(),
  machine: z.string().optional(),
  trace: z.string().optional(),
});

const read = (file: string) => readFileSync(file, 'utf8');
const rules = rulesSchema.parse(parse(read(rulesFile))).groups.flatMap((group) => group.rules);
const dashboard = dashboardSchema.parse(JSON.parse(read(dashboardFile)));
const job = scrapeSchema.parse(parse(read(scrapeFile))).scrape_configs[0].job_name;

/** An expression of the dashboard as Grafana would ask it. */
const asked = (expr: string) => expr.replaceAll('$job', job).replaceAll('$__rate_interval', '1m');
const shown = dashboard.panels
  .flatMap(({ targets }) => targets.map(({ expr }) => asked(expr)))
  // Those of the central collector are asked in test/e2e/edge/collector-rules.test.ts.
  .filter((expr) => !expr.includes('job="fleetbot-collector"'));
const expressions = [...shown, ...rules.map(({ expr }) => expr)];

describe('the alert rules', () => {
  it('are understood by Prometheus, and fire when they should and only then', () => {
    expect(promtool(['check', 'rules', rulesFile])).toMatchObject({ status: 0 });
    expect(promtool(['test', 'rules', rulesTestFile])).toMatchObject({ status: 0 });
  });

  it('are all shown firing and not firing', () => {
    const { tests } = rulesTestSchema.parse(parse(read(rulesTestFile)));
    const cases = tests.flatMap((test) => test.promql_expr_test);
    const shownFor = (alert: string, firing: boolean) =>
      cases.some(
        ({ expr, exp_samples: samples }) =>
          expr.includes(`alertname="${alert}"`) && samples.length > 0 === firing,
      );
    for (const { alert } of rules) {
      expect([alert, shownFor(alert, false), shownFor(alert, true)]).toEqual([alert, true, true]);
    }
  });
});

describe('a fleetbot that Prometheus watches', () => {
  let harness: Harness;
  let hold: Hold;
  let folder: string;
  let prometheus: Prometheus;

  const page = async () => {
    const response = await fetch(`http://${harness.health}/metrics`);
    return { contentType: response.headers.get('content-type'), text: await response.text() };
  };

  beforeAll(async () => {
    hold = new Hold();
    folder = mkdtempSync(join(tmpdir(), 'fleetbot-prometheus-'));
    const agentCommand = waitingAgent('task', hold.file);
    harness = await startHarness(
      [{ name: 'web-01' }, { name: 'cut', agentCommand, runtimeMaxMs, entry: { limits } }],
      { fleet: { budgets: [{ name: 'all', usd: 100, per: 'month' }] } },
    );
    prometheus = await startPrometheus({ folder, job, target: harness.health, rules: rulesFile });

    await (await harness.sre.ask('check web-01 disk')).ended();
    await (await harness.sre.ask('ask web-01 what uses the memory?')).ended();
    await harness.visitor.askAside('check web-01 disk');
    const answer = await harness.sre.ask('check cut disk');
    await answer.reaches('tasking');
    await harness.machine('cut').link.cut();
    await answer.ended();
  });

  afterAll(async () => {
    await prometheus?.stop();
    await harness?.[Symbol.asyncDispose]();
    hold[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  it('tells metrics as Prometheus wants them', async () => {
    const { contentType, text } = await page();
    expect(contentType).toContain('text/plain; version=0.0.4');
    expect(promtool(['check', 'metrics'], text)).toEqual({ status: 0, output: '' });
  });

  it('has every series that the dashboard and the alerts ask for', async () => {
    for (const expr of expressions) expect([expr, selectorsOf(expr)]).not.toEqual([expr, []]);
    const selectors = [...new Set(expressions.flatMap(selectorsOf))];
    await eventually(async () => {
      const known = await Promise.all(selectors.map((selector) => prometheus.knows(selector)));
      expect(selectors.filter((_, index) => !known[index])).toEqual([]);
    });
  });

  it('can be asked every question of the dashboard and the alerts', async () => {
    await Promise.all(expressions.map((expr) => prometheus.query(expr)));
    const [variable] = dashboard.templating.list.filter(({ name }) => name === 'job');
    expect(variable?.definition).toBe('label_values(fleetbot_build_info, job)');
    expect(await prometheus.query('fleetbot_build_info')).toMatchObject([{ metric: { job, role: 'all' } }]);
  });

  it('tells nothing of its own that is shown nowhere', async () => {
    const asked = new Set(expressions.flatMap(selectorsOf).map((selector) => selector.replace(/\{.*/, '')));
    const parts = /_(?:bucket|sum|count)$/;
    const families = new Set([...asked].map((name) => name.replace(parts, '')));
    const ours = (await prometheus.names()).filter((name) => name.startsWith('fleetbot_'));
    expect(ours.filter((name) => !families.has(name.replace(parts, '')))).toEqual([]);
  });

  it('tells what happened', async () => {
    const runs = await harness.queue.requests.runs({ limit: 100 });
    const tokens = runs.reduce((sum, { diagnosis }) => sum + (diagnosis?.usage?.inputTokens ?? 0), 0);
    expect(tokens).toBeGreaterThan(0);
    const expected: Record<string, number> = {
      'sum(fleetbot_runs_total)': 3,
      'fleetbot_runs_total{task="check", verdict="ok", inertness="inactive"}': 1,
      'fleetbot_runs_total{task="check", verdict="ok", inertness="unknown"}': 1,
      'fleetbot_runs_total{task="ask", verdict="answered", inertness="inactive"}': 1,
      'fleetbot_requests_accepted_total{task="check"}': 2,
      'fleetbot_requests_accepted_total{task="ask"}': 1,
      'fleetbot_requests_denied_total{verb="check"}': 1,
      'fleetbot_agent_tokens_total{direction="input"}': tokens,
      'fleetbot_run_step_duration_seconds_count{step="agent.start"}': 3,
      'fleetbot_run_duration_seconds_count{task="check"}': 2,
      fleetbot_run_queue_wait_seconds_count: 3,
      'fleetbot_machine_quarantined{machine="cut"}': 1,
      fleetbot_quarantined_machines: 1,
      fleetbot_runs_in_progress: 0,
      fleetbot_fleet_machines: 2,
      fleetbot_redis_up: 1,
      fleetbot_slack_connected: 1,
      fleetbot_fleet_file_valid: 1,
    };
    await eventually(async () => {
      const told = await Promise.all(
        Object.keys(expected).map(async (expr) => [expr, await prometheus.number(expr)]),
      );
      expect(Object.fromEntries(told)).toEqual(expected);
    });
    expect(await prometheus.number('fleetbot_ssh_connections_opened_total')).toBeGreaterThanOrEqual(2);
    expect(
      await prometheus.number('fleetbot_ssh_connection_failures_total{code="unreachable"}'),
    ).toBeGreaterThan(0);
    expect(await prometheus.number('sum(fleetbot_slack_calls_total)')).toBeGreaterThan(0);
    expect(await prometheus.number('fleetbot_reconciler_round_duration_seconds_count')).toBeGreaterThan(0);
    const alert = 'ALERTS{alertname="FleetbotMachineQuarantined", alertstate="pending"}';
    await eventually(async () =>
      expect(await prometheus.query(alert)).toMatchObject([{ metric: { machine: 'cut' } }]),
    );
  });

  it('logs every line about a run with its run, machine and trace', async () => {
    const lines = harness
      .fleetbotLog()
      .trimEnd()
      .split('\n')
      .map((line) => logLineSchema.parse(JSON.parse(line)))
      .filter(({ run }) => run !== undefined);
    const done = lines.filter(({ msg }) => msg === 'run done');
    expect(done).toHaveLength(3);
    for (const { run: id = '', machine, trace } of lines) {
      const run = await harness.queue.requests.run(id);
      expect({ machine, trace }).toEqual({ machine: run?.request.machine, trace: run?.trace.traceId });
    }
  });

  it('still tells of itself while Redis is away, in time, and of Redis again afterwards', async () => {
    await harness.redis.kill();
    const startedAt = performance.now();
    const { text } = await page();
    expect(performance.now() - startedAt).toBeLessThan(scrapeMaxMs);
    expect(text).toContain('\nfleetbot_redis_up 0\n');
    expect(text).toContain('\nfleetbot_fleet_machines 2\n');
    expect(text).not.toContain('fleetbot_inbox_requests');
    await harness.redis.restart();
    await eventually(async () => expect((await page()).text).toContain('\nfleetbot_redis_up 1\n'));
  });
});
