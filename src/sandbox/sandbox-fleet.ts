import { Document, isNode } from 'yaml';
import { rulesModelName } from './agent/rules-model.ts';
import { sandboxAlertName } from './alert-webhook.ts';
import type { SandboxApplication } from './sandbox-application.ts';
import { sandboxMachineName, workspace } from './workspace.ts';

/** What a person may try on a machine: its disk is then almost certain to warn. */
const suggestion = ` To make the disk warn, remove the # before "expect":
expect: { disk: { warnUsedPercent: 1 } }`;

/** The fleet file of the sandbox: one machine, which is this computer, and what people may change there. */
export function sandboxFleetFile(
  machine: { readonly port: number; readonly hostKey: string },
  application: SandboxApplication,
): string {
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
        customChecks: { uptime, ...applicationChecks(application) },
        actions: ['trim-log', 'reports-on', 'reports-off'],
      },
    ],
    actions: applicationActions(application),
    suggestions: [
      { check: 'app-log', action: 'trim-log' },
      { check: 'app-reports', action: 'reports-on' },
    ],
    alerts: {
      webhookChannel: workspace.channel.id,
      rules: [{ match: { alertname: sandboxAlertName }, check: 'disk' }],
      otherwise: 'load',
      // Nobody who tries it waits gladly.
      debounceSeconds: 1,
      coolDownMinutes: 2,
    },
    // Made up, so that `/fleet cost` has something to tell; rules answer in place of a model, and cost nothing.
    prices: { [rulesModelName]: { inputUsdPerMillion: 3, outputUsdPerMillion: 15 } },
    budgets: [{ name: 'sandbox-per-day', usd: 1, per: 'day' }],
    approvals: { onCall: [workspace.approver.id] },
    access: [
      { people: [workspace.sre.id], machines: 'all', verbs: 'all', upTo: 'disruptive' },
      { people: [workspace.approver.id], machines: 'all', verbs: ['view', 'approve'], upTo: 'disruptive' },
    ],
  };
  const document = new Document(fleet);
  document.commentBefore =
    " The sandbox's fleet file. Edit it while the sandbox runs: it is taken up at once.";
  const entry = document.getIn(['machines', 0]);
  if (isNode(entry)) entry.comment = suggestion;
  return String(document);
}

const uptime = {
  summary: 'Seconds since this computer started',
  command: ['cat', '/proc/uptime'],
  number: { pattern: '^(\\d+)', unit: 's', warnBelow: 60 },
};

function applicationChecks({ logFile, configFile }: SandboxApplication) {
  return {
    'app-log': {
      summary: "Size of the sandbox application's log",
      command: ['stat', '--format=%s', logFile],
      number: { pattern: '^(\\d+)', unit: 'bytes', warnAbove: 1_000_000, criticalAbove: 5_000_000 },
    },
    'app-reports': {
      summary: 'Whether the sandbox application sends reports',
      command: ['cat', configFile],
      mustMatch: '^reports=on$',
    },
  };
}

function applicationActions({ logFile, configFile }: SandboxApplication) {
  const setReports = (state: 'on' | 'off') => [
    'sed',
    '--in-place',
    `s/^reports=.*/reports=${state}/`,
    configFile,
  ];
  return {
    'trim-log': {
      summary: "Empty the sandbox application's log",
      argv: ['truncate', '--size=0', logFile],
      risk: 'disruptive',
      precondition: { check: 'app-log' },
      verify: 'app-log',
      noUndo: 'What stood in the log is gone.',
    },
    'reports-on': {
      summary: 'Have the sandbox application send reports',
      argv: setReports('on'),
      risk: 'reversible',
      verify: 'app-reports',
      undo: { action: 'reports-off' },
    },
    'reports-off': {
      summary: 'Have the sandbox application send no reports',
      argv: setReports('off'),
      risk: 'reversible',
      verify: 'app-reports',
      undo: { action: 'reports-on' },
    },
  };
}
