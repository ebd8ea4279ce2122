import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { AlertsMeter } from '../../src/alerts/ports.ts';
import type { BotMeter, SlackBudget } from '../../src/bot/ports.ts';
import { FleetFileError } from '../../src/fleet/errors.ts';
import type { Run } from '../../src/fleet/run.ts';
import type { SignerMeter } from '../../src/signer/ports.ts';
import type { ReconcilerMeter, Tracer } from '../../src/supervisors/ports.ts';
import { createTelemetry } from '../../src/telemetry/create-telemetry.ts';
import { createMetrics, type MetricsSources } from '../../src/telemetry/metrics/create-metrics.ts';
import { sampleGauges } from '../support/sample-gauges.ts';
import { sampleApproval } from '../support/sample-question.ts';
import { acceptedAt, diagnosed, judged, sampleRun } from '../support/sample-run.ts';

const log = pino({ level: 'silent' });

const sources: MetricsSources = {
  version: '1.2.3',
  role: 'all',
  fleet: { current: () => ({ machines: { size: 3 }, actions: { size: 4 } }), invalid: () => undefined },
  signs: true,
  slackConnected: () => true,
  ssh: () => ({ open: 2, opened: 5, failed: new Map([['unreachable', 4]]) }),
  spans: () => ({
    ...{ exportedSpans: 10, waitingSpans: 4, oldestWaitingMs: 90_000, refusedSpans: 2, lostSpans: 1 },
  }),
  gauges: async () => sampleGauges,
};

/** Metrics with a tracer that measures on a clock of the test's, and what a scrape says of a series. */
async function start(changes: Partial<MetricsSources> = {}) {
  let now = 0;
  const metrics = createMetrics({ log, clock: () => now });
  const telemetry = await createTelemetry({ log });
  const tracer: Tracer = metrics.tracer(telemetry.tracer);
  const page = metrics.page({ ...sources, ...changes });
  return {
    metrics,
    tracer,
    page,
    pass: (ms: number) => {
      now += ms;
    },
    /** The number behind a series as it stands in the text; undefined where there is none. */
    value: async (series: string) => {
      const line = (await page()).body.split('\n').find((each) => each.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length + 1));
    },
  };
}

