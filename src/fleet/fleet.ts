import { z } from 'zod';
import { type Catalogue, type Params, type Risk, riskSchema } from './action.ts';
import type { AlertRules } from './alert-rules.ts';
import type { Budget } from './budget.ts';
import { onCallTargetPattern } from './hand-over.ts';
import type { Machine } from './machine.ts';
import type { PeerRules } from './peer-rules.ts';
import type { Prices } from './price.ts';
import type { ScheduleEntry, WindowEntry } from './time-rules.ts';

/** What a person can be allowed to do with a machine. */
export const verbs = [
  'view',
  'check',
  'ask',
  'cancel',
  'halt',
  'resume',
  /** Let nothing happen to it by itself for a time. */
  'silence',
  /** Ask for an action. */
  'act',
  /** Decide about what others ask for. */
  'approve',
] as const;
export type Verb = (typeof verbs)[number];

/** The verbs for which the access table can want a second person. */
export const twoPeopleVerbs = ['resume'] as const satisfies readonly Verb[];
export type TwoPeopleVerb = (typeof twoPeopleVerbs)[number];

/** One row of the access table: these people and groups may do these verbs with these machines. */
export interface AccessRule {
  readonly people: readonly string[];
  readonly groups: readonly string[];
  /** A selector (see `selector.ts`). */
  readonly machines: string;
  readonly verbs: readonly Verb[];
  /** Of these verbs, those for which a second person with the same right must agree. */
  readonly twoPeople: readonly TwoPeopleVerb[];
  /** The worst risk for which the row gives `act` and `approve`. */
  readonly upTo: Risk;
  /** Line in the fleet file, so that an explanation can point at it. */
  readonly line: number;
}

/** How much one person may ask for, over all machines. A campaign counts once. */
export const personLimitsSchema = z.strictObject({
  requestsPerMinute: z.int().min(1).max(10_000).default(30),
});
export type PersonLimits = z.infer<typeof personLimitsSchema>;

/** A rule by which a finding proposes an action. */
export interface Suggestion {
  readonly check: string;
  /** A glob for the finding's subject. */
  readonly subject?: string;
  /** The least severity. */
  readonly severity: 'warning' | 'critical';
  /** A selector; every machine where there is none. */
  readonly machines?: string;
  readonly action: string;
  /** `{subject}` stands for the finding's subject: what is taken from there is tainted. */
  readonly params: Params;
  readonly line: number;
}

const minutes = z.number().positive().max(10_080);
const slackIds = z.array(z.string().regex(/^[SUW][A-Z0-9]{2,}$/)).max(10);

/** How people are asked. */
export const approvalRulesSchema = z.strictObject({
  /** How many people must agree. */
  quorum: z
    .strictObject({
      reversible: z.int().min(1).max(10).default(1),
      disruptive: z.int().min(1).max(10).default(1),
      destructive: z.int().min(1).max(10).default(2),
    })
    .prefault({}),
  /** For these risks, each who agrees must do so for another user group. */
  differentGroups: z.array(riskSchema).default(['destructive']),
  /** How long the first ones that are asked have, and each that it is passed on to. */
  expireMinutes: minutes.default(30),
  /** How long before that they are reminded; where they have no longer than this, they are not. */
  remindMinutes: minutes.default(10),
  /** People and user groups that it is passed on to, one after the other, when nobody answers. */
  passOn: slackIds.default([]),
  /** How long what was approved may wait for its machine; then it has to be asked for again. */
  validMinutes: minutes.default(60),
  /** Who is called when people escalate, or when nobody answers: one after the other, until one has it. */
  onCall: z.array(z.string().regex(onCallTargetPattern)).max(10).default([]),
  /** How long each of them has to take it, before the next one is called. */
  handOverMinutes: minutes.default(10),
  /** For so long after somebody took it, nobody is asked again to escalate what the same task finds on the machine. */
  escalateAgainMinutes: minutes.default(240),
});
export type ApprovalRules = z.infer<typeof approvalRulesSchema>;

/** The fleet file, with defaults filled in. Immutable. */
export interface Fleet {
  readonly file: string;
  /** In the order of the file. */
  readonly machines: ReadonlyMap<string, Machine>;
  readonly access: readonly AccessRule[];
  readonly actions: Catalogue;
  /** In the order of the file: the first that fits counts. */
  readonly suggestions: readonly Suggestion[];
  readonly approvals: ApprovalRules;
  readonly alerts: AlertRules;
  readonly maintenance: readonly WindowEntry[];
  readonly schedules: readonly ScheduleEntry[];
  readonly peers: PeerRules;
  readonly perPerson: PersonLimits;
  readonly prices: Prices;
  /** What agents may cost; in the order of the file. */
  readonly budgets: readonly Budget[];
}
