import { z } from 'zod';
import { nameSchema } from './machine.ts';

const globs = z.record(z.string().min(1).max(100), z.string().min(1).max(200));

/** Which alerts lead to which check: the first rule that fits. */
export const alertRuleSchema = z.strictObject({
  /** Globs for labels, all of which must fit, upper and lower case alike; `alertname` is the alert's name. */
  match: globs.optional().describe('Globs for labels, all of which must fit; alertname is its name.'),
  /** A glob for the alert's text or name, upper and lower case alike. */
  text: z.string().min(1).max(200).optional().describe('A glob for its text or name: *disk*.'),
  machines: z.string().optional().describe('A selector: for which machines. Default: all.'),
  check: nameSchema.describe('The check that looks into it.'),
});

/** A channel in which other apps post alerts. */
export const alertChannelSchema = z.strictObject({
  channel: z
    .string()
    .regex(/^[CG][A-Z0-9]{2,}$/)
    .describe('Slack channel id.'),
  /** Nobody else's messages are read. */
  apps: z
    .array(z.string().regex(/^[AB][A-Z0-9]{2,}$/))
    .min(1)
    .max(20)
    .describe('App ids (A…) or bot ids (B…) whose messages are alerts.'),
});

/** What is done about alerts. */
export const alertRulesSchema = z.strictObject({
  channels: z.array(alertChannelSchema).max(50).default([]).describe('Channels in which apps post alerts.'),
  /** Where what the webhook takes is told, unless the machine has a channel of its own. */
  webhookChannel: z
    .string()
    .regex(/^[CG][A-Z0-9]{2,}$/)
    .optional()
    .describe("Slack channel id for the webhook's alerts. Default: the machine's channel."),
  /** The labels that may name the machine, the first that does counts; a port behind the name is left out. */
  machineLabels: z
    .array(z.string().min(1).max(100))
    .max(20)
    .default(['machine', 'host', 'hostname', 'nodename', 'node', 'instance'])
    .describe('Labels that may name the machine, in this order.'),
  rules: z.array(alertRuleSchema).max(200).default([]).describe('Which alert leads to which check.'),
  /** The check where no rule fits; without it such an alert is told as unmatched. */
  otherwise: nameSchema.optional().describe('The check where no rule fits. Default: none.'),
  /** Labels that alerts of one incident have in common; `alertname` is the name. */
  groupBy: z.array(z.string().min(1).max(100)).min(1).max(10).default(['alertname']),
  /** How long an incident gathers alerts before machines are looked at. */
  debounceSeconds: z.number().min(0).max(600).default(10),
  /**
   * How long after its last alert a new one still joins the same incident. The default is longer than the four hours
   * after which Alertmanager and Grafana tell an alert again that still fires.
   */
  groupMinutes: z.number().positive().max(10_080).default(300),
  /** How long a machine is not looked at again by the same check on account of alerts. */
  coolDownMinutes: z.number().min(0).max(10_080).default(15),
  /** How many machines one incident looks at. */
  machinesPerIncident: z.int().min(1).max(1_000).default(20),
  /** How many runs alerts may start, over the whole fleet. */
  runsPerMinute: z.int().min(1).max(10_000).default(30),
  /** How many incidents may be opened in one channel; what comes faster is told together. */
  incidentsPerMinute: z.int().min(1).max(1_000).default(10),
});

export type AlertRule = z.infer<typeof alertRuleSchema>;
export type AlertRules = z.infer<typeof alertRulesSchema>;
