import { z } from 'zod';

export const severities = ['ok', 'inconclusive', 'warning', 'critical'] as const;

/**
 * One thing that the evidence says. `ok` findings are kept too: they carry the numbers that people want
 * to see. `output` is the index of the evidence's command on which the finding rests.
 */
export const findingSchema = z.object({
  severity: z.enum(severities),
  /** What it is about: a mount point, a unit, `memory`. */
  subject: z.string(),
  /** One sentence with the number and the limit. */
  text: z.string(),
  output: z.int().nonnegative(),
  /** The number behind it, where there is one; the agent's claims are compared with it. */
  measure: z.object({ value: z.number(), unit: z.string() }).optional(),
});

export const verdicts = [
  'ok',
  'warning',
  'critical',
  'inconclusive',
  'failed',
  'answered',
  'cancelled',
] as const;
export const verdictSchema = z.enum(verdicts);

export type Severity = (typeof severities)[number];
export type Finding = z.infer<typeof findingSchema>;
/** How a run ended. The first four come from evidence alone; `answered` ends an `ask`. */
export type Verdict = z.infer<typeof verdictSchema>;

/**
 * The verdict that findings add up to: the worst of them; `inconclusive` outranks `ok` (what was not
 * measured is not known to be good) but never hides a warning. No findings: `inconclusive`.
 */
export function verdictOf(findings: readonly Finding[]): Severity {
  return findings.reduce<Severity>(
    (worst, f) => (severities.indexOf(f.severity) > severities.indexOf(worst) ? f.severity : worst),
    findings.length === 0 ? 'inconclusive' : 'ok',
  );
}
