import { z } from 'zod';
import { actionSchema } from './action.ts';
import { actionProblems } from './action-problems.ts';
import { alertRulesSchema } from './alert-rules.ts';
import type { DraftCatalogue } from './authorised-problems.ts';
import { type Budget, budgetSchema, budgetsMax } from './budget.ts';
import { checkActions } from './check-actions.ts';
import { checkAlerts } from './check-alerts.ts';
import { checkMeaning, checksIn } from './check-meaning.ts';
import { checkPeers } from './check-peers.ts';
import { checkSchedules } from './check-schedules.ts';
import { checkSelectors } from './check-selectors.ts';
import { checkSuggestions } from './check-suggestions.ts';
import { checkWindows } from './check-windows.ts';
import { describeIssue, formatPath, type LocatedProblem, valueAt } from './describe-issue.ts';
import { doubtfulApprovals } from './doubtful-approvals.ts';
import { doubtfulBudgets } from './doubtful-budgets.ts';
import { doubtfulWindows } from './doubtful-windows.ts';
import { FleetFileError, type FleetFileProblem } from './errors.ts';
import {
  type AccessRule,
  approvalRulesSchema,
  type Fleet,
  personLimitsSchema,
  type Suggestion,
  verbs,
} from './fleet.ts';
import {
  type AccessEntry,
  type ActionEntry,
  accessEntrySchema,
  builtInSettings,
  fleetFileSchema,
  type MachineEntry,
  machineEntrySchema,
  type Settings,
  type SuggestionEntry,
  settingsSchema,
  suggestionEntrySchema,
} from './fleet-file.ts';
import { idlePeerRules } from './idle-peer-rules.ts';
import { type Machine, machineDraftSchema, machineSchema, nameSchema } from './machine.ts';
import { isGroup, mergeSettings } from './merge-settings.ts';
import { neverApproved } from './never-approved.ts';
import { peerRulesSchema } from './peer-rules.ts';
import { priceSchema } from './price.ts';
import { type Path, readYaml } from './read-yaml.ts';
import { checkNames } from './time-problems.ts';
import {
  type ScheduleEntry,
  scheduleEntrySchema,
  schedulesMax,
  type WindowEntry,
  windowSchema,
  windowsMax,
} from './time-rules.ts';

/** A fleet file that can be used, with what it says that can have no effect. */
export interface ReadFleet {
  readonly fleet: Fleet;
  /** In the order of lines. */
  readonly warnings: readonly FleetFileProblem[];
}

/**
 * Reads a fleet file. `file` is only named in errors.
 * @throws FleetFileError with every problem, in the order of lines
 */
export function loadFleet(text: string, file: string): Fleet {
  return readFleet(text, file).fleet;
}

/**
 * The same, with warnings.
 * @throws FleetFileError like `loadFleet`
 */
export function readFleet(text: string, file: string): ReadFleet {
  const yaml = readYaml(text);
  const problems: FleetFileProblem[] = [...yaml.problems];
  const located = ({ path, problem, cure }: LocatedProblem): FleetFileProblem => {
    return { line: yaml.lineOf(path), path: formatPath(path) || '(file)', problem, cure };
  };
  const report = (found: LocatedProblem): void => void problems.push(located(found));
  const parts = readParts(yaml.value, report);
  const under = mergeSettings(builtInSettings, parts.defaults.readable);
  const loaded = parts.machines.map(({ index, value, readable, unread }) => {
    const machine = value && machineSchema.parse(mergeSettings(under, value));
    const draft = machine ?? machineDraftSchema.parse(mergeSettings(under, readable));
    return { index, entry: readable, machine, draft, unread: unread.union(parts.defaults.unread) };
  });
  const catalogue = readCatalogue(parts.actions, report);
  checkMeaning(loaded, parts.defaults.readable, catalogue, (path) => yaml.lineOf(path), report);
  const checks = checksIn(loaded);
  checkActions(catalogue, checks, report);
  checkSuggestions(parts.suggestions, catalogue, checks, report);
  checkSchedules(parts.schedules, checks, (path) => yaml.lineOf(path), report);
  checkSelectors(['suggestions'], parts.suggestions, loaded, report);
  checkSelectors(['schedules'], parts.schedules, loaded, report);
  checkWindows(parts.maintenance, (path) => yaml.lineOf(path), report);
  checkSelectors(['maintenance'], parts.maintenance, loaded, report);
  checkNames(['budgets'], 'budget', parts.budgets, (path) => yaml.lineOf(path), report);
  checkSelectors(['budgets'], parts.budgets, loaded, report);
  checkSelectors(['access'], parts.access, loaded, report);
  checkAlerts(valueAt(yaml.value, ['alerts']), loaded, checks, (path) => yaml.lineOf(path), report);
  checkPeers(valueAt(yaml.value, ['peers']), loaded, checks, report);
  if (problems.length > 0) {
    throw new FleetFileError(file, inOrder(problems));
  }
  const machines = loaded.flatMap(({ machine }) => machine ?? []);
  const common = commonSchema.parse(yaml.value);
  const fleet: Fleet = {
    file,
    machines: new Map(machines.map((machine) => [machine.name, machine])),
    access: parts.access.flatMap(({ index, value }) =>
      value === undefined ? [] : [toRule(value, yaml.lineOf(['access', index]))],
    ),
    actions: new Map([...catalogue].flatMap(([name, action]) => (action ? [[name, action]] : []))),
    suggestions: parts.suggestions.flatMap(({ index, value }) =>
      value === undefined ? [] : [toSuggestion(value, yaml.lineOf(['suggestions', index]))],
    ),
    ...common,
  };
  const withOwnActions = new Map(
    loaded.flatMap(({ index, entry, draft }) =>
      draft.name !== undefined && 'actions' in entry ? [[draft.name, index]] : [],
    ),
  );
  const pathOf = ({ name }: Machine, action: number): Path => {
    const index = withOwnActions.get(name);
    return [...(index === undefined ? ['defaults'] : ['machines', index]), 'actions', action];
  };
  return {
    fleet,
    warnings: inOrder(
      [
        ...neverApproved({ fleet, pathOf }),
        ...doubtfulApprovals(fleet),
        ...idlePeerRules(fleet),
        ...doubtfulWindows(fleet),
        ...doubtfulBudgets(fleet),
      ].map(located),
    ),
  };
}

