import { z } from 'zod';
import { checkAccess } from './check-access.ts';
import { checkMeaning } from './check-meaning.ts';
import { describeIssue, formatPath, type LocatedProblem, valueAt } from './describe-issue.ts';
import { FleetFileError, type FleetFileProblem } from './errors.ts';
import { type AccessRule, approvalRulesSchema, type Fleet, personLimitsSchema, verbs } from './fleet.ts';
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
import { machineDraftSchema, machineSchema } from './machine.ts';
import { isGroup, mergeSettings } from './merge-settings.ts';
import { priceSchema } from './price.ts';
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
  const under = mergeSettings(builtInSettings, parts.defaults.readable);
  const loaded = parts.machines.map(({ index, value, readable, unread }) => {
    const machine = value && machineSchema.parse(mergeSettings(under, value));
    const draft = machine ?? machineDraftSchema.parse(mergeSettings(under, readable));
    return { index, entry: readable, machine, draft, unread: unread.union(parts.defaults.unread) };
  });
  checkMeaning(loaded, parts.defaults.readable, (path) => yaml.lineOf(path), report);
  checkAccess(parts.access, loaded, report);
  if (problems.length > 0) {
    const inOrder = problems.toSorted((a, b) => a.line - b.line);
    throw new FleetFileError(file, inOrder);
  }
  const machines = loaded.flatMap(({ machine }) => machine ?? []);
  const { perPerson, prices } = commonSchema.parse(yaml.value);
  return {
    file,
    machines: new Map(machines.map((machine) => [machine.name, machine])),
    access: parts.access.flatMap(({ index, value }) =>
      value === undefined ? [] : [toRule(value, yaml.lineOf(['access', index]))],
    ),
    actions: new Map(),
    suggestions: [],
    approvals: approvalRulesSchema.parse({}),
    perPerson,
    prices,
  };
}

/** A part of the file; what is wrong in it was reported. */
interface Part<T> {
  readonly index: number;
  /** undefined when anything is wrong in it. */
  readonly value: T | undefined;
  /** What is under its valid keys, whatever is wrong under others. */
  readonly readable: Readonly<Record<string, unknown>>;
  /** The keys that could not be read: what rests on them is not known. */
  readonly unread: ReadonlySet<string>;
}

/** What the file says that is no machine's and no row's; defaults filled in. */
const commonSchema = z.object({
  perPerson: personLimitsSchema.prefault({}),
  prices: z.record(z.string(), priceSchema).default({}),
});

/** The file's outermost level; what is inside is checked part by part. */
const outlineSchema = fleetFileSchema.extend({
  defaults: z.unknown().optional(),
  machines: z.array(z.unknown()).min(1),
  access: z.array(z.unknown()).optional(),
});

/**
 * The parts of the file, each checked by itself so that a mistake in one hides none in another. `value` is
 * undefined when the text could not be read at all.
 */
function readParts(
  value: unknown,
  report: (problem: LocatedProblem) => void,
): { defaults: Part<Settings>; machines: Part<MachineEntry>[]; access: Part<AccessEntry>[] } {
  /** Reports what is wrong with the part, and adds the keys in question to `unread`. */
  const accept = <S extends z.ZodType>(
    schema: S,
    part: unknown,
    at: Path,
    unread = new Set<string>(),
  ): part is z.input<S> => {
    const issues = schema.safeParse(part).error?.issues ?? [];
    for (const issue of issues) {
      for (const key of keysInQuestion(issue)) unread.add(key);
      for (const found of describeIssue(issue, schema, part, at)) report(found);
    }
    return issues.length === 0;
  };
  const readPart = <S extends z.ZodObject>(
    schema: S,
    part: unknown,
    at: Path,
    index = 0,
  ): Part<z.input<S>> => {
    const unread = new Set(isGroup(part) ? [] : Object.keys(schema.shape));
    const valid = accept(schema, part, at, unread) ? part : undefined;
    const entries = isGroup(part) ? Object.entries(part) : [];
    return {
      index,
      value: valid,
      readable: Object.fromEntries(entries.filter(([key]) => !unread.has(key))),
      unread,
    };
  };
  const readEach = <S extends z.ZodObject>(schema: S, key: string): Part<z.input<S>>[] => {
    const list = valueAt(value, [key]);
    const items: readonly unknown[] = Array.isArray(list) ? list : [];
    return items.map((item, index) => readPart(schema, item, [key, index], index));
  };
  if (value === null) {
    report({ path: [], problem: 'the file is empty', cure: 'Start from deploy/fleet.example.yaml' });
  } else if (value !== undefined) {
    accept(outlineSchema, value, []);
  }
  return {
    defaults: readPart(settingsSchema, valueAt(value, ['defaults']) ?? {}, ['defaults']),
    machines: readEach(machineEntrySchema, 'machines'),
    access: readEach(accessEntrySchema, 'access'),
  };
}

function keysInQuestion(issue: z.core.$ZodIssue): readonly string[] {
  const [key] = issue.path;
  if (key !== undefined) return [String(key)];
  return issue.code === 'unrecognized_keys' ? issue.keys : [];
}

function toRule(entry: AccessEntry, line: number): AccessRule {
  return {
    people: entry.people ?? [],
    groups: entry.groups ?? [],
    machines: entry.machines,
    verbs: entry.verbs === 'all' ? verbs : entry.verbs,
    twoPeople: entry.twoPeople ?? [],
    upTo: 'reversible',
    line,
  };
}
