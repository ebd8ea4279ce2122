import fc from 'fast-check';
import { type Risk, risks } from '../../src/fleet/action.ts';
import { type Question, questionDigest, type Vote } from '../../src/fleet/approval.ts';
import type { Fleet } from '../../src/fleet/fleet.ts';

/** Who asked; and everybody who may click. */
export const requester = 'U0ANN';
export const everybody = [requester, 'U1', 'U2', 'U3', 'U4', 'U5'];
export const allGroups = ['S1', 'S2', 'S3'];

/** A row of the access table about `approve`, as far as it matters for one machine. */
interface Row {
  readonly people: readonly string[];
  readonly groups: readonly string[];
  readonly aboutThisMachine: boolean;
  readonly givesApprove: boolean;
  readonly upTo: Risk;
}

/** What the fleet file says about approvals, in a form that the oracle below can read without `src/fleet`. */
export interface Policy {
  readonly rows: readonly Row[];
  readonly quorum: Readonly<Record<Risk, number>>;
  readonly differentGroups: readonly Risk[];
  readonly expireMinutes: number;
  readonly remindMinutes: number;
  readonly passOn: readonly string[];
}

const mostly = fc.integer({ max: 9, min: 0 }).map((digit) => digit > 0);

export const policies: fc.Arbitrary<Policy> = fc.record({
  rows: fc.array(
    fc.record({
      people: fc.subarray(everybody, { maxLength: 2 }),
      groups: fc.subarray(allGroups),
      aboutThisMachine: mostly,
      givesApprove: mostly,
      upTo: fc.constantFrom<Risk>(...risks, 'destructive'),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  quorum: fc.record({
    reversible: fc.integer({ min: 1, max: 2 }),
    disruptive: fc.integer({ min: 1, max: 3 }),
    destructive: fc.integer({ min: 1, max: 3 }),
  }),
  differentGroups: fc.subarray([...risks]),
  expireMinutes: fc.integer({ min: 10, max: 40 }),
  remindMinutes: fc.integer({ min: 1, max: 9 }),
  passOn: fc.subarray(['S1', 'U1', requester]),
});

/** The fleet with this policy. */
export function withPolicy(fleet: Fleet, { rows, quorum, ...rules }: Policy): Fleet {
  return {
    ...fleet,
    access: rows.map(({ people, groups, aboutThisMachine, givesApprove, upTo }, index) => ({
      ...{ people, groups, upTo, twoPeople: [], line: index + 1 },
      machines: aboutThisMachine ? 'all' : 'role=elsewhere',
      verbs: givesApprove ? ['approve'] : ['view', 'act'],
    })),
    approvals: {
      ...fleet.approvals,
      ...rules,
      quorum: { ...quorum },
      differentGroups: [...rules.differentGroups],
      passOn: [...rules.passOn],
    },
  };
}

/**
 * What the policy demands, written down a second time and by trying everything, so that it shares no mistake with the
 * code: how many different people, none of them the requester, permitted, and where demanded each for a group that
 * none of the others has, approved this very question in its time.
 */
export function mostApprovals(policy: Policy, question: Question, votes: readonly Vote[]): number {
  const approvals = votes.filter(
    (vote) =>
      vote.decision.kind === 'approve' &&
      vote.decision.by.userId !== requester &&
      aboutThis(question, vote) &&
      doors(policy, question, vote).length > 0,
  );
  const apart = demands(policy, question).apart;
  const best = (rest: readonly Vote[], people: readonly string[], taken: readonly string[]): number => {
    const [vote, ...others] = rest;
    if (vote === undefined) return people.length;
    const without = best(others, people, taken);
    const { userId } = vote.decision.by;
    if (people.includes(userId)) return without;
    if (!apart) return Math.max(without, best(others, [...people, userId], taken));
    const free = doors(policy, question, vote).filter((door) => door !== 'name' && !taken.includes(door));
    return Math.max(without, ...free.map((door) => best(others, [...people, userId], [...taken, door])));
  };
  return best(approvals, [], []);
}

/** How many people, and whether their groups must differ, by the card or by the policy, whichever is stricter. */
export function demands({ quorum, differentGroups }: Policy, question: Question) {
  const { risk } = question;
  const wanted = quorum[risk];
  return {
    people: Math.max(wanted, question.quorum.approvals),
    apart: question.quorum.differentGroups || (wanted > 1 && differentGroups.includes(risk)),
  };
}

/** Whether this vote must end it: anybody who may approve, or whoever asked for it. */
export function mustDeny(policy: Policy, question: Question, vote: Vote): boolean {
  return (
    vote.decision.kind === 'deny' &&
    aboutThis(question, vote) &&
    (vote.decision.by.userId === requester || doors(policy, question, vote).length > 0)
  );
}

function aboutThis(question: Question, { decision }: Vote): boolean {
  const ends = Math.max(...question.rounds.map(({ endsAt }) => endsAt));
  return (
    decision.approval === question.id &&
    decision.question === questionDigest(question) &&
    decision.at >= question.askedAt &&
    decision.at < ends
  );
}

/** Through what the person may approve this: `name`, or groups that they are in and that have a row. */
function doors({ rows }: Policy, { risk }: Question, { decision }: Vote): readonly string[] {
  const good = rows.filter(
    ({ aboutThisMachine, givesApprove, upTo }) =>
      aboutThisMachine &&
      givesApprove &&
      ['destructive', risk].concat(risk === 'reversible' ? ['disruptive'] : []).includes(upTo),
  );
  const byName = good.some(({ people }) => people.includes(decision.by.userId)) ? ['name'] : [];
  const groups = decision.groups.filter((group) => good.some((row) => row.groups.includes(group)));
  return [...byName, ...new Set(groups)];
}
