import { checksOf } from '../../fleet/checks/index.ts';
import { formatNumber } from '../../fleet/format.ts';
import type { Expect, Machine } from '../../fleet/machine.ts';
import { codeSpan, prose } from './safe-text.ts';

const shownNames = 15;
const nameChars = 70;
const summaryChars = 120;

/** Names as code, as many as a line can hold. */
export function spans(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const shown = names.slice(0, shownNames).map((name) => codeSpan(name, nameChars));
  const rest = names.length - shown.length;
  return shown.join(' ') + (rest > 0 ? ` and ${rest} more` : '');
}

const percent = (warn: number, critical: number) =>
  `warn ${formatNumber(warn)} % / critical ${formatNumber(critical)} %`;

function diskLine({ disk }: Expect): string {
  const mounts = Object.keys(disk.mounts);
  const own = mounts.length > 0 ? `; limits of their own: ${spans(mounts)}` : '';
  return `used space ${percent(disk.warnUsedPercent, disk.criticalUsedPercent)}, inodes ${percent(disk.warnInodesPercent, disk.criticalInodesPercent)}${own}`;
}

function memoryLine({ memory }: Expect): string {
  return `available ${percent(memory.warnAvailablePercent, memory.criticalAvailablePercent)}, used swap ${percent(memory.warnSwapUsedPercent, memory.criticalSwapUsedPercent)}`;
}

function loadLine({ load }: Expect): string {
  return `per processor warn ${formatNumber(load.warnPerCpu)} / critical ${formatNumber(load.criticalPerCpu)}`;
}

function servicesLine({ services }: Expect): string {
  const others = services.warnOnFailed ? '; any other failed one is a warning' : '';
  return `must be active: ${spans(services.active)}${others}`;
}

const builtIn: ReadonlyMap<string, (expect: Expect) => string> = new Map([
  ['disk', diskLine],
  ['memory', memoryLine],
  ['load', loadLine],
  ['services', servicesLine],
]);

/** What the machine's checks expect, one line for each. */
export function expectedLines(machine: Machine): readonly string[] {
  const checks = checksOf(machine);
  const rest = checks.length - shownNames;
  const lines = checks.slice(0, shownNames).map(({ name, summary }) => {
    const words = builtIn.get(name)?.(machine.expect) ?? prose(summary, summaryChars);
    return `• ${codeSpan(name, nameChars)} ${words}`;
  });
  return rest > 0 ? [...lines, `• and ${rest} more`] : lines;
}
