import type { Incident, IncidentAlert } from '../../src/fleet/incident.ts';
import { acceptedAt } from './sample-run.ts';

/** One alert of `sampleIncident`; `changes` on top. */
export function sampleAlert(machine: string, changes: Partial<IncidentAlert> = {}): IncidentAlert {
  return {
    fingerprint: `fp-${machine}`,
    name: 'DiskAlmostFull',
    status: 'firing',
    text: `/var on ${machine} is 93% full`,
    machine,
    check: 'disk',
    firstAt: acceptedAt,
    lastAt: acceptedAt,
    times: 1,
    ...changes,
  };
}

/** DiskAlmostFull on web-01 and web-02, told by an Alertmanager in two messages; `changes` on top. */
export function sampleIncident(changes: Partial<Incident> = {}): Incident {
  return {
    id: 'i-000000000001',
    key: 'C0OPS DiskAlmostFull',
    storm: false,
    title: 'DiskAlmostFull',
    source: 'alertmanager',
    channel: 'C0OPS',
    openedAt: acceptedAt,
    lastAt: acceptedAt,
    alerts: [sampleAlert('web-01'), sampleAlert('web-02')],
    counts: { alerts: 2, firing: 2, notifications: 2, unmatched: 0 },
    kinds: [{ name: 'DiskAlmostFull', alerts: 2 }],
    investigations: [],
    notInvestigated: 0,
    rounds: 0,
    ...changes,
  };
}
