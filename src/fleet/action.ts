import { createHash } from 'node:crypto';
import { z } from 'zod';
import { nameSchema } from './machine.ts';

/** How much harm an action may do, least first. */
export const risks = ['reversible', 'disruptive', 'destructive'] as const;
export type Risk = (typeof risks)[number];
export const riskSchema = z.enum(risks);

/** The next worse risk; `destructive` stays what it is. */
export function oneWorse(risk: Risk): Risk {
  return risks[Math.min(risks.indexOf(risk) + 1, risks.length - 1)] ?? risk;
}

/** Names of parameters, as they stand in braces in a template. */
export const paramNameSchema = z
  .string()
  .regex(
    /^[a-z][a-zA-Z0-9]{0,31}$/,
    'must begin with a lower-case letter; then letters and digits, 32 at most',
  );

/** How long a value may be. */
export const valueMaxCharacters = 200;

/** What a parameter may be. Values are always text, as they stand in the argument vector. */
export const paramSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('choice'),
    values: z.array(z.string().min(1).max(valueMaxCharacters)).min(1).max(100),
    default: z.string().optional(),
  }),
  z.strictObject({
    type: z.literal('integer'),
    min: z.int(),
    max: z.int(),
    default: z.int().optional(),
  }),
  z.strictObject({
    type: z.literal('text'),
    /** Regular expression that the whole value must match; the subset that JavaScript and Python share. */
    pattern: z.string().min(1).max(300),
    default: z.string().optional(),
  }),
]);
export type Param = z.infer<typeof paramSchema>;

/** Values of an action's parameters, by name. */
export const paramsSchema = z.record(paramNameSchema, z.string().max(valueMaxCharacters));
export type Params = z.infer<typeof paramsSchema>;

/**
 * A change that people can approve: what a machine runs, as root, in a transient unit of its own. In `argv`, `{name}`
 * stands for the value of a parameter; no shell reads it.
 */
export const actionSchema = z.strictObject({
  summary: z.string().min(1).max(120),
  argv: z.array(z.string().min(1).max(500)).min(1).max(64),
  params: z.record(paramNameSchema, paramSchema).default({}),
  risk: riskSchema,
  /** Only run while the check finds something of these severities; about this subject (a glob), where one is named. */
  precondition: z
    .strictObject({
      check: nameSchema,
      subject: z.string().min(1).max(200).optional(),
      severities: z
        .array(z.enum(['warning', 'critical']))
        .min(1)
        .default(['warning', 'critical']),
    })
    .optional(),
  /** The check that tells before and after whether it helped. */
  verify: nameSchema,
  /** The action that takes it back; its parameters may hold `{name}` of this one's. */
  undo: z.strictObject({ action: nameSchema, params: paramsSchema.default({}) }).optional(),
  /** Where it cannot be taken back: why, as a sentence for people. Exactly one of the two is there. */
  noUndo: z.string().min(1).max(200).optional(),
  timeoutSeconds: z.int().min(1).max(3_600).default(60),
  /** Whether a halt ends it half-way. */
  interruptible: z.boolean().default(false),
});
export type Action = z.infer<typeof actionSchema>;

/** The actions of the fleet file, by name. Which of them a machine is authorised for, the machine's `actions` say. */
export type Catalogue = ReadonlyMap<string, Action>;

/** Names exactly what people approve: SHA-256, in hex, of machine and argument vector. */
export function actionDigest(machine: string, argv: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([machine, ...argv]))
    .digest('hex');
}
