import { checksOf } from '../../fleet/checks/index.ts';
import type { Machine } from '../../fleet/machine.ts';
import { codeSpan, prose } from './safe-text.ts';
import { compose, context, doubtLine, header, type View } from './view.ts';

const shownLabels = 6;
const labelChars = 60;
const roleChars = 80;

function machineLine(machine: Machine): string {
  const labels = Object.entries(machine.labels);
  const shown = labels.slice(0, shownLabels).map(([key, value]) => codeSpan(`${key}=${value}`, labelChars));
  const rest = labels.length - shown.length;
  const checks = checksOf(machine);
  const parts = [
    `*${prose(machine.name, 64)}*`,
    prose(machine.role, roleChars),
    ...(shown.length > 0 ? [shown.join(' ') + (rest > 0 ? ` and ${rest} more` : '')] : []),
    `${checks.length} ${checks.length === 1 ? 'check' : 'checks'}`,
  ];
  return parts.join(' · ');
}

/** Machines that the asker may see, in the order of the fleet file; `doubts` say why that may not be all. */
export function machineListView(machines: readonly Machine[], doubts: readonly string[]): View {
  const title = machines.length === 1 ? '1 machine' : `${machines.length} machines`;
  return compose({
    text: title,
    head: [header(title)],
    body: machines.map(machineLine),
    tail: [context(['`/fleet show ‹machine›` tells more of one.']), ...doubts.flatMap(doubtLine)],
    more: (count) => `and ${count} more: narrow the selector`,
  }).view;
}
