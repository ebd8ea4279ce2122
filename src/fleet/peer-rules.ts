import { z } from 'zod';
import { nameSchema } from './machine.ts';

/** When a supervisor asks those of other machines to check for the same thing. */
export const peerRuleSchema = z.strictObject({
  check: nameSchema.describe('The check that finds something.'),
  subject: z.string().min(1).max(200).optional().describe('A glob for what the finding is about.'),
  severity: z.enum(['warning', 'critical']).optional().describe('From which severity on. Default: warning.'),
  machines: z.string().optional().describe('A selector: whose findings. Default: all.'),
  /** `role` or a label: those that have the same value are asked. */
  same: z
    .string()
    .min(1)
    .max(63)
    .optional()
    .describe('Ask machines with the same role or label: role, site.'),
  among: z.string().optional().describe('A selector: ask only these. Default: all with the same label.'),
});

/** How supervisors talk to one another. */
export const peerRulesSchema = z.strictObject({
  rules: z.array(peerRuleSchema).max(100).default([]),
  /** Whether an agent may propose whom to ask, within this label: absent, it may not. */
  agentsMayAskSame: z
    .string()
    .min(1)
    .max(63)
    .optional()
    .describe('Agents may propose to ask machines with the same: role.'),
  /** How many machines are asked because of what one run found. */
  machinesPerFinding: z
    .int()
    .min(1)
    .max(200)
    .default(10)
    .describe('How many machines are asked because of what one run found. Default: 10.'),
  /** How often a question is passed on: 1, and those who are asked ask nobody. */
  hops: z
    .int()
    .min(1)
    .max(5)
    .default(1)
    .describe('How often a question is passed on: with 1, the default, those who are asked ask nobody.'),
  /** How long a machine is not asked the same again. */
  windowMinutes: z
    .number()
    .positive()
    .max(10_080)
    .default(60)
    .describe('How long a machine is not asked the same again. Default: 60.'),
});

export type PeerRule = z.infer<typeof peerRuleSchema>;
export type PeerRules = z.infer<typeof peerRulesSchema>;
