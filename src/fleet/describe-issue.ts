import { stringify } from 'yaml';
import { z } from 'zod';
import { cureFor } from './cure-for.ts';
import { misplacedId } from './misplaced-id.ts';
import type { Path } from './read-yaml.ts';
import { suggest } from './suggest.ts';

/** A problem in a fleet file, before its line is known. */
export interface LocatedProblem {
  readonly path: Path;
  readonly problem: string;
  readonly cure: string;
}

/** Where nothing better is known. */
const lastCure = 'Compare it with deploy/fleet.example.yaml';

const plain: Readonly<Record<string, string>> = {
  record: 'a group of "key: value" lines',
  object: 'a group of "key: value" lines',
  array: 'a list',
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
};

/**
 * An issue of zod as problems for the person who writes the file. `part` is what was checked by `schema`; `at`
 * is where it stands in the file.
 */
export function describeIssue(
  issue: z.core.$ZodIssue,
  schema: z.ZodType,
  part: unknown,
  at: Path,
): LocatedProblem[] {
  const inPart = issue.path.filter((key) => typeof key !== 'symbol');
  const path = [...at, ...inPart];
  const found = valueAt(part, inPart);
  const cure = cureFor(path) ?? exampleCure(schema, inPart) ?? lastCure;
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysAt(schema, inPart);
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
      if (found === undefined) return [{ path, problem: 'is missing', cure }];
      if (found === null) return [{ path, problem: 'is empty', cure }];
      const problem = `must be ${plain[issue.expected] ?? issue.expected}`;
      return [{ path, problem, cure: rewritten(found, issue.expected, path) ?? cure }];
    }
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      const meant = typeof found === 'string' ? suggest(found, allowed) : undefined;
      const written = found === undefined ? 'is missing' : `${JSON.stringify(found)} is not known here`;
      const choose = allowed.length === 1 ? `Write ${allowed[0]}` : `Write one of ${allowed.join(', ')}`;
      return [
        {
          path,
          problem: written,
          cure: meant === undefined ? (cureFor(path) ?? choose) : `Did you mean "${meant}"?`,
        },
      ];
    }
    case 'invalid_key':
      return [{ path, problem: 'cannot be a key here', cure: cureFor(path.slice(0, -1)) ?? lastCure }];
    case 'invalid_union': {
      // The form that was meant is the one whose outside fits; what is wrong inside can be told.
      const meant = issue.errors.find((issues) => issues.some((inner) => inner.path.length > 0));
      if (meant !== undefined) {
        return meant.flatMap((inner) =>
          describeIssue({ ...inner, path: [...issue.path, ...inner.path] }, schema, part, at),
        );
      }
      const problem =
        found === undefined ? 'is missing' : `${JSON.stringify(found)} is not one of the forms it can have`;
      return [{ path, problem, cure }];
    }
    case 'too_small':
      return [
        {
          path,
          problem: `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${ofWhat(issue.origin, issue.minimum)}`,
          cure,
        },
      ];
    case 'too_big':
      return [
        { path, problem: `must be at most ${issue.maximum}${ofWhat(issue.origin, issue.maximum)}`, cure },
      ];
    case 'invalid_format':
      return [
        {
          path,
          ...(misplacedId(path, found) ?? { problem: `${JSON.stringify(found)} cannot be used`, cure }),
        },
      ];
    case 'custom':
      return [{ path, problem: issue.message, cure: z.string().safeParse(issue.params?.cure).data ?? cure }];
    default:
      return [{ path, problem: issue.message, cure }];
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

/** The default of the schema at this path as an example; a list item has that of its list. */
function exampleCure(schema: z.ZodType, inPart: Path): string | undefined {
  const path = typeof inPart.at(-1) === 'number' ? inPart.slice(0, -1) : inPart;
  const at = schemaAt(schema, path);
  return at instanceof z.ZodDefault ? `Write for example ${inline(at.def.defaultValue)}` : undefined;
}

/** What makes more of a command line than words with blanks between. */
const shellSyntax = /[|&;<>()$`\\"'*?[\]#~{}]/;

/** The value as it should have been written, where that can be told. */
function rewritten(found: unknown, expected: string, path: Path): string | undefined {
  if (expected === 'string' && typeof found !== 'object') return `Put it in quotes: "${found}"`;
  const isCommandLine = expected === 'array' && path.at(-1) === 'command' && typeof found === 'string';
  if (!isCommandLine || shellSyntax.test(found)) return undefined;
  return `Write ${inline(found.trim().split(/\s+/))}`;
}

/** A value as YAML on one line: `[cat, /proc/mdstat]`. */
function inline(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trimEnd();
}

/** The keys that an object may have at this path of the schema. */
function keysAt(schema: z.ZodType, path: Path): string[] {
  const at = unwrap(schemaAt(schema, path));
  if (at instanceof z.ZodDiscriminatedUnion)
    return [...new Set(optionsOf(at).flatMap((o) => Object.keys(o.shape)))];
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

/** The forms of a union that are groups of keys. */
function optionsOf(union: z.ZodDiscriminatedUnion): z.ZodObject[] {
  return union.options.flatMap((option) => (option instanceof z.ZodObject ? option : []));
}

/** The schema at a path, with its default if it has one. */
function schemaAt(schema: z.ZodType, path: Path): z.core.$ZodType | undefined {
  return path.reduce<z.core.$ZodType | undefined>((outer, key) => {
    const at = unwrap(outer);
    if (at instanceof z.ZodObject) return at.shape[key];
    if (at instanceof z.ZodArray) return at.element;
    if (at instanceof z.ZodDiscriminatedUnion)
      return optionsOf(at).find((option) => key in option.shape)?.shape[key];
    return at instanceof z.ZodRecord ? at.valueType : undefined;
  }, schema);
}

function unwrap(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let at = schema;
  while (at instanceof z.ZodOptional || at instanceof z.ZodDefault || at instanceof z.ZodPrefault)
    at = at.unwrap();
  return at;
}

function ofWhat(origin: string, count: number | bigint): string {
  const isOne = Number(count) === 1;
  if (origin === 'string') return isOne ? ' character long' : ' characters long';
  if (origin !== 'array') return '';
  return isOne ? ' entry long' : ' entries long';
}
