import type { Param } from './action.ts';
import { describeAllowed, isAllowedValue } from './allowed-values.ts';
import { isProblem } from './command-pattern.ts';
import type { LocatedProblem } from './describe-issue.ts';
import { beginningOf, maxPatternWays, patternWays } from './pattern-cost.ts';
import { defaultOf } from './render-action.ts';
import { readTextPattern } from './text-pattern.ts';
import { holdsUnseen, unseenProblem } from './unseen.ts';

/** What is wrong in a parameter, with paths that begin in it. */
export function paramProblems(param: Param): LocatedProblem[] {
  const problems = ownProblems(param);
  const value = defaultOf(param);
  if (problems.length > 0 || value === undefined || isAllowedValue(param, value)) return problems;
  const problem = `"${value}" is no value that it may have`;
  return [{ path: ['default'], problem, cure: `Write ${describeAllowed(param)}` }];
}

function ownProblems(param: Param): LocatedProblem[] {
  switch (param.type) {
    case 'choice':
      return choiceProblems(param.values);
    case 'integer': {
      if (param.min <= param.max) return [];
      const problem = `the least, ${param.min}, is above the most, ${param.max}`;
      return [{ path: ['min'], problem, cure: 'Write the lower number as min' }];
    }
    case 'text':
      return patternProblems(param.pattern);
  }
}

function choiceProblems(values: readonly string[]): LocatedProblem[] {
  return values.flatMap((value, index) => {
    const path = ['values', index];
    if (holdsUnseen(value)) return [{ path, ...unseenProblem }];
    if (values.indexOf(value) === index) return [];
    return [{ path, problem: `"${value}" stands there already`, cure: 'Remove one of the two' }];
  });
}

function patternProblems(pattern: string): LocatedProblem[] {
  const path = ['pattern'];
  const read = readTextPattern(pattern);
  if (isProblem(read)) return [{ path, ...read }];
  if (beginningOf(read).empty) {
    const problem = 'also matches no text at all, and a value has at least one character';
    return [
      { path, problem, cure: 'Write "+" or {1,20} in place of "*", and something on either side of "|"' },
    ];
  }
  if (patternWays(read) <= maxPatternWays) return [];
  const problem = 'can take endless time, because parts that repeat can match the same characters';
  return [{ path, problem, cure: 'Put a character between them that neither can hold, or repeat only one' }];
}
