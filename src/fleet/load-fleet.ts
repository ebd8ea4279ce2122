import { z } from 'zod';
import { checkExclusions, checkMeaning } from './check-meaning.ts';
import { describeIssue, formatPath, type LocatedProblem, valueAt } from './describe-issue.ts';
import { FleetFileError, type FleetFileProblem } from './errors.ts';
import { type AccessRule, type Fleet, verbs } from './fleet.ts';
import {
  type AccessEntry,
  accessEntrySchema,
  builtInSettings,
  fleetFileSchema,
  type MachineEntry,
  machineEntrySchema,
  type Settings,
  settingsSchema,
} from './fleet-file.ts';
import { machineSchema } from './machine.ts';
import { mergeSettings } from './merge-settings.ts';
import { type Path, readYaml } from './read-yaml.ts';

/**
 * Reads a fleet file. `file` is only named in errors.
 * @throws FleetFileError with every problem, in the order of lines
 */
export function loadFleet(text: string, file: string): Fleet {
  const yaml = readYaml(text);
  const problems: FleetFileProblem[] = [...yaml.problems];
  const report = (found: LocatedProblem): void => {
    const { path, problem, cure } = found;
    problems.push({ line: yaml.lineOf(path), path: formatPath(path) || '(file)', problem, cure });
  };
  const parts = readParts(yaml.value, report);
  const under = mergeSettings(builtInSettings, parts.defaults);
  const loaded = parts.machines.map(({ index, value: entry }) => ({
    index,
    entry,
    machine: machineSchema.parse(mergeSettings(under, entry)),
  }));
  checkMeaning(loaded, parts.defaults, (path) => yaml.lineOf(path), report);
  checkExclusions(parts.access, loaded, report);
  if (problems.length > 0) {
    const inOrder = problems.toSorted((a, b) => a.line - b.line);
    throw new FleetFileError(file, inOrder);
  }
  return {
    file,
    machines: new Map(loaded.map(({ machine }) => [machine.name, machine])),
    access: parts.access.map(({ index, value }) => toRule(value, yaml.lineOf(['access', index]))),
  };
}

interface Part<T> {
  readonly index: number;
  readonly value: T;
}

/** The file's outermost level; what is inside is checked part by part. */
const outlineSchema = fleetFileSchema.extend({
  defaults: z.unknown().optional(),
  machines: z.array(z.unknown()).min(1),
  access: z.array(z.unknown()).optional(),
});

/**
 * The parts of the file that are valid, each checked by itself so that a mistake in one hides none in another.
 * What is not valid is reported and left out. `value` is undefined when the text could not be read at all.
 */
function readParts(
  value: unknown,
  report: (problem: LocatedProblem) => void,
): { defaults: Settings; machines: Part<MachineEntry>[]; access: Part<AccessEntry>[] } {
  const accept = <S extends z.ZodType>(schema: S, part: unknown, at: Path): part is z.input<S> => {
    const checked = schema.safeParse(part);
    for (const issue of checked.error?.issues ?? []) {
      for (const found of describeIssue(issue, schema, part))
        report({ ...found, path: [...at, ...found.path] });
    }
    return checked.success;
  };
  const acceptEach = <S extends z.ZodType>(schema: S, key: string): Part<z.input<S>>[] => {
    const list = valueAt(value, [key]);
    const items: readonly unknown[] = Array.isArray(list) ? list : [];
    return items.flatMap((item, index) =>
      accept(schema, item, [key, index]) ? [{ index, value: item }] : [],
    );
  };
  if (value === null) {
    report({ path: [], problem: 'the file is empty', cure: 'Start from deploy/fleet.example.yaml' });
  } else if (value !== undefined) {
    accept(outlineSchema, value, []);
  }
  const defaults = valueAt(value, ['defaults']) ?? {};
  return {
    defaults: accept(settingsSchema, defaults, ['defaults']) ? defaults : {},
    machines: acceptEach(machineEntrySchema, 'machines'),
    access: acceptEach(accessEntrySchema, 'access'),
  };
}

function toRule(entry: AccessEntry, line: number): AccessRule {
  return {
    people: entry.people ?? [],
    groups: entry.groups ?? [],
    machines: entry.machines,
    verbs: entry.verbs === 'all' ? verbs : entry.verbs,
    line,
  };
}