describe('the runs', () => {
  it('are counted by what was asked, their verdict and what is known of their agent', async () => {
    const { tracer, value } = await start();
    const critical = 'fleetbot_runs_total{task="check",verdict="critical",inertness="inactive"}';
    expect(await value(critical)).toBe(0);
    tracer.finish(sampleRun('r-00000000aaaa', 'done', { ...judged, ...diagnosed }));
    tracer.finish(sampleRun('r-00000000aaab', 'done', { ...judged, ...diagnosed }));
    expect(await value(critical)).toBe(2);
  });

  it('are timed from acceptance to their first work, and to their end', async () => {
    const { tracer, value } = await start();
    const timeline: Run['timeline'] = [
      { state: 'queued', at: acceptedAt },
      { state: 'gathering', at: acceptedAt + 3_000 },
      { state: 'done', at: acceptedAt + 20_000 },
    ];
    tracer.finish(sampleRun('r-00000000aaaa', 'done', { timeline }));
    expect(await value('fleetbot_run_queue_wait_seconds_sum')).toBe(3);
    expect(await value('fleetbot_run_duration_seconds_sum{task="check"}')).toBe(20);
    expect(await value('fleetbot_run_duration_seconds_bucket{le="10",task="check"}')).toBe(0);
    expect(await value('fleetbot_run_duration_seconds_bucket{le="30",task="check"}')).toBe(1);
  });

  it('that nobody worked on do not say how long the queue is', async () => {
    const { tracer, value } = await start();
    const cancellation = { userId: 'U0ANN', at: acceptedAt + 9_000 };
    const timeline: Run['timeline'] = [
      { state: 'queued', at: acceptedAt },
      { state: 'done', at: acceptedAt + 9_000 },
    ];
    tracer.finish(sampleRun('r-00000000aaaa', 'done', { verdict: 'cancelled', cancellation, timeline }));
    tracer.finish(sampleRun('r-00000000aaab', 'done', { timeline }));
    expect(await value('fleetbot_run_queue_wait_seconds_count')).toBe(0);
    expect(await value('fleetbot_run_cancellations_total')).toBe(1);
  });

  it('tell why they failed, a failure that run and agent share once', async () => {
    const { tracer, value } = await start();
    const failure = { code: 'agent-silent', message: 'Nothing.' };
    const diagnosis = { ...diagnosed.diagnosis, failure };
    tracer.finish(sampleRun('r-00000000aaaa', 'done', { verdict: 'failed', failure, diagnosis }));
    tracer.finish(sampleRun('r-00000000aaab', 'done', { failure: { code: 'locked', message: 'Locked.' } }));
    expect(await value('fleetbot_run_failures_total{code="agent-silent"}')).toBe(1);
    expect(await value('fleetbot_run_failures_total{code="locked"}')).toBe(1);
    expect(await value('fleetbot_run_failures_total{code="unreachable"}')).toBe(0);
  });

  it('add up to tokens and dollars', async () => {
    const { tracer, value } = await start();
    const diagnosis = { ...diagnosed.diagnosis, costUsd: 0.25 };
    tracer.finish(sampleRun('r-00000000aaaa', 'done', { diagnosis }));
    tracer.finish(sampleRun('r-00000000aaab', 'done', { diagnosis }));
    expect(await value('fleetbot_agent_tokens_total{direction="input"}')).toBe(2 * 1_234);
    expect(await value('fleetbot_agent_tokens_total{direction="output"}')).toBe(2 * 567);
    expect(await value('fleetbot_agent_cost_usd_total')).toBe(0.5);
    expect(await value('fleetbot_agent_cost_unknown_total{reason="no-price"}')).toBe(0);
    expect(await value('fleetbot_agent_cost_unknown_total{reason="untold"}')).toBe(0);
  });

  it('count the activations whose cost nobody knows', async () => {
    const { tracer, value } = await start();
    const { diagnosis: unpriced } = diagnosed;
    const { usage: _usage, ...untold } = unpriced;
    tracer.finish(sampleRun('r-00000000aaaa', 'done', { diagnosis: { ...unpriced, activations: 2 } }));
    tracer.finish(sampleRun('r-00000000aaab', 'done', { diagnosis: { ...untold, activations: 2 } }));
    tracer.finish(sampleRun('r-00000000aaac', 'done'));
    expect(await value('fleetbot_agent_cost_unknown_total{reason="no-price"}')).toBe(1);
    expect(await value('fleetbot_agent_cost_unknown_total{reason="untold"}')).toBe(3);
  });

  it('do not take longer because people thought', async () => {
    const { tracer, value } = await start();
    const timeline: Run['timeline'] = [
      { state: 'queued', at: acceptedAt },
      { state: 'gathering', at: acceptedAt },
      { state: 'awaiting', at: acceptedAt + 4_000 },
      { state: 'approved', at: acceptedAt + 900_000 },
      { state: 'done', at: acceptedAt + 901_000 },
    ];
    tracer.finish(sampleRun('r-00000000aaaa', 'done', { timeline }));
    expect(await value('fleetbot_run_duration_seconds_sum{task="check"}')).toBe(5);
  });

  it('count what people were asked, by what became of it', async () => {
    const { tracer, value } = await start();
    const denied = 'fleetbot_approvals_total{state="denied"}';
    expect(await value(denied)).toBe(0);
    const run = sampleRun('r-00000000aaaa', 'done');
    tracer.finish({ ...run, approval: { ...sampleApproval(run), state: 'denied' } });
    expect(await value(denied)).toBe(1);
    expect(await value('fleetbot_approvals_total{state="expired"}')).toBe(0);
    expect(await value('fleetbot_approvals_total{state="waiting"}')).toBeUndefined();
  });

  it('count actions, by what became of them and what the evidence says', async () => {
    const { tracer, value } = await start();
    const confirmed = 'fleetbot_actions_total{outcome="done",effect="confirmed"}';
    expect(await value(confirmed)).toBe(0);
    const action = { detail: 'Done.', stdout: '', stderr: '' };
    const ended = { ...action, outcome: 'done', effect: 'confirmed' } as const;
    tracer.finish(sampleRun('r-00000000aaaa', 'done', { action: ended }));
    tracer.finish(sampleRun('r-00000000aaab', 'done', { action: { ...action, outcome: 'refused' } }));
    expect(await value(confirmed)).toBe(1);
    expect(await value('fleetbot_actions_total{outcome="refused",effect="none"}')).toBe(1);
  });

  it('that report nonsense cost a count and nothing else', async () => {
    const { tracer, value } = await start();
    const usage = { inputTokens: -1, outputTokens: 1 };
    tracer.finish(sampleRun('r-00000000aaaa', 'done', { diagnosis: { ...diagnosed.diagnosis, usage } }));
    expect(await value('fleetbot_agent_tokens_total{direction="input"}')).toBe(0);
  });
});

