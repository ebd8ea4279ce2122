import { z } from 'zod';
import { nameSchema } from './machine.ts';

/** How many budgets a fleet file may have. */
export const budgetsMax = 100;

/** The least and the most that one budget may allow, in US dollars: a micro-dollar is what is counted. */
const usdMin = 0.000_001;
const usdMax = 1_000_000_000;

/** A budget of the fleet file: what agents may cost in a day or a month. */
export const budgetSchema = z.strictObject({
  name: nameSchema.describe('What people read: web-per-day.'),
  usd: z.number().min(usdMin).max(usdMax).describe('How much may be spent, in US dollars.'),
  per: z.enum(['day', 'month']).describe('In which time: a day or a month, in UTC.'),
  machines: z.string().optional().describe('A selector: on which machines. Default: on all.'),
  people: z
    .array(z.string().regex(/^[UW][A-Z0-9]{2,}$/))
    .min(1)
    .max(1_000)
    .optional()
    .describe('Slack user ids: by whom, all of them together. Default: whoever or whatever asks.'),
  whenSpent: z
    .enum(['stop', 'evidence-only'])
    .optional()
    .describe(
      'What happens when it is used up. stop: what may want the agent is refused. evidence-only: checks go on without the agent, questions are refused. Default: stop.',
    ),
});
export type Budget = z.infer<typeof budgetSchema>;
