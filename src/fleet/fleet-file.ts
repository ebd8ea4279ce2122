import { z } from 'zod';
import { dependsOnRisk } from './access.ts';
import { actionSchema, paramsSchema, riskSchema } from './action.ts';
import { alertRulesSchema } from './alert-rules.ts';
import { budgetSchema, budgetsMax } from './budget.ts';
import { isProblem, readCommandPattern } from './command-pattern.ts';
import { approvalRulesSchema, personLimitsSchema, twoPeopleVerbs, verbs } from './fleet.ts';
import { matchesGlob } from './glob.ts';
import { isHostKeyOfItsType } from './host-key.ts';
import {
  agentSchema,
  builtInList,
  type CustomCheck,
  channelSchema,
  customCheckSchema,
  hostKeySchema,
  machineSchema,
  nameSchema,
} from './machine.ts';
import { patternProblem } from './pattern-problem.ts';
import { peerRulesSchema } from './peer-rules.ts';
import { priceSchema } from './price.ts';
import { secretPaths } from './readable-paths.ts';
import { selectAll, selectorProblem } from './selector.ts';
import { isNear } from './suggest.ts';
import { scheduleEntrySchema, schedulesMax, windowSchema, windowsMax } from './time-rules.ts';

/**
 * The fleet file as it is written. Everything that has a default may be left out: `defaults` stand under each
 * machine's own values, and the built-in defaults of `machine.ts` under both. What parsing returns is of no
 * use (it would fill in defaults too early); `load-fleet.ts` only asks whether a part is valid.
 */

/** What stands where neither a machine nor `defaults` say anything. */
export const builtInSettings = {
  ssh: {},
  role: 'unassigned',
  labels: {},
  expect: {},
  // What needs nothing but a usual machine. `certs` says nothing before its files are listed; `updates` runs as
  // root, and who patches by other means (images, Satellite) does not want to be warned.
  checks: ['disk', 'memory', 'load', 'services', 'logs', 'kernel', 'time', 'network'],
  customChecks: {},
  actions: [],
  agent: {},
  limits: {},
};