function inOrder(problems: readonly FleetFileProblem[]): readonly FleetFileProblem[] {
  return problems.toSorted((a, b) => a.line - b.line);
}

/** The actions that make sense by themselves; what does not is reported. */
function readCatalogue(
  parts: ReadonlyMap<string, Part<ActionEntry>>,
  report: (problem: LocatedProblem) => void,
): DraftCatalogue {
  return new Map(
    [...parts].map(([name, { value }]) => {
      const action = value && actionSchema.parse(value);
      const problems = action ? actionProblems(action) : [];
      for (const found of problems) report({ ...found, path: ['actions', name, ...found.path] });
      return [name, problems.length > 0 ? undefined : action];
    }),
  );
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
  approvals: approvalRulesSchema.prefault({}),
  alerts: alertRulesSchema.prefault({}),
  maintenance: z.array(windowSchema).default([]),
  schedules: z.array(scheduleEntrySchema).default([]),
  peers: peerRulesSchema.prefault({}),
  perPerson: personLimitsSchema.prefault({}),
  prices: z.record(z.string(), priceSchema).default({}),
  budgets: z.array(budgetSchema).default([]),
});

/** The file's outermost level; what is inside is checked part by part. */
const outlineSchema = fleetFileSchema.extend({
  defaults: z.unknown().optional(),
  machines: z.array(z.unknown()).min(1),
  access: z.array(z.unknown()).optional(),
  actions: z.record(nameSchema, z.unknown()).optional(),
  suggestions: z.array(z.unknown()).optional(),
  schedules: z.array(z.unknown()).max(schedulesMax).optional(),
  maintenance: z.array(z.unknown()).max(windowsMax).optional(),
  budgets: z.array(z.unknown()).max(budgetsMax).optional(),
});

interface Parts {
  readonly defaults: Part<Settings>;
  readonly machines: readonly Part<MachineEntry>[];
  readonly access: readonly Part<AccessEntry>[];
  /** By name. */
  readonly actions: ReadonlyMap<string, Part<ActionEntry>>;
  readonly suggestions: readonly Part<SuggestionEntry>[];
  readonly schedules: readonly Part<ScheduleEntry>[];
  readonly maintenance: readonly Part<WindowEntry>[];
  readonly budgets: readonly Part<Budget>[];
}

/**
 * The parts of the file, each checked by itself so that a mistake in one hides none in another. `value` is
 * undefined when the text could not be read at all.
 */
function readParts(value: unknown, report: (problem: LocatedProblem) => void): Parts {
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
  const actions = valueAt(value, ['actions']);
  return {
    defaults: readPart(settingsSchema, valueAt(value, ['defaults']) ?? {}, ['defaults']),
    machines: readEach(machineEntrySchema, 'machines'),
    access: readEach(accessEntrySchema, 'access'),
    actions: new Map(
      Object.entries(isGroup(actions) ? actions : {}).map(([name, action], index) => [
        name,
        readPart(actionSchema, action, ['actions', name], index),
      ]),
    ),
    suggestions: readEach(suggestionEntrySchema, 'suggestions'),
    schedules: readEach(scheduleEntrySchema, 'schedules'),
    maintenance: readEach(windowSchema, 'maintenance'),
    budgets: readEach(budgetSchema, 'budgets'),
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
    upTo: entry.upTo ?? 'reversible',
    line,
  };
}

function toSuggestion(entry: SuggestionEntry, line: number): Suggestion {
  const { check, subject, severity = 'warning', machines, action, params = {} } = entry;
  return {
    ...{ check, severity, action, params, line },
    ...(subject !== undefined && { subject }),
    ...(machines !== undefined && { machines }),
  };
}
