import { z } from 'zod';
import type { Path } from './read-yaml.ts';
import { suggest } from './suggest.ts';

/** A problem in a fleet file, before its line is known. */
export interface LocatedProblem {
  readonly path: Path;
  readonly problem: string;
  readonly cure: string;
}

/** What to write, by the key in question. Keys that are not here get a cure made from what was expected. */
const cures: Readonly<Record<string, string>> = {
  version: 'Write "version: 1"',
  name: 'Write a name such as rhel-01, in lower case',
  address: 'Write a host name or IP address; user and port belong under ssh',
  hostKey:
    'Copy the type and the base64 text that "ssh-keyscan ADDRESS" prints, for example "ssh-ed25519 AAAAC3NzaC1l…"',
  channel: 'Write a Slack channel id such as C0123ABCD',
  people: 'Write Slack user ids such as U0123ABCD',
  groups: 'Write Slack user group ids such as S0123ABCD',
  verbs: 'Write "all" or a list of view, check, ask, cancel',
  diagnose: 'Write one of always, on-finding, never, by-request',
  mustMatch: 'Write a simpler regular expression that matches only the output that is good',
  mustNotMatch: 'Write a simpler regular expression',
  number: 'Give it at least one of warnAbove, criticalAbove, warnBelow, criticalBelow',
  pattern: 'Write a simple regular expression whose first group ( ) is the number',
  labels: 'Write labels as "key: value", the key of letters and digits, a number as value in quotes',
  customChecks: 'Write its name in lower case, for example raid',
  mounts: 'Write a mount point such as /var',
  active: 'Write systemd units such as sshd.service',
};

const plain: Readonly<Record<string, string>> = {
  record: 'a group of "key: value" lines',
  object: 'a group of "key: value" lines',
  array: 'a list',
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
};

/** An issue of zod as problems for the person who writes the file. `value` is what was checked by `schema`. */
export function describeIssue(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown): LocatedProblem[] {
  const path = issue.path.filter((key) => typeof key !== 'symbol');
  const found = valueAt(value, path);
  const cure = cureFor(path);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysAt(schema, path);
      return issue.keys.map((key) => {
        const meant = suggest(key, known);
        return {
          path: [...path, key],
          problem: `"${key}" is not known here`,
          cure: meant === undefined ? `Known here: ${known.join(', ')}` : `Did you mean "${meant}"?`,
        };
      });
    }
    case 'invalid_type': {
      const expected = plain[issue.expected] ?? issue.expected;
      if (found === undefined) return [{ path, problem: 'is missing', cure: cure ?? `Write ${expected}` }];
      if (found === null)
        return [{ path, problem: 'is empty', cure: cure ?? `Write ${expected}, or remove the key` }];
      const quote =
        issue.expected === 'string' && typeof found !== 'object' ? `Put it in quotes: "${found}"` : undefined;
      return [{ path, problem: `must be ${expected}`, cure: quote ?? cure ?? `Write ${expected}` }];
    }
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      const meant = typeof found === 'string' ? suggest(found, allowed) : undefined;
      const written = found === undefined ? 'is missing' : `${JSON.stringify(found)} is not known here`;
      const choose = allowed.length === 1 ? `Write ${allowed[0]}` : `Write one of ${allowed.join(', ')}`;
      return [
        { path, problem: written, cure: meant === undefined ? (cure ?? choose) : `Did you mean "${meant}"?` },
      ];
    }
    case 'invalid_key':
      return [
        { path, problem: 'cannot be a key here', cure: cureFor(path.slice(0, -1)) ?? 'Write another key' },
      ];
    case 'invalid_union':
      return [
        {
          path,
          problem: found === undefined ? 'is missing' : 'is not one of the forms it can have',
          cure: cure ?? 'Correct it',
        },
      ];
    case 'too_small':
      return [
        {
          path,
          problem: `must be at least ${issue.minimum}${ofWhat(issue.origin)}`,
          cure: cure ?? 'Write more',
        },
      ];
    case 'too_big':
      return [
        {
          path,
          problem: `must be at most ${issue.maximum}${ofWhat(issue.origin)}`,
          cure: cure ?? 'Write less',
        },
      ];
    case 'invalid_format':
      return [
        { path, problem: `${JSON.stringify(found)} cannot be used`, cure: cure ?? upper(issue.message) },
      ];
    default:
      return [{ path, problem: issue.message, cure: cure ?? 'Correct it' }];
  }
}

/** `machines[3].expect.disk.mounts["/var"]` */
export function formatPath(path: Path): string {
  return path
    .map((key, index) => {
      if (typeof key === 'number') return `[${key}]`;
      if (!/^\w[\w-]*$/.test(key)) return `[${JSON.stringify(key)}]`;
      return index === 0 ? key : `.${key}`;
    })
    .join('');
}

/** The value at a path of plain values; undefined where there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, key) => {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    return Object.getOwnPropertyDescriptor(at, key)?.value;
  }, value);
}

/** The cure of the innermost key on the path; a list item or a label has the cure of its list. */
function cureFor(path: Path): string | undefined {
  const keys = path.filter((key) => typeof key === 'string');
  const last = keys.at(-1);
  const above = keys.at(-2);
  if (last !== undefined && Object.hasOwn(cures, last)) return cures[last];
  return above === 'labels' ? cures.labels : undefined;
}

/** The keys that an object may have at this path of the schema. */
function keysAt(schema: z.ZodType, path: Path): string[] {
  let at: z.core.$ZodType | undefined = unwrap(schema);
  for (const key of path) {
    if (at instanceof z.ZodObject) at = at.shape[key];
    else if (at instanceof z.ZodArray) at = at.element;
    else if (at instanceof z.ZodRecord) at = at.valueType;
    at = unwrap(at);
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function unwrap(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let at = schema;
  while (at instanceof z.ZodOptional || at instanceof z.ZodDefault || at instanceof z.ZodPrefault)
    at = at.unwrap();
  return at;
}

function ofWhat(origin: string): string {
  if (origin === 'string') return ' characters long';
  return origin === 'array' ? ' entries long' : '';
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
