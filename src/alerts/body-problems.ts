import { ZodError, type z } from 'zod';
import { formatPath, valueAt } from '../fleet/describe-issue.ts';

const plain: Readonly<Record<string, string>> = {
  ...{ object: 'an object', record: 'an object', array: 'a list', string: 'a string', int: 'a whole number' },
};

/** What is wrong with a body, as sentences for whoever set the sender up. They name keys and say no value. */
export function bodyProblems(error: unknown, body: unknown): string {
  if (!(error instanceof ZodError)) return 'It is not JSON.';
  return error.issues.flatMap((issue) => sentences(issue, body)).join(' ');
}

function sentences(issue: z.core.$ZodIssue, body: unknown): readonly string[] {
  const path = issue.path.filter((key) => typeof key !== 'symbol');
  const where = path.length === 0 ? 'It' : `"${formatPath(path)}"`;
  const isMissing = valueAt(body, path) === undefined;
  switch (issue.code) {
    case 'invalid_type':
      return [
        isMissing ? `${where} is missing.` : `${where} must be ${plain[issue.expected] ?? issue.expected}.`,
      ];
    case 'invalid_value':
      return [isMissing ? `${where} is missing.` : `${where} must be ${issue.values.join(' or ')}.`];
    case 'unrecognized_keys':
      return issue.keys.map((key) => `"${formatPath([...path, key])}" is not known here.`);
    case 'too_small':
      return [
        issue.origin === 'string' ? `${where} is empty.` : `${where} must be at least ${issue.minimum}.`,
      ];
    case 'invalid_format':
      return [`${where} must be a time such as 2026-11-23T00:00:00Z.`];
    default:
      return [`${where} has ${issue.message}.`];
  }
}