describe('the steps of runs', () => {
  it('are timed whether they end well or not', async () => {
    const { tracer, value, pass } = await start();
    const run = sampleRun('r-00000000aaaa', 'tasking');
    const good = tracer.step(run, 'agent.task');
    pass(4_000);
    good.end();
    const bad = tracer.step(run, 'agent.task');
    pass(6_000);
    bad.end(new Error('lost'));
    expect(await value('fleetbot_run_step_duration_seconds_sum{step="agent.task"}')).toBe(10);
    expect(await value('fleetbot_run_step_duration_seconds_count{step="agent.task"}')).toBe(2);
    expect(await value('fleetbot_run_step_duration_seconds_count{step="agent.stop"}')).toBe(0);
  });

  it('are recorded in the trace as without being measured', async () => {
    const recorded: unknown[] = [];
    const metrics = createMetrics({ log, clock: () => 0 });
    const tracer: Tracer = metrics.tracer({
      step: (_run, name) => ({
        traceparent: 'a traceparent',
        set: (attributes) => recorded.push([name, attributes]),
        end: (error) => recorded.push([name, error]),
      }),
      hostWork: (_run, step, outputs) => recorded.push([step.traceparent, outputs]),
      judged: (_run, step, judgement) => recorded.push([step.traceparent, judgement]),
      agentWork: (_run, step, ...work) => recorded.push([step.traceparent, ...work]),
      actionTraceparent: ({ id }) => `the traceparent of ${id}`,
      finish: ({ id }) => recorded.push(id),
    });
    const run = sampleRun('r-00000000aaaa', 'tasking');
    const answer = { text: 'Full.', toolCalls: [] };
    const step = tracer.step(run, 'agent.task');
    tracer.hostWork(run, step, judged.evidence.outputs);
    const judgement = { check: 'disk', expected: {}, measurement: judged };
    tracer.judged(run, step, judgement);
    const cost = { inputUsd: 0.25, outputUsd: 0.5, totalUsd: 0.75 };
    tracer.agentWork(run, step, answer, cost);
    step.set({ attempts: 1 });
    step.end('an error');
    recorded.push(tracer.actionTraceparent(run));
    tracer.finish(run);
    expect(recorded).toEqual([
      ['a traceparent', judged.evidence.outputs],
      ['a traceparent', judgement],
      ['a traceparent', answer, cost],
      ['agent.task', { attempts: 1 }],
      ['agent.task', 'an error'],
      `the traceparent of ${run.id}`,
      run.id,
    ]);
  });
});

describe('what rooms report', () => {
  it('of requests: what was stored, denied, and over a limit', async () => {
    const { metrics, value } = await start();
    const meter: BotMeter = metrics.bot;
    meter.accepted('ask', 3);
    meter.denied('halt');
    meter.limited('waiting');
    meter.alertMessageLost();
    expect(await value('fleetbot_requests_accepted_total{task="ask"}')).toBe(3);
    expect(await value('fleetbot_requests_denied_total{verb="halt"}')).toBe(1);
    expect(await value('fleetbot_requests_denied_total{verb="check"}')).toBe(0);
    expect(await value('fleetbot_requests_limited_total{limit="waiting"}')).toBe(1);
    expect(await value('fleetbot_alert_messages_lost_total')).toBe(1);
  });

  it('of the reconciler: what it found, and whom it could not reach', async () => {
    const { metrics, value } = await start();
    const meter: ReconcilerMeter = metrics.reconciler;
    meter.found('stray-stopped');
    meter.round({ machines: 10, unreachable: 3, durationMs: 1_500 });
    expect(await value('fleetbot_reconciler_findings_total{kind="stray-stopped"}')).toBe(1);
    expect(await value('fleetbot_reconciler_findings_total{kind="stray-found"}')).toBe(0);
    expect(await value('fleetbot_reconciler_machines_total{outcome="unreachable"}')).toBe(3);
    expect(await value('fleetbot_reconciler_machines_total{outcome="answered"}')).toBe(7);
    expect(await value('fleetbot_reconciler_round_duration_seconds_sum')).toBe(1.5);
  });

  it('of machines that have drifted, by part, while this process looks at them', async () => {
    const { metrics, value } = await start();
    const meter: ReconcilerMeter = metrics.reconciler;
    const series = 'fleetbot_machines_drifted{part="agent image"}';
    expect(await value(series)).toBeUndefined();
    meter.drifted(new Map([['agent image', 3]]));
    expect(await value(series)).toBe(3);
    meter.drifted(new Map([['agent image', 0]]));
    expect(await value(series)).toBe(0);
    meter.drifted(undefined);
    expect(await value(series)).toBeUndefined();
  });

  it('of the signer: what it signed, and what it refused', async () => {
    const { metrics, value } = await start();
    const meter: SignerMeter = metrics.signer;
    meter.signed();
    expect(await value('fleetbot_capsules_total{outcome="signed"}')).toBe(1);
    expect(await value('fleetbot_capsules_total{outcome="refused"}')).toBe(0);
    meter.refused();
    expect(await value('fleetbot_capsules_total{outcome="refused"}')).toBe(1);
  });

  it('of alerts: what was told, what nobody looks into, and what was not taken', async () => {
    const { metrics, value } = await start();
    const meter: AlertsMeter = metrics.alerts;
    meter.taken('grafana', { firing: 3, resolved: 1, unmatched: 2 });
    meter.homeless('text', 4);
    expect(await value('fleetbot_alerts_total{source="grafana",status="firing"}')).toBe(3);
    expect(await value('fleetbot_alerts_total{source="grafana",status="resolved"}')).toBe(1);
    expect(await value('fleetbot_alerts_unmatched_total{source="grafana"}')).toBe(2);
    expect(await value('fleetbot_alerts_homeless_total{source="text"}')).toBe(4);
    const refused = 'fleetbot_alert_deliveries_refused_total{reason="unauthorized"}';
    expect(await value(refused)).toBe(0);
    meter.refused('unauthorized');
    expect(await value(refused)).toBe(1);
  });

  it('of Slack: the calls that are made, and those that it refuses for now', async () => {
    const { metrics, value } = await start();
    const waits = [0, 700, 0];
    const blocked: unknown[] = [];
    const budget: SlackBudget = metrics.budget<Parameters<SlackBudget['take']>[2]>({
      take: async () => waits.shift() ?? 0,
      block: async (...call) => void blocked.push(call),
    });
    const take = () => budget.take('chat.update', 'C0OPS', 'progress');
    expect([await take(), await take(), await take()]).toEqual([0, 700, 0]);
    await budget.block('chat.update', 'C0OPS', 30_000);
    expect(blocked).toEqual([['chat.update', 'C0OPS', 30_000]]);
    expect(await value('fleetbot_slack_calls_total{method="chat.update"}')).toBe(2);
    expect(await value('fleetbot_slack_rate_limits_total{method="chat.update"}')).toBe(1);
    expect(await value('fleetbot_slack_rate_limits_total{method="auth.test"}')).toBe(0);
  });
});

