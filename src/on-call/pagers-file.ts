import { z } from 'zod';
import { SettingsError } from '../fleet/errors.ts';
import { readYaml } from '../fleet/read-yaml.ts';

/** PagerDuty's own address. Source: developer.pagerduty.com, Events API v2. */
const pagerDutyUrl = 'https://events.pagerduty.com';

const address = z.url({ protocol: /^https?$/, hostname: /./, error: 'must be a web address (https://…)' });

/** A service that speaks PagerDuty's Events API v2. */
const pagerDutySchema = z.strictObject({
  kind: z.literal('pagerduty'),
  /** The integration key of a service. */
  routingKey: z.string({ error: 'is missing: the integration key of the service' }).min(1),
  /** Up to, not including, `/v2/enqueue`. */
  url: address.default(pagerDutyUrl),
});

/** Whatever takes our JSON (see `webhook.ts`). */
const webhookSchema = z.strictObject({
  kind: z.literal('webhook'),
  url: address,
  /** Sent as a bearer token. */
  token: z
    .string()
    .regex(/^[\x21-\x7e]+$/, { error: 'must be printable ASCII without spaces' })
    .optional(),
});

const pagerSchema = z.discriminatedUnion('kind', [pagerDutySchema, webhookSchema], {
  error: 'needs a "kind": pagerduty or webhook',
});
const namePattern = /^[a-z0-9][a-z0-9-]{0,38}$/;
const pagersSchema = z.record(
  z.string().regex(namePattern, { error: 'a name has 1–39 lower-case letters, digits and "-"' }),
  pagerSchema,
);

export type PagerDutyEntry = z.infer<typeof pagerDutySchema>;
export type WebhookEntry = z.infer<typeof webhookSchema>;
export type PagerEntry = z.infer<typeof pagerSchema>;

const setting = 'FLEETBOT_PAGERS';

/**
 * Reads the pagers, YAML or JSON: `NAME: { kind: pagerduty, routingKey: …, url?: … }` or
 * `NAME: { kind: webhook, url: …, token?: … }`.
 * @throws SettingsError that names every problem, each on a line of its own, and no value
 */
export function readPagers(text: string): ReadonlyMap<string, PagerEntry> {
  const { value, problems, lineOf } = readYaml(text);
  if (problems.length > 0) {
    // What the parser says may quote the text, which holds secrets.
    const lines = [...new Set(problems.map(({ line }) => line))].join(', ');
    throw new SettingsError(`${setting}: line ${lines} is no valid YAML. Correct it, or write it as JSON.`);
  }
  const read = pagersSchema.safeParse(value);
  if (read.success) return new Map(Object.entries(read.data));
  const lines = read.error.issues.map((issue) => {
    const path = issue.path.filter((key) => typeof key !== 'symbol');
    const [name] = path;
    const of = name === undefined ? '' : ` pager ${name}`;
    const what = path.slice(1).map((key) => ` "${key}"`);
    return `${setting}:${of}${what.join('')} (line ${lineOf(path)}): ${problemOf(issue)}.`;
  });
  throw new SettingsError(lines.join('\n'));
}

function problemOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message;
  if (issue.code === 'unrecognized_keys') return `${issue.keys.join(', ')} is not known here`;
  if (issue.path.length === 0)
    return 'must be a group of pagers by name, such as "primary: {kind: pagerduty, …}"';
  return issue.message;
}
