import { Counter, collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import type { SpanCounts } from '../start-sdk.ts';
import { toSeconds } from './buckets.ts';

/** What can be asked of the parts of this process at any moment. */
export interface ProcessSources {
  readonly version: string;
  readonly role: string;
  readonly fleet: {
    current(): { readonly machines: { readonly size: number }; readonly actions: { readonly size: number } };
    /** undefined while the file on disk is the one in force. */
    invalid(): unknown;
  };
  /** Whether this process is a signer. */
  readonly signs: boolean;
  /** Absent in a process that is no bot. */
  readonly slackConnected?: (() => boolean) | undefined;
  /** Absent in a process that is no worker. */
  readonly ssh?: (() => SshStats) | undefined;
  /** Why the ledger is not exported at the moment. Absent in a process that exports none. */
  readonly ledgerFailure?: (() => unknown) | undefined;
  readonly spans: () => SpanCounts;
}

/** Of the connections to machines. */
export interface SshStats {
  readonly open: number;
  /** Ever opened. */
  readonly opened: number;
  /** Attempts that failed, by the code of their error. */
  readonly failed: ReadonlyMap<string, number>;
}

/** Gauges of prom-client that Prometheus' own linter refuses: `_total` belongs to counters. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** Registers what is read of this process at every scrape: itself, Node.js, the fleet file, Slack, SSH, traces. */
export function registerProcessGauges(registry: Registry, sources: ProcessSources): void {
  const { version, role, fleet, signs, slackConnected, ssh, ledgerFailure, spans } = sources;
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);

  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });

  new Gauge({
    name: 'fleetbot_build_info',
    help: 'Always 1; its labels say what runs here.',
    labelNames: ['version', 'role'],
    registers: [registry],
  }).set({ version, role }, 1);
  gauge(
    'fleetbot_fleet_machines',
    'Machines in the fleet file in force.',
    () => fleet.current().machines.size,
  );
  gauge('fleetbot_fleet_actions', 'Actions in the fleet file in force.', () => fleet.current().actions.size);
  gauge('fleetbot_signer', '1 in a process that signs what people approved, else 0.', () => (signs ? 1 : 0));
  gauge('fleetbot_fleet_file_valid', '1 while the fleet file on disk is the one in force.', () =>
    fleet.invalid() === undefined ? 1 : 0,
  );
  counter('fleetbot_spans_exported_total', 'Spans of traces that MLflow took.', () => spans().exportedSpans);
  counter(
    'fleetbot_spans_refused_total',
    'Spans of traces that MLflow will never take as they are.',
    () => spans().refusedSpans,
  );
  counter('fleetbot_spans_lost_total', 'Spans of traces that nobody has any more.', () => spans().lostSpans);
  gauge('fleetbot_spans_waiting', 'Spans of traces that are still to be sent.', () => spans().waitingSpans);
  gauge(
    'fleetbot_spans_oldest_waiting_seconds',
    'How long ago the oldest span ended that MLflow did not take yet; 0 where it takes them.',
    () => toSeconds(spans().oldestWaitingMs),
  );
  gauge('fleetbot_ledger_export_failing', '1 while the ledger cannot be written to its file.', () =>
    ledgerFailure?.() === undefined ? 0 : 1,
  );
  if (slackConnected) {
    gauge('fleetbot_slack_connected', '1 while commands can arrive from Slack.', () =>
      slackConnected() ? 1 : 0,
    );
  }
  if (ssh) {
    gauge('fleetbot_ssh_connections', 'Open SSH connections to machines.', () => ssh().open);
    counter('fleetbot_ssh_connections_opened_total', 'SSH connections that were opened.', () => ssh().opened);
    new Counter({
      name: 'fleetbot_ssh_connection_failures_total',
      help: 'SSH connections that could not be opened, by reason.',
      labelNames: ['code'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [code, count] of ssh().failed) this.inc({ code }, count);
      },
    });
  }
}
