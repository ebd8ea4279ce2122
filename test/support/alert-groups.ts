import type { AlertGroup, FoundAlert } from '../../src/fleet/alert-group.ts';
import { type AlertRules, alertRulesSchema } from '../../src/fleet/alert-rules.ts';

/** Rules of the fleet file for alerts, quick enough for tests; `changes` on top. */
export function alertRules(changes: Partial<AlertRules> = {}): AlertRules {
  return { ...alertRulesSchema.parse({ otherwise: 'disk', groupMinutes: 60 }), ...changes };
}

/** `DiskAlmostFull` on a machine, into which `check disk` looks. */
export function foundAlert(
  machine: string,
  status: 'firing' | 'resolved' = 'firing',
  { name = 'DiskAlmostFull', check = 'disk' }: { readonly name?: string; readonly check?: string } = {},
): FoundAlert {
  return {
    alert: {
      ...{ fingerprint: `${name} ${machine}`, source: 'alertmanager', status, name },
      ...{ labels: { machine }, text: `${name} on ${machine}` },
    },
    ...{ machine, check },
  };
}

/** The same alert where no machine fits. */
export function unmatchedAlert(name: string): FoundAlert {
  const { alert } = foundAlert('nowhere', 'firing', { name });
  return { alert, problem: 'No machine of this name is in the fleet file.' };
}

/** Alerts of one name, of the channel C0OPS. */
export function alertGroup(
  alerts: readonly FoundAlert[],
  changes: Partial<Omit<AlertGroup, 'alerts'>> = {},
): AlertGroup {
  const title = alerts[0]?.alert.name ?? '';
  return { key: `C0OPS ${title}`, title, source: 'alertmanager', channel: 'C0OPS', ...changes, alerts };
}
