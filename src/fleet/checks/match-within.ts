import { runInNewContext } from 'node:vm';
import { z } from 'zod';

/** A pattern from the fleet file may hold up the process for this long, whatever a machine prints. */
export const patternTimeoutMs = 200;
/** The time runs also while the whole process waits for a processor, which seldom happens twice. */
const attempts = 2;

const groupsSchema = z.array(z.string().optional()).nullable();

/**
 * Applies a regular expression in multi-line mode: the match and its groups, null without a match, undefined
 * when it did not end in time. Runs in a context of its own because only there V8 lets a match be ended.
 */
export function matchWithin(
  pattern: string,
  text: string,
): readonly (string | undefined)[] | null | undefined {
  const code = 'new RegExp(pattern, "m").exec(text)';
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    try {
      return groupsSchema.parse(runInNewContext(code, { pattern, text }, { timeout: patternTimeoutMs }));
    } catch {
      // It took too long.
    }
  }
  return undefined;
}
