import { authorisedProblems, type DraftCatalogue } from './authorised-problems.ts';
import { builtInChecks } from './checks/index.ts';
import { type LocatedProblem, valueAt } from './describe-issue.ts';
import { builtInSettings } from './fleet-file.ts';
import { formatNumber } from './format.ts';
import type { MachineDraft } from './machine.ts';
import type { Path } from './read-yaml.ts';
import type { SettingsProblem } from './settings-problem.ts';
import { suggest } from './suggest.ts';

/** A machine of the file: what could be read of its entry, and that with every default filled in. */
export interface LoadedMachine {
  readonly index: number;
  readonly entry: Readonly<Record<string, unknown>>;
  readonly draft: MachineDraft;
  /** The keys, of the entry or of `defaults`, that could not be read. */
  readonly unread: ReadonlySet<string>;
}

/**
 * Reports what is well formed but makes no sense: names and addresses used twice, checks that do not exist or
 * hide a built-in one, warnings that could never come first, actions that it could not run. What comes from `defaults` is reported once, there.
 * What rests on something that could not be read is not judged.
 */
export function checkMeaning(
  loaded: readonly LoadedMachine[],
  defaults: Readonly<Record<string, unknown>>,
  catalogue: DraftCatalogue,
  lineOf: (path: Path) => number,
  report: (problem: LocatedProblem) => void,
): void {
  const names = new Map<string, Path>();
  const addresses = new Map<string, Path>();
  const inDefaults = new Set<string>();
  for (const { index, entry, draft, unread } of loaded) {
    const reportTwice = (seen: Map<string, Path>, key: string, path: Path, cure: string): void => {
      const first = seen.get(key);
      if (first === undefined) seen.set(key, path);
      else report({ path, problem: `"${key}" stands on line ${lineOf(first)} already`, cure });
    };
    const at = ['machines', index];
    if (draft.name !== undefined) {
      reportTwice(names, draft.name, [...at, 'name'], 'Give each machine a name of its own');
    }
    if (draft.address !== undefined && !unread.has('ssh')) {
      reportTwice(
        addresses,
        `${draft.address} port ${draft.ssh.port}`,
        [...at, 'address'],
        'Remove one of the two, or correct its address or ssh.port',
      );
    }
    const settings = [
      ...(unread.has('customChecks') ? [] : checkProblems(draft)),
      ...(unread.has('customChecks') || unread.has('expect') ? [] : limitProblems(draft)),
      ...authorisedProblems(
        draft,
        catalogue,
        unread.has('checks') || unread.has('customChecks') ? undefined : namesOf(draft),
      ),
    ];
    for (const { paths, problem, cure } of settings) {
      const own = paths.find((path) => valueAt(entry, path) !== undefined);
      const path = own ?? paths.find((p) => valueAt(defaults, p) !== undefined) ?? [];
      const key = JSON.stringify(path);
      if (own === undefined && inDefaults.has(key)) continue;
      if (own === undefined) inDefaults.add(key);
      report({ path: [...(own === undefined ? ['defaults'] : at), ...path], problem, cure });
    }
  }
}

const builtInNames = builtInChecks.map((check) => check.name);

/** The names of every check that a machine of the file can have; undefined where they cannot all be known. */
export function checksIn(loaded: readonly LoadedMachine[]): readonly string[] | undefined {
  if (loaded.length === 0 || loaded.some(({ unread }) => unread.has('customChecks'))) return undefined;
  return [...new Set([...builtInNames, ...loaded.flatMap(({ draft }) => Object.keys(draft.customChecks))])];
}

/** The names of the checks that may run on a machine. */
function namesOf({ checks, customChecks }: MachineDraft): readonly string[] {
  return [...checks, ...Object.keys(customChecks)];
}

function checkProblems(machine: MachineDraft): SettingsProblem[] {
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
  return [...unknown, ...clashing, ...unusedProblems(machine)];
}

/** What is expected and never looked at, because the check that does is not among those that run anyway. */
function unusedProblems({ checks, expect }: MachineDraft): SettingsProblem[] {
  const nobodyChose = checks.join() === builtInSettings.checks.join();
  if (expect.certs.files.length === 0 || !nobodyChose) return [];
  const problem = 'these files are never looked at, because "certs" is not among the checks that run anyway';
  return [
    { paths: [['expect', 'certs', 'files']], problem, cure: 'Name certs in "checks", with the others' },
  ];
}

/** A warning limit, the critical limit that it has to come before, and where the two come from. */
interface LimitPair {
  readonly warn: number | undefined;
  readonly critical: number | undefined;
  readonly paths: readonly Path[];
  /** Whether high values are bad, so that the warning has to be the lower one. */
  readonly rising: boolean;
}

function limitProblems(machine: MachineDraft): SettingsProblem[] {
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

function limitPairs(machine: MachineDraft): LimitPair[] {
  const { disk, memory, load, logs, updates, time, certs } = machine.expect;
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
    pair(logs, ['expect', 'logs'], 'warnLines', 'criticalLines', true),
    pair(updates, ['expect', 'updates'], 'warnSecurity', 'criticalSecurity', true),
    pair(time, ['expect', 'time'], 'warnSkewMs', 'criticalSkewMs', true),
    pair(certs, ['expect', 'certs'], 'warnDays', 'criticalDays', false),
    ...numbers,
  ];
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
