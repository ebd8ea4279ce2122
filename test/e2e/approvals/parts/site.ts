import type { EdgeMachine } from '../../../support/edge-machines/edge-machine.ts';
import type { ActingRules } from './acting-fleet.ts';

/** A service that starts only once its file is there, a setting, a reading, and what people may do about them. */
export const service = 'ledgerd.service';
const repaired = '/var/lib/ledgerd/repaired';
export const settings = '/etc/ledgerd.conf';
const reading = '/var/lib/ledgerd/temperature';

export const siteChecks = {
  'journal-size': {
    summary: 'Size of the journal',
    command: ['journalctl', '--disk-usage'],
    number: { pattern: 'take up ([\\d.]+)M', unit: 'MiB', warnAbove: 24, criticalAbove: 40 },
  },
  'log-level': {
    summary: 'How much ledgerd tells',
    command: ['cat', settings],
    mustMatch: '^level = info$',
  },
  temperature: {
    summary: 'Temperature of the cupboard',
    command: ['cat', reading],
    number: { pattern: '^(\\d+)', unit: '°C', criticalAbove: 60 },
  },
};

export const siteRules: ActingRules = {
  actions: {
    'vacuum-journal': {
      summary: 'Remove old entries of the journal',
      argv: ['journalctl', '--rotate', '--vacuum-size={size}'],
      params: { size: { type: 'choice', values: ['8M', '100M'], default: '8M' } },
      risk: 'disruptive',
      precondition: { check: 'journal-size' },
      verify: 'journal-size',
      noUndo: 'What was removed is gone.',
    },
    'restart-service': {
      summary: 'Restart a service',
      argv: ['systemctl', 'restart', '{unit}'],
      params: { unit: { type: 'text', pattern: '[a-z]{1,20}\\.service' } },
      risk: 'reversible',
      verify: 'services',
      noUndo: 'A restart cannot be taken back.',
    },
    'set-level': {
      summary: 'Have ledgerd tell more, or less',
      argv: ['sed', '--in-place', 's/^level = .*/level = {level}/', settings],
      params: { level: { type: 'choice', values: ['info', 'debug'] } },
      risk: 'reversible',
      verify: 'log-level',
      undo: { action: 'set-level', params: { level: 'info' } },
    },
    'wipe-readings': {
      summary: 'Remove all readings',
      argv: ['rm', '--force', reading],
      risk: 'destructive',
      verify: 'log-level',
      noUndo: 'Readings are kept nowhere else.',
    },
  },
  suggestions: [
    { check: 'journal-size', action: 'vacuum-journal' },
    { check: 'services', subject: '*.service', action: 'restart-service', params: { unit: '{subject}' } },
  ],
  // Nobody is in a user group of this workspace.
  approvals: { differentGroups: [] },
};

/** What the fleet file says of a machine of the site. */
export const siteEntry = {
  agent: { diagnose: 'never' },
  expect: { services: { active: [service] } },
  customChecks: siteChecks,
  actions: Object.keys(siteRules.actions),
};

/** Installs the service, healthy, and the rest. */
export async function furnishSite(machine: EdgeMachine): Promise<void> {
  const start = `/bin/sh -c "[ -e ${repaired} ] && exec sleep infinity"`;
  machine.write(`/etc/systemd/system/${service}`, `[Service]\nExecStart=${start}\n`);
  machine.write(settings, 'listen = 8080\nlevel = info\n');
  machine.write(reading, '21\n');
  await repair(machine);
  await machine.run(['systemctl', 'daemon-reload']);
  await machine.run(['systemctl', 'start', service]);
}

/** Whatever keeps the service from starting is no more. */
export async function repair(machine: EdgeMachine): Promise<void> {
  machine.write(repaired, '');
}

/** The service fails, and would again. */
export async function breakService(machine: EdgeMachine): Promise<void> {
  await machine.run(['rm', repaired]);
  await machine.attempt(['systemctl', 'restart', service]);
}

export function overheat(machine: EdgeMachine): void {
  machine.write(reading, '71\n');
}

/** Fills the journal far beyond what is critical, with what cannot be compressed. */
export async function fillJournal(machine: EdgeMachine): Promise<void> {
  const noise = 'head -c 48000000 /dev/urandom | base64 --wrap=30000 | systemd-cat --identifier=noise';
  await machine.run(['sh', '-c', `${noise}; journalctl --sync`]);
}

/** In mebibytes. */
export async function journalSize(machine: EdgeMachine): Promise<number> {
  const said = await machine.run(['journalctl', '--disk-usage']);
  return Number(/take up ([\d.]+)M/.exec(said)?.[1]);
}
