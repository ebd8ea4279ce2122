import { builtInChecks } from './checks/index.ts';
import { type LocatedProblem, valueAt } from './describe-issue.ts';
import type { AccessEntry, MachineEntry, Settings } from './fleet-file.ts';
import { formatNumber } from './format.ts';
import type { Machine } from './machine.ts';
import type { Path } from './read-yaml.ts';
import { excludedLabels } from './selector.ts';
import { suggest } from './suggest.ts';

/** A machine as the file has it and as it is with every default filled in. */
export interface LoadedMachine {
  readonly index: number;
  readonly entry: MachineEntry;
  readonly machine: Machine;
}

/**
 * Reports what is well formed but makes no sense: names and addresses used twice, checks that do not exist or
 * hide a built-in one, warnings that could never come first. What comes from `defaults` is reported once, there.
 */
export function checkMeaning(
  loaded: readonly LoadedMachine[],
  defaults: Settings,
  lineOf: (path: Path) => number,
  report: (problem: LocatedProblem) => void,
): void {
  const names = new Map<string, Path>();
  const addresses = new Map<string, Path>();
  const inDefaults = new Set<string>();
  for (const { index, entry, machine } of loaded) {
    const reportTwice = (seen: Map<string, Path>, key: string, path: Path, cure: string): void => {
      const first = seen.get(key);
      if (first === undefined) seen.set(key, path);
      else report({ path, problem: `"${key}" stands on line ${lineOf(first)} already`, cure });
    };
    const at = ['machines', index];
    reportTwice(names, machine.name, [...at, 'name'], 'Give each machine a name of its own');
    const address = `${machine.address} port ${machine.ssh.port}`;
    reportTwice(
      addresses,
      address,
      [...at, 'address'],
      'Remove one of the two, or correct its address or ssh.port',
    );
    for (const { paths, problem, cure } of [...checkProblems(machine), ...limitProblems(machine)]) {
      const own = paths.find((path) => valueAt(entry, path) !== undefined);
      const path = own ?? paths.find((p) => valueAt(defaults, p) !== undefined) ?? [];
      const key = JSON.stringify(path);
      if (own === undefined && inDefaults.has(key)) continue;
      if (own === undefined) inDefaults.add(key);
      report({ path: [...(own === undefined ? ['defaults'] : at), ...path], problem, cure });
    }
  }
}

/**
 * Reports rows of the access table that exclude by a label that no machine has: a typo there excludes nothing,
 * and gives people more than was meant.
 */
export function checkExclusions(
  access: readonly { readonly index: number; readonly value: AccessEntry }[],
  loaded: readonly LoadedMachine[],
  report: (problem: LocatedProblem) => void,
): void {
  const labels = new Set(loaded.flatMap(({ machine }) => Object.keys(machine.labels)));
  for (const { index, value } of access) {
    for (const label of excludedLabels(value.machines).filter((name) => !labels.has(name))) {
      const meant = suggest(label, labels);
      report({
        path: ['access', index, 'machines'],
        problem: `excludes by the label "${label}", which no machine has`,
        cure: meant === undefined ? 'Remove that part, or label the machines' : `Did you mean "${meant}"?`,
      });
    }
  }
}

/** A problem of one machine's settings and the places that may have caused it, the likeliest first. */
interface SettingsProblem {
  readonly paths: readonly Path[];
  readonly problem: string;
  readonly cure: string;
}

const builtInNames = builtInChecks.map((check) => check.name);

function checkProblems(machine: Machine): SettingsProblem[] {
  const own = Object.keys(machine.customChecks);
  const known = [...builtInNames, ...own];
  const unknown = machine.checks.flatMap((name, index) => {
    if (known.includes(name)) return [];
    const meant = suggest(name, known);
    const cure = meant === undefined ? `There are: ${known.join(', ')}` : `Did you mean "${meant}"?`;
    return [{ paths: [['checks', index]], problem: `there is no check "${name}"`, cure }];
  });
  const clashing = own
    .filter((name) => builtInNames.includes(name))
    .map((name) => ({
      paths: [['customChecks', name]],
      problem: `"${name}" is the name of a built-in check`,
      cure: `Choose another name, such as my-${name}`,
    }));
  return [...unknown, ...clashing];
}

/** A warning limit, the critical limit that it has to come before, and where the two come from. */
interface LimitPair {
  readonly warn: number | undefined;
  readonly critical: number | undefined;
  readonly paths: readonly Path[];
  /** Whether high values are bad, so that the warning has to be the lower one. */
  readonly rising: boolean;
}

function limitProblems(machine: Machine): SettingsProblem[] {
  return limitPairs(machine).flatMap(({ warn, critical, paths, rising }) => {
    if (warn === undefined || critical === undefined) return [];
    if (rising ? warn < critical : warn > critical) return [];
    const word = rising ? 'below' : 'above';
    return [
      {
        paths,
        problem: `the warning limit ${formatNumber(warn)} is not ${word} the critical limit ${formatNumber(critical)}`,
        cure: `Set the warning limit ${word} the critical one`,
      },
    ];
  });
}

function limitPairs(machine: Machine): LimitPair[] {
  const { disk, memory, load } = machine.expect;
  const pair = (
    values: Readonly<Record<string, unknown>>,
    at: Path,
    warnKey: string,
    criticalKey: string,
    rising: boolean,
    inherited: Readonly<Record<string, unknown>> = {},
    inheritedAt: Path = [],
  ): LimitPair => ({
    warn: numberOf(values[warnKey] ?? inherited[warnKey]),
    critical: numberOf(values[criticalKey] ?? inherited[criticalKey]),
    paths: [warnKey, criticalKey].map((key) => [...(values[key] === undefined ? inheritedAt : at), key]),
    rising,
  });
  const diskAt = ['expect', 'disk'];
  const memoryAt = ['expect', 'memory'];
  const space = ['warnUsedPercent', 'criticalUsedPercent'] as const;
  const inodes = ['warnInodesPercent', 'criticalInodesPercent'] as const;
  const mounts = Object.entries(disk.mounts).flatMap(([mount, limits]) =>
    [space, inodes]
      .filter((keys) => keys.some((key) => limits[key] !== undefined))
      .map(([warn, critical]) =>
        pair(limits, [...diskAt, 'mounts', mount], warn, critical, true, disk, diskAt),
      ),
  );
  const numbers = Object.entries(machine.customChecks).flatMap(([name, check]) => {
    const at = ['customChecks', name, 'number'];
    const values = check.number ?? {};
    return [
      pair(values, at, 'warnAbove', 'criticalAbove', true),
      pair(values, at, 'warnBelow', 'criticalBelow', false),
    ];
  });
  return [
    pair(disk, diskAt, ...space, true),
    pair(disk, diskAt, ...inodes, true),
    ...mounts,
    pair(memory, memoryAt, 'warnAvailablePercent', 'criticalAvailablePercent', false),
    pair(memory, memoryAt, 'warnSwapUsedPercent', 'criticalSwapUsedPercent', true),
    pair(load, ['expect', 'load'], 'warnPerCpu', 'criticalPerCpu', true),
    ...numbers,
  ];
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
