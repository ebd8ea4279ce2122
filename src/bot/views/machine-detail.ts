import { checksOf } from '../../fleet/checks/index.ts';
import type { Machine } from '../../fleet/machine.ts';
import type { Run } from '../../fleet/run.ts';
import type { MachineRecord } from '../ports.ts';
import { runLine } from './run-list.ts';
import { codeSpan, prose } from './safe-text.ts';
import { compose, context, section, type View } from './view.ts';
import { moment } from './words.ts';

const roleChars = 80;
const shownWords = 20;
const wordChars = 70;

function spans(words: readonly string[]): string {
  if (words.length === 0) return 'none';
  const shown = words.slice(0, shownWords).map((word) => codeSpan(word, wordChars));
  const rest = words.length - shown.length;
  return shown.join(' ') + (rest > 0 ? ` and ${rest} more` : '');
}

function quarantineLines(record: MachineRecord): readonly string[] {
  const { quarantine } = record;
  if (quarantine === undefined) return [];
  const since = `since ${moment(quarantine.at)}, after run ${codeSpan(quarantine.runId, 64)}`;
  return [
    `:rotating_light: *QUARANTINED* ${since}: ${prose(quarantine.reason, 400)}. Nothing runs here until its agent is measured inactive.`,
  ];
}

/** One machine: what the fleet file says, what it is doing, and its latest runs. */
export function machineDetailView(
  machine: Machine,
  record: MachineRecord,
  runs: readonly Run[],
  now: number,
): View {
  const { agent, ssh } = machine;
  const doing =
    record.currentRunId === undefined ? 'idle' : `at work on ${codeSpan(record.currentRunId, 64)}`;
  const labels = Object.entries(machine.labels).map(([key, value]) => `${key}=${value}`);
  const lines = [
    `*${prose(machine.name, 64)}* · ${prose(machine.role, roleChars)}`,
    ...quarantineLines(record),
    `now: ${doing}, ${record.waiting} waiting`,
    `address: ${codeSpan(`${ssh.user}@${machine.address}:${ssh.port}`, 300)}`,
    `labels: ${spans(labels)}`,
    `checks: ${spans(checksOf(machine).map((check) => check.name))}`,
    `agent: ${codeSpan(agent.id, 64)} by ${agent.transport}, diagnoses ${agent.diagnose}`,
  ];
  return compose({
    text: `${prose(machine.name, 64)}: ${record.quarantine === undefined ? doing : 'QUARANTINED'}`,
    head: lines.map((line) => section(line)),
    body: runs.map((run) => runLine(run, now)),
    tail: runs.length === 0 ? [context(['no runs yet'])] : [],
    more: (count) => `and ${count} more runs`,
  }).view;
}
