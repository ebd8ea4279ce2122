import { stringify } from 'yaml';
import { sandboxMachineName, workspace } from './workspace.ts';

/** The fleet file of the sandbox: one machine, which is this computer. */
export function sandboxFleetFile(machine: { readonly port: number; readonly hostKey: string }): string {
  const fleet = {
    version: 1,
    defaults: { channel: workspace.channel.id, ssh: { user: 'fleetbot' } },
    machines: [
      {
        name: sandboxMachineName,
        address: '127.0.0.1',
        ssh: { port: machine.port },
        hostKey: machine.hostKey,
        role: 'sandbox',
        labels: { site: 'here' },
        checks: ['disk', 'memory', 'load', 'services', 'uptime'],
        customChecks: {
          uptime: {
            summary: 'Seconds since this computer started',
            command: ['cat', '/proc/uptime'],
            number: { pattern: '^(\\d+)', unit: 's', warnBelow: 60 },
          },
        },
      },
    ],
    access: [{ people: [workspace.sre.id], machines: 'all', verbs: 'all' }],
  };
  return `# The sandbox's fleet file. Edit it while the sandbox runs: it is taken up at once.\n${stringify(fleet)}`;
}