/** What a selector can name; `role` is left to the machine's role. */
const labelNameSchema = z
  .string()
  .regex(
    /^(?!role$)[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/,
    'must be letters, digits, ".", "_", "/", "-", not "role"',
  );

/** A number that is only shown: whatever it is, it is told as ok. */
function judgesNothing({ mustMatch, mustNotMatch, number }: CustomCheck): boolean {
  if (number === undefined || mustMatch !== undefined || mustNotMatch !== undefined) return false;
  const { warnAbove, criticalAbove, warnBelow, criticalBelow } = number;
  return [warnAbove, criticalAbove, warnBelow, criticalBelow].every((limit) => limit === undefined);
}

/** False too for what is no regular expression: that is told in other words. */
function matchesEmptyOutput(pattern: string): boolean {
  return patternProblem(pattern) === undefined && new RegExp(pattern, 'm').test('');
}

const judgingCheckSchema = customCheckSchema.superRefine((check, context) => {
  const patterns = [
    { path: ['mustMatch'], pattern: check.mustMatch },
    { path: ['mustNotMatch'], pattern: check.mustNotMatch },
    { path: ['number', 'pattern'], pattern: check.number?.pattern },
  ];
  for (const { path, pattern } of patterns) {
    const problem = pattern === undefined ? undefined : patternProblem(pattern);
    if (problem !== undefined) context.addIssue({ code: 'custom', path, message: problem });
  }
  if (check.command[0]?.includes('/')) {
    const message = 'is no bare program name; the machine looks it up in /usr/sbin, /usr/bin, /sbin and /bin';
    context.addIssue({ code: 'custom', path: ['command', 0], message });
  }
  if (judgesNothing(check)) {
    const message = 'has no limit, so the check could never be other than ok';
    context.addIssue({ code: 'custom', path: ['number'], message });
  }
  if (check.mustMatch !== undefined && matchesEmptyOutput(check.mustMatch)) {
    const message = 'matches any output, even an empty one, so it could never fail';
    context.addIssue({ code: 'custom', path: ['mustMatch'], message });
  }
  const pattern = check.number?.pattern;
  if (pattern !== undefined && !/\((?!\?)|\(\?</.test(pattern)) {
    context.addIssue({
      code: 'custom',
      path: ['number', 'pattern'],
      message: 'has no group ( ) for the number',
    });
  }
});

/** A folder has to be named: what begins with `*` would admit every file that is not known to be secret. */
const readPathPattern = /^\/[A-Za-z0-9_.@:+~-]+(?:\/[A-Za-z0-9_.@:+~*?-]+)*$/;

function readListed(pattern: string): ReturnType<typeof readCommandPattern> {
  if (!isNear(pattern, builtInList)) return readCommandPattern(pattern);
  const problem = `"${pattern}" would be the name of a program`;
  return { problem, cure: `Did you mean "${builtInList}"?` };
}

const listedAgentSchema = agentSchema.superRefine(({ commands, readPaths }, context) => {
  for (const [index, pattern] of commands.entries()) {
    const read = pattern === builtInList ? [] : readListed(pattern);
    if (!isProblem(read)) continue;
    const { problem, cure } = read;
    context.addIssue({ code: 'custom', path: ['commands', index], message: problem, params: { cure } });
  }
  for (const [index, path] of readPaths.entries()) {
    const isNormal = readPathPattern.test(path) && !/\/\.{1,2}(?:\/|$)/.test(path);
    const isSecret = secretPaths.some((glob) => matchesGlob(path.toLowerCase(), glob.toLowerCase()));
    if (path === builtInList || (isNormal && !isSecret)) continue;
    const message = isSecret
      ? `"${path}" stays unread whatever is listed, because it may hold secrets`
      : `"${path}" is no absolute path in its shortest form that begins with a folder`;
    context.addIssue({ code: 'custom', path: ['readPaths', index], message });
  }
});

const shape = machineSchema.shape;

const settingsShape = {
  ssh: shape.ssh.optional().describe('How to log in.'),
  role: shape.role.optional().describe('What the machine is for; a selector can name it: role=web.'),
  labels: z
    .record(labelNameSchema, z.string())
    .optional()
    .describe('Anything else a selector should be able to name: env=prod.'),
  expect: shape.expect.optional().describe('The state the machine should be in; checks judge against it.'),
  checks: shape.checks.optional().describe('The checks that may run. Default: all but updates and certs.'),
  customChecks: z
    .record(nameSchema, judgingCheckSchema)
    .optional()
    .describe('Checks of your own: one command each, judged by patterns or a number.'),
  actions: shape.actions.optional().describe('The actions that may run. Default: none.'),
  agent: listedAgentSchema.optional().describe('The OpenClaw agent on the machine.'),
  channel: channelSchema.optional().describe('Slack channel id for what nobody asked for, such as alerts.'),
  limits: shape.limits.optional().describe('How long each step may take and how much it may bring.'),
};

export const settingsSchema = z.strictObject(settingsShape);

export const machineEntrySchema = z.strictObject({
  name: nameSchema
    .refine((name) => name !== selectAll, { message: `is the selector for every machine` })
    .describe('What people type.'),
  address: z
    .string()
    .regex(/^(?:[A-Za-z0-9_][A-Za-z0-9._-]*|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f.]*(?:%\w+)?)$/)
    .describe('Host name or IP address, without user and port.'),
  hostKey: hostKeySchema
    .refine(isHostKeyOfItsType, { message: 'its base64 text is not a key of the type before it' })
    .describe('The pinned public host key, TYPE BASE64, as ssh-keyscan prints it.'),
  ...settingsShape,
});

const selectorSchema = z.string().superRefine((selector, context) => {
  const found = selectorProblem(selector);
  if (found === undefined) return;
  context.addIssue({ code: 'custom', message: found.problem, params: { cure: found.cure } });
});

export const accessEntrySchema = z
  .strictObject({
    people: z
      .array(z.string().regex(/^[UW][A-Z0-9]{2,}$/))
      .optional()
      .describe('Slack user ids.'),
    groups: z
      .array(z.string().regex(/^S[A-Z0-9]{2,}$/))
      .optional()
      .describe('Slack user group ids.'),
    machines: selectorSchema.describe(
      'A selector: a name, rhel-*, role=web, env=prod, all; "," is or, "&" is and, "!" is not.',
    ),
    verbs: z
      .union([z.literal('all'), z.array(z.enum(verbs)).min(1)])
      .describe(`What they may do: all, or a list of ${verbs.join(', ')}.`),
    twoPeople: z
      .array(z.enum(twoPeopleVerbs))
      .optional()
      .describe('Of these verbs, those for which a second person with the same right must agree: resume.'),
    upTo: riskSchema
      .optional()
      .describe(
        'The worst risk for which they may act and approve: reversible, disruptive or destructive. Default: reversible.',
      ),
  })
  .refine((entry) => (entry.people ?? []).length + (entry.groups ?? []).length > 0, {
    message: 'names neither people nor groups',
  })
  .refine(({ verbs, upTo }) => upTo === undefined || verbs === 'all' || verbs.some(dependsOnRisk), {
    path: ['upTo'],
    message: 'says nothing: of the verbs only act and approve depend on it',
    params: { cure: 'Remove upTo, or add act or approve to the verbs' },
  });

export const suggestionEntrySchema = z.strictObject({
  check: nameSchema.describe('The check that finds something.'),
  subject: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('A glob for what the finding is about: /var, *.service.'),
  severity: z.enum(['warning', 'critical']).optional().describe('From which severity on. Default: warning.'),
  machines: selectorSchema.optional().describe('A selector: for which machines. Default: all.'),
  action: nameSchema.describe('The action that is proposed.'),
  params: paramsSchema
    .optional()
    .describe(
      "Its parameters; {subject} stands for what the finding is about, and makes the action's risk one worse.",
    ),
});

export const fleetFileSchema = z
  .strictObject({
    version: z.literal(1).describe('Version of this format.'),
    defaults: settingsSchema.optional().describe("What stands under every machine's own values."),
    machines: z.array(machineEntrySchema).min(1).describe('The fleet.'),
    access: z
      .array(accessEntrySchema)
      .optional()
      .describe('Who may do what with which machines. What no row allows is denied.'),
    actions: z
      .record(nameSchema, actionSchema)
      .optional()
      .describe(
        'The changes that people can approve, by name. Each machine lists those that it is authorised for.',
      ),
    suggestions: z
      .array(suggestionEntrySchema)
      .optional()
      .describe('Which action a finding proposes: the first rule that fits.'),
    approvals: approvalRulesSchema.optional().describe('How people are asked.'),
    alerts: alertRulesSchema.optional().describe('What is done about alerts.'),
    maintenance: z
      .array(windowSchema)
      .max(windowsMax)
      .optional()
      .describe('Times in which nothing happens to machines by itself.'),
    schedules: z
      .array(scheduleEntrySchema)
      .max(schedulesMax)
      .optional()
      .describe('What is asked again and again.'),
    peers: peerRulesSchema
      .optional()
      .describe('When supervisors ask one another to check for the same thing.'),
    perPerson: personLimitsSchema.optional().describe('How much one person may ask for.'),
    prices: z
      .record(z.string(), priceSchema)
      .optional()
      .describe('What models cost, by the name that the agent reports, in US dollars for a million tokens.'),
    budgets: z
      .array(budgetSchema)
      .max(budgetsMax)
      .optional()
      .describe('What agents may cost in a day or a month, and what happens when that is used up.'),
  })
  .describe('The fleet file of fleetbot.');

export type Settings = z.input<typeof settingsSchema>;
export type MachineEntry = z.input<typeof machineEntrySchema>;
export type AccessEntry = z.input<typeof accessEntrySchema>;
export type ActionEntry = z.input<typeof actionSchema>;
export type SuggestionEntry = z.input<typeof suggestionEntrySchema>;

/** JSON Schema of the fleet file, for completion in editors (draft 7, which all of them know). */
export function fleetFileJsonSchema(): object {
  return z.toJSONSchema(fleetFileSchema, { io: 'input', target: 'draft-7' });
}
