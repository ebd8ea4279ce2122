import { checksOf } from '../../fleet/checks/index.ts';
import type { Machine } from '../../fleet/machine.ts';
import type { Run } from '../../fleet/run.ts';
import type { MachineRecord } from '../ports.ts';
import { codeSpan, prose } from './safe-text.ts';
import { compose, context, doubtLine, header, type View } from './view.ts';
import { span, verdictWords } from './words.ts';

const shownLabels = 6;
const labelChars = 60;
const roleChars = 80;

/** What is known of a machine beyond the fleet file. */
export interface MachineState {
  readonly record: MachineRecord;
  /** The last run that has a verdict. */
  readonly judged: Run | undefined;
}

/** What is known of the machines of a list. */
export interface MachineStates {
  /** By name; empty where it was not looked up. */
  readonly known: ReadonlyMap<string, MachineState>;
  readonly halted: ReadonlySet<Machine>;
  readonly silenced: ReadonlySet<Machine>;
}

function stateParts({ record, judged }: MachineState, now: number): readonly string[] {
  return [
    ...(record.quarantine === undefined ? [] : [':rotating_light: *QUARANTINED*']),
    judged?.verdict === undefined
      ? 'no verdict yet'
      : `${verdictWords[judged.verdict]} ${span(now - judged.request.acceptedAt)} ago`,
    ...(record.currentRunId === undefined ? [] : ['at work']),
    ...(record.waiting > 0 ? [`${record.waiting} waiting`] : []),
  ];
}

function machineLine(machine: Machine, { known, halted, silenced }: MachineStates, now: number): string {
  const state = known.get(machine.name);
  const labels = Object.entries(machine.labels);
  const shown = labels.slice(0, shownLabels).map(([key, value]) => codeSpan(`${key}=${value}`, labelChars));
  const rest = labels.length - shown.length;
  const checks = checksOf(machine);
  const parts = [
    `*${prose(machine.name, 64)}*`,
    ...(halted.has(machine) ? [':octagonal_sign: *HALTED*'] : []),
    ...(silenced.has(machine) ? [':mute: silenced'] : []),
    prose(machine.role, roleChars),
    ...(shown.length > 0 ? [shown.join(' ') + (rest > 0 ? ` and ${rest} more` : '')] : []),
    `${checks.length} ${checks.length === 1 ? 'check' : 'checks'}`,
    ...(state === undefined ? [] : stateParts(state, now)),
  ];
  return parts.join(' · ');
}

/**
 * Machines that the asker may see, in the order of the fleet file, with what is known of them by name at
 * `now`; `doubts` say why that may not be all.
 */
export function machineListView(
  machines: readonly Machine[],
  states: MachineStates,
  now: number,
  doubts: readonly string[],
): View {
  const title = machines.length === 1 ? '1 machine' : `${machines.length} machines`;
  return compose({
    text: title,
    head: [header(title)],
    body: machines.map((machine) => machineLine(machine, states, now)),
    tail: [context(['`/fleet show ‹machine›` tells more of one.']), ...doubts.flatMap(doubtLine)],
    more: (count) => `and ${count} more: narrow the selector`,
  }).view;
}
