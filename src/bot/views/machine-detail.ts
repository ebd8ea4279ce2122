import type { Machine } from '../../fleet/machine.ts';
import type { Run } from '../../fleet/run.ts';
import type { MachineRecord } from '../ports.ts';
import { expectedLines, spans } from './expected-lines.ts';
import { runLine } from './run-list.ts';
import { codeSpan, prose } from './safe-text.ts';
import { compose, section, type View } from './view.ts';
import { moment } from './words.ts';

const roleChars = 80;

/** When a check is followed by the agent's look; a question always goes to the agent. */
const askedWhen: Readonly<Record<Machine['agent']['diagnose'], string>> = {
  'by-request': 'asked whenever a person asks for a check',
  always: 'asked after every check',
  'on-finding': 'asked when a check finds something',
  never: 'asked only with `/fleet ask`',
};

function quarantineLines(record: MachineRecord): readonly string[] {
  const { quarantine } = record;
  if (quarantine === undefined) return [];
  const since = `since ${moment(quarantine.at)}, after run ${codeSpan(quarantine.runId, 64)}`;
  return [
    `:rotating_light: *QUARANTINED* ${since}: ${prose(quarantine.reason, 400).replace(/\.$/, '')}. Nothing runs here until its agent is measured inactive.`,
  ];
}

/** One machine: what the fleet file says and expects, what it is doing, and its latest runs. */
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
    `now: ${doing}${record.waiting > 0 ? `, ${record.waiting} waiting` : ''}`,
    `address: ${codeSpan(`${ssh.user}@${machine.address}:${ssh.port}`, 300)}`,
    `labels: ${spans(labels)}`,
    `agent: ${codeSpan(agent.id, 64)}, ${askedWhen[agent.diagnose]}`,
  ];
  const expected = expectedLines(machine);
  return compose({
    text: `${prose(machine.name, 64)}: ${record.quarantine === undefined ? doing : 'QUARANTINED'}`,
    head: lines.map((line) => section(line)),
    body: [
      ...(expected.length > 0 ? ['*Checks, and what they expect*', ...expected] : ['No checks are listed.']),
      ...(runs.length > 0 ? ['*Latest runs*', ...runs.map((run) => runLine(run, now))] : ['No runs yet.']),
    ],
    tail: [],
    more: (count) => `and ${count} more lines`,
  }).view;
}