describe('what a process is and holds', () => {
  it('is read at every scrape', async () => {
    let fleetFileError: FleetFileError | undefined;
    let connected = true;
    const failed = new Map([['unreachable', 4]]);
    const { value } = await start({
      fleet: {
        current: () => ({ machines: { size: 7 }, actions: { size: 2 } }),
        invalid: () => fleetFileError,
      },
      signs: false,
      slackConnected: () => connected,
      ssh: () => ({ open: 2, opened: 5, failed }),
    });
    expect(await value('fleetbot_build_info{version="1.2.3",role="all"}')).toBe(1);
    expect(await value('fleetbot_fleet_machines')).toBe(7);
    expect(await value('fleetbot_fleet_actions')).toBe(2);
    expect(await value('fleetbot_signer')).toBe(0);
    expect(await value('fleetbot_fleet_file_valid')).toBe(1);
    expect(await value('fleetbot_slack_connected')).toBe(1);
    expect(await value('fleetbot_ssh_connections')).toBe(2);
    expect(await value('fleetbot_ssh_connections_opened_total')).toBe(5);
    expect(await value('fleetbot_spans_exported_total')).toBe(10);
    expect(await value('fleetbot_spans_lost_total')).toBe(1);
    expect(await value('fleetbot_spans_refused_total')).toBe(2);
    expect(await value('fleetbot_spans_waiting')).toBe(4);
    expect(await value('fleetbot_spans_oldest_waiting_seconds')).toBe(90);

    fleetFileError = new FleetFileError('fleet.yaml', []);
    connected = false;
    failed.set('unreachable', 6);
    expect(await value('fleetbot_fleet_file_valid')).toBe(0);
    expect(await value('fleetbot_slack_connected')).toBe(0);
    expect(await value('fleetbot_ssh_connection_failures_total{code="unreachable"}')).toBe(6);
  });

  it('does not mention what it is not', async () => {
    const { page } = await start({ slackConnected: undefined, ssh: undefined });
    const { body } = await page();
    expect(body).not.toMatch(/slack_connected|ssh_connections/);
    expect(body).toContain('nodejs_eventloop_lag_p99_seconds');
  });

  it('says whether Redis told what it holds; the rest is told in any case', async () => {
    let away = false;
    const gauges = async () => {
      if (away) throw new Error('connection refused');
      return sampleGauges;
    };
    const { value } = await start({ gauges });
    expect(await value('fleetbot_redis_up')).toBe(1);
    expect(await value('fleetbot_inbox_requests')).toBe(12);
    away = true;
    expect(await value('fleetbot_redis_up')).toBe(0);
    expect(await value('fleetbot_inbox_requests')).toBeUndefined();
    expect(await value('fleetbot_fleet_machines')).toBe(3);
    expect(await value('fleetbot_signer')).toBe(1);
  });
});
