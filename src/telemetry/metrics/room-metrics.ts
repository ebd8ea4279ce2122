import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { refusalReasons } from '../../fleet/alert.ts';
import { limitKinds } from '../../fleet/errors.ts';
import { verbs } from '../../fleet/fleet.ts';
import { findingKinds } from '../../fleet/notice.ts';
import { taskSchema } from '../../fleet/request.ts';
import { durationBuckets, toSeconds } from './buckets.ts';
import type { Metrics } from './metrics.ts';
import { zero } from './zero.ts';

/** The sources that any fleetbot may hear of; others are told once they are. */
const everybodysSources = ['alertmanager', 'generic', 'text'];

/** Counts what rooms report. */
export function createRoomMetrics(registry: Registry): Metrics {
  const registers = [registry];
  const accepted = new Counter({
    name: 'fleetbot_requests_accepted_total',
    help: 'Requests that were stored, one for each machine.',
    labelNames: ['task'],
    registers,
  });
  const denied = new Counter({
    name: 'fleetbot_requests_denied_total',
    help: 'What the access table did not allow, by verb.',
    labelNames: ['verb'],
    registers,
  });
  const limited = new Counter({
    name: 'fleetbot_requests_limited_total',
    help: 'What a limit did not allow: of the person, of a machine’s rate, of its waiting requests.',
    labelNames: ['limit'],
    registers,
  });
  const findings = new Counter({
    name: 'fleetbot_reconciler_findings_total',
    help: 'What the reconciler found on machines that was not as it should be.',
    labelNames: ['kind'],
    registers,
  });
  const looks = new Counter({
    name: 'fleetbot_reconciler_machines_total',
    help: 'Machines that the reconciler looked at, by whether they answered.',
    labelNames: ['outcome'],
    registers,
  });
  const rounds = new Histogram({
    name: 'fleetbot_reconciler_round_duration_seconds',
    help: 'How long the reconciler took for the whole fleet.',
    buckets: durationBuckets,
    registers,
  });
  const drifted = new Gauge({
    name: 'fleetbot_machines_drifted',
    help: 'Machines on which another part is installed than should be; told by the process that looks at them.',
    labelNames: ['part'],
    registers,
  });
  const capsules = new Counter({
    name: 'fleetbot_capsules_total',
    help: 'What workers wanted signed for machines, by what the signer made of it.',
    labelNames: ['outcome'],
    registers,
  });
  const alerts = new Counter({
    name: 'fleetbot_alerts_total',
    help: 'Alerts that were told, repetitions included, by the integration that told them.',
    labelNames: ['source', 'status'],
    registers,
  });
  const unmatched = new Counter({
    name: 'fleetbot_alerts_unmatched_total',
    help: 'Those of them into which nobody looks: no machine or check was found for them.',
    labelNames: ['source'],
    registers,
  });
  const homeless = new Counter({
    name: 'fleetbot_alerts_homeless_total',
    help: 'Alerts that were not stored, because there is no channel to tell of them.',
    labelNames: ['source'],
    registers,
  });
  const refused = new Counter({
    name: 'fleetbot_alert_deliveries_refused_total',
    help: 'Deliveries that the webhook for alerts did not take.',
    labelNames: ['reason'],
    registers,
  });
  const messagesLost = new Counter({
    name: 'fleetbot_alert_messages_lost_total',
    help: "Slack's messages that tell alerts and could not be stored before they were given up.",
    registers,
  });
  const assessments = new Counter({
    name: 'fleetbot_assessments_total',
    help: 'What people said of traces, by what became of it in MLflow. "there": it stood there already.',
    labelNames: ['result'],
    registers,
  });
  zero(
    accepted,
    taskSchema.options.map((option) => option.shape.kind.value),
  );
  zero(denied, verbs);
  zero(limited, limitKinds);
  zero(findings, [...findingKinds, 'stray-found']);
  zero(looks, ['answered', 'unreachable']);
  zero(capsules, ['signed', 'refused']);
  zero(refused, refusalReasons);
  zero(assessments, ['created', 'updated', 'there', 'given-up']);
  zero(unmatched, everybodysSources);
  zero(homeless, everybodysSources);
  for (const source of everybodysSources) {
    for (const status of ['firing', 'resolved']) alerts.inc({ source, status }, 0);
  }

  return {
    bot: {
      accepted: (task, runs) => accepted.inc({ task }, runs),
      denied: (verb) => denied.inc({ verb }),
      limited: (limit) => limited.inc({ limit }),
      alertMessageLost: () => messagesLost.inc(),
    },
    reconciler: {
      found: (kind) => findings.inc({ kind }),
      round({ machines, unreachable, durationMs }) {
        looks.inc({ outcome: 'answered' }, machines - unreachable);
        looks.inc({ outcome: 'unreachable' }, unreachable);
        rounds.observe(toSeconds(durationMs));
      },
      drifted(machines) {
        drifted.reset();
        for (const [part, count] of machines ?? []) drifted.set({ part }, count);
      },
    },
    signer: {
      signed: () => capsules.inc({ outcome: 'signed' }),
      refused: () => capsules.inc({ outcome: 'refused' }),
    },
    alerts: {
      taken(source, counts) {
        alerts.inc({ source, status: 'firing' }, counts.firing);
        alerts.inc({ source, status: 'resolved' }, counts.resolved);
        unmatched.inc({ source }, counts.unmatched);
      },
      homeless: (source, count) => homeless.inc({ source }, count),
      refused: (reason) => refused.inc({ reason }),
    },
    assessments: { brought: (result) => assessments.inc({ result }) },
  };
}
