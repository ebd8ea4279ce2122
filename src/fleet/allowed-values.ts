import { type Param, valueMaxCharacters } from './action.ts';
import { integersPattern } from './integers-pattern.ts';

/** Regular expression for exactly the values that a parameter may have; what JavaScript and Python have in common. */
export function paramRule(param: Param): string {
  switch (param.type) {
    case 'choice':
      return `(?:${param.values.map(literalRule).join('|')})`;
    case 'integer':
      return integersPattern(param.min, param.max);
    case 'text':
      return `(?:${param.pattern})`;
  }
}

/** Regular expression for a text that stands for itself. */
export function literalRule(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** Whether a parameter may have this value. */
export function isAllowedValue(param: Param, value: string): boolean {
  return value.length <= valueMaxCharacters && new RegExp(`^${paramRule(param)}$`).test(value);
}

/** What a parameter may be, as a part of a sentence: `one of 100M, 200M`. */
export function describeAllowed(param: Param): string {
  switch (param.type) {
    case 'choice':
      return param.values.length === 1 ? `only ${param.values[0]}` : `one of ${param.values.join(', ')}`;
    case 'integer':
      return `a whole number from ${param.min} to ${param.max}`;
    case 'text':
      return `text like ${param.pattern}`;
  }
}
