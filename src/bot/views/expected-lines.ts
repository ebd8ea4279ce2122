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

function logsLine({ logs }: Expect): string {
  return `error lines of a unit in ${logs.sinceMinutes} minutes warn ${logs.warnLines} / critical ${logs.criticalLines}${ignoring(logs.ignore)}`;
}

function kernelLine({ kernel }: Expect): string {
  return `no fault, no new warning in ${kernel.sinceMinutes} minutes${ignoring(kernel.ignore)}`;
}

function ignoring(globs: readonly string[]): string {
  return globs.length > 0 ? `; ignored: ${spans(globs)}` : '';
}

function timeLine({ time }: Expect): string {
  const ntp = time.requireNtp ? '; a time service is required' : '';
  return `off by warn ${formatNumber(time.warnSkewMs)} ms / critical ${formatNumber(time.criticalSkewMs)} ms${ntp}`;
}

function networkLine({ network }: Expect): string {
  const parts = [
    ...(network.defaultRoute ? ['a default route'] : []),
    ...(network.interfaces.length > 0 ? [`up: ${spans(network.interfaces)}`] : []),
    ...(network.resolve.length > 0 ? [`known: ${spans(network.resolve)}`] : []),
    ...(network.listening.length > 0 ? [`listened on: ${spans(network.listening.map(String))}`] : []),
    `link errors warn ${formatNumber(network.warnErrorsPercent)} %`,
  ];
  return parts.join(', ');
}

function updatesLine({ updates }: Expect): string {
  const reboot = updates.warnOnReboot ? '; a reboot that is due is a warning' : '';
  return `security updates warn ${updates.warnSecurity} / critical ${updates.criticalSecurity}, metadata warn ${formatNumber(updates.warnMetadataDays)} days${reboot}`;
}

function certsLine({ certs }: Expect): string {
  return `valid for warn ${formatNumber(certs.warnDays)} / critical ${formatNumber(certs.criticalDays)} days: ${spans(certs.files)}`;
}

const builtIn: ReadonlyMap<string, (expect: Expect) => string> = new Map([
  ['disk', diskLine],
  ['memory', memoryLine],
  ['load', loadLine],
  ['services', servicesLine],
  ['logs', logsLine],
  ['kernel', kernelLine],
  ['time', timeLine],
  ['network', networkLine],
  ['updates', updatesLine],
  ['certs', certsLine],
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
