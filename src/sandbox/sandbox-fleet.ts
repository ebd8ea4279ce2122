import { Document, isNode } from 'yaml';
import { sandboxMachineName, workspace } from './workspace.ts';

/** What a person may try on a machine: its disk is then almost certain to warn. */
const suggestion = ` To make the disk warn, remove the # before "expect":
expect: { disk: { warnUsedPercent: 1 } }`;

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
        checks: ['disk', 'memory', 'load', 'services', 'logs', 'kernel', 'time', 'network', 'uptime'],
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
  const document = new Document(fleet);
  document.commentBefore =
    " The sandbox's fleet file. Edit it while the sandbox runs: it is taken up at once.";
  const entry = document.getIn(['machines', 0]);
  if (isNode(entry)) entry.comment = suggestion;
  return String(document);
}
