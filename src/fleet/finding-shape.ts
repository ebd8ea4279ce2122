import type { Finding } from './finding.ts';

const numbers = /\d+(?:[.,]\d+)*/g;

/** The text with every number as `#`: what machines with the same trouble say alike. */
export function withoutNumbers(text: string): string {
  return text.replace(numbers, '#');
}

/** The same, with the machine's own name as `@` wherever it stands as a word of its own. */
export function withoutOwnName(machine: string): (text: string) => string {
  const name = new RegExp(`(?<![\\w.-])${RegExp.escape(machine)}(?![\\w-])`, 'gi');
  return (text) => withoutNumbers(text.replace(name, '@'));
}

/** Whether a finding is one that people should look at. */
export function isBad({ severity }: Finding): boolean {
  return severity === 'warning' || severity === 'critical';
}
