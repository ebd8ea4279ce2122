import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { actionDigest } from '../../src/fleet/action.ts';
import { approvalIdOf } from '../../src/fleet/approval.ts';
import { capsuleNamespace, capsuleSchema } from '../../src/fleet/capsule.ts';
import { createSeals } from '../../src/fleet/create-seals.ts';
import type { Run } from '../../src/fleet/run.ts';
import { signerOf } from '../../src/fleet/ssh-signature.ts';
import { type SigningMeans, signCapsule } from '../../src/signer/sign-capsule.ts';
import {
  type ApprovedRun,
  approvedRun,
  askedOtherwise,
  askFor,
  byRule,
  capsuleKey,
  changedFleet,
  destructive,
  fleetOf,
  means,
  newKey,
  now,
  person,
  sealed,
  voteOn,
} from './approved-run.ts';

const minuteMs = 60_000;

/** What the signer makes of it; `undefined` where it signs. */
function refusalOf(run: Run, changes: Partial<SigningMeans> = {}): string | undefined {
  const reply = signCapsule(askFor(run), run, means(changes));
  return 'refused' in reply ? reply.refused : undefined;
}

function withVotes(run: ApprovedRun, votes: ApprovedRun['approval']['votes']): ApprovedRun {
  return { ...run, approval: { ...run.approval, votes } };
}

describe('what was approved', () => {
  it('is signed: exactly that, for that machine and fence, for a short time', () => {
    const run = approvedRun();
    const reply = signCapsule(askFor(run), run, means());
    if ('refused' in reply) throw new Error(reply.refused);
    const { capsule, signature } = reply.signed;
    expect(capsuleSchema.parse(JSON.parse(capsule))).toEqual({
      version: 1,
      id: approvalIdOf(run.id),
      machine: 'web-01',
      fence: 7,
      run: run.id,
      traceparent: askFor(run).traceparent,
      action: 'vacuum-journal',
      argv: ['journalctl', '--vacuum-size=200M'],
      digest: actionDigest('web-01', ['journalctl', '--vacuum-size=200M']),
      requestedBy: 'U0ANN',
      approvedBy: ['U0BOB'],
      signedAt: now,
      expiresAt: now + 2 * minuteMs,
    });
    const publicKey = createPublicKey(capsuleKey);
    expect(signerOf([publicKey], capsuleNamespace, capsule, signature)).toBe(publicKey);
  });

  it('is signed when a rule proposed it, and when two had to agree', () => {
    expect(refusalOf(approvedRun(byRule))).toBeUndefined();
    expect(refusalOf(approvedRun(destructive))).toBeUndefined();
  });

  it('is signed when the agent proposed it, at the risk that this has', () => {
    const wish = {
      action: 'vacuum-journal',
      params: { size: '100M' },
      proposedBy: 'agent',
      why: 'It is full.',
    };
    const taints = [{ param: 'size', value: '100M', source: 'PROPOSE: vacuum-journal size=100M' }];
    const byAgent = {
      ...byRule,
      wish: { ...wish, proposedBy: 'agent', taints },
      votes: destructive.votes,
    } as const;
    expect(refusalOf(approvedRun(byAgent))).toBeUndefined();
    expect(refusalOf(approvedRun({ ...byAgent, votes: [{ by: person('U0BOB') }] }))).toContain(
      'not approved',
    );
  });
});

it('nothing is signed that another machine’s supervisor asked for, even were it sealed and approved', () => {
  const trace = { traceId: 'c'.repeat(32), rootSpanId: 'd'.repeat(16) };
  const requester = { kind: 'supervisor', machine: 'web-02', run: 'r-first', hops: 1, trace } as const;
  for (const wish of [{}, byRule])
    expect(refusalOf(approvedRun({ ...wish, requester }))).toBe(
      'The supervisor of web-02 asked for it, and a supervisor may ask for checks only.',
    );
});

describe('a decision', () => {
  const run = approvedRun();
  const { question, votes } = run.approval;

  it('that was written straight into Redis, unsigned, is none', () => {
    const [vote] = votes;
    const decision = { ...voteOn(question).decision, ...vote?.decision };
    expect(refusalOf(withVotes(run, [{ decision, signature: '' }]))).toMatch(/U0BOB is not signed by a bot/);
  });

  it('that another key signed is none', () => {
    const { decision } = voteOn(question);
    const forged = { decision, signature: createSeals(newKey()).decision(decision) };
    expect(refusalOf(withVotes(run, [forged]))).toMatch(/not signed by a bot/);
  });

  it('that was changed after it was signed is none', () => {
    const denied = voteOn(question, { kind: 'deny' });
    const turned = { ...denied, decision: { ...denied.decision, kind: 'approve' } } as const;
    expect(refusalOf(withVotes(run, [turned]))).toMatch(/not signed by a bot/);
  });

  it.each([
    ['another run', approvedRun({ id: 'r-00000000000b' })],
    ['another machine', approvedRun({ machine: 'web-02' })],
    ['another question of the same run', askedOtherwise(run, { why: 'It is fun.' })],
  ])('about %s does not count', (_what, other) => {
    expect(refusalOf(other)).toBeUndefined();
    expect(refusalOf(withVotes(run, other.approval.votes))).toMatch(/not approved: One person must approve/);
  });

  it('of whoever asked does not count', () => {
    expect(refusalOf(withVotes(run, [voteOn(question, { by: person('U0ANN') })]))).toMatch(/not approved/);
  });

  it('that denies outweighs all that approve', () => {
    const denial = voteOn(question, { by: person('U0CLEO'), groups: ['S0OPS'], kind: 'deny' });
    expect(refusalOf(withVotes(run, [...votes, denial]))).toBe('It was denied.');
  });

  it('of one does not become two, nor do two of one group where groups must differ', () => {
    const two = approvedRun(destructive);
    const [first] = two.approval.votes;
    expect(refusalOf(withVotes(two, first ? [first] : []))).toMatch(/One more person must approve/);
    expect(refusalOf(withVotes(two, first ? [first, first] : []))).toMatch(/One more person must approve/);
    const bothOps = destructive.votes.map((vote) => ({ ...vote, groups: ['S0OPS'] }));
    expect(refusalOf(approvedRun({ ...destructive, votes: bothOps }))).toMatch(
      /One more person must approve/,
    );
  });

  it('that came after the end, or before the question, does not count', () => {
    const late = {
      ...question,
      rounds: question.rounds.map((round) => ({ ...round, endsAt: now - 5 * minuteMs })),
    };
    expect(refusalOf(askedOtherwise(run, { rounds: late.rounds }))).toMatch(/not approved/);
    expect(refusalOf(askedOtherwise(run, { askedAt: now - minuteMs }))).toMatch(/not approved/);
  });

  it('holds for as long as the fleet file says, whatever else was decided since', () => {
    const at = now - 60 * minuteMs;
    const old = approvedRun({ acceptedAt: at - 5 * minuteMs, votes: [{ by: person('U0BOB'), at }] });
    expect(refusalOf(old)).toBeUndefined();
    expect(refusalOf(old, { now: now + 1 })).toMatch(/approved more than 60 minutes ago/);
    const fresh = voteOn(question, { by: person('U0CLEO'), groups: ['S0OPS'] });
    expect(refusalOf(withVotes(old, [...old.approval.votes, fresh]), { now: now + 1 })).toMatch(
      /more than 60/,
    );
    const hasty = changedFleet('access:', 'approvals: { validMinutes: 2 }\naccess:');
    expect(refusalOf(run, { fleet: hasty })).toMatch(/approved more than 2 minutes ago/);
  });

  it('cannot be of the future, but for what clocks differ', () => {
    const ahead = (ms: number) => approvedRun({ votes: [{ by: person('U0BOB'), at: now + ms }] });
    expect(refusalOf(ahead(minuteMs))).toBeUndefined();
    expect(refusalOf(ahead(minuteMs + 1))).toMatch(/A decision is from the future/);
  });
});

describe('a worker that asks for what nobody approved', () => {
  it('gets nothing for a run that asked nobody', () => {
    const { approval: _, ...run } = approvedRun();
    expect(refusalOf(run)).toMatch(/Nobody was asked/);
    expect(refusalOf(withVotes(approvedRun(), []))).toMatch(/not approved/);
  });

  it('gets nothing for another run or machine than the record is of', () => {
    const run = approvedRun();
    for (const wrong of [{ run: 'r-00000000000b' }, { machine: 'web-02' }]) {
      const reply = signCapsule(askFor(run, wrong), run, means());
      expect(reply).toEqual({ refused: expect.stringContaining('The record is that of') });
    }
  });

  it('gets nothing for the question of another run or machine, so that an approval is used once', () => {
    const run = approvedRun();
    const others = [{ id: approvalIdOf('r-00000000000b') }, { run: 'r-00000000000b' }, { machine: 'web-02' }];
    for (const other of others)
      expect(refusalOf(askedOtherwise(run, other))).toMatch(/question in the record/);
    const moved = { ...run, id: 'r-00000000000b' };
    expect(refusalOf(moved)).toMatch(/question in the record/);
  });

  it.each(['awaiting', 'acting', 'done'] as const)('gets nothing for a run that is %s', (state) => {
    expect(refusalOf({ ...approvedRun(), state })).toMatch(/It is not approved: the run is/);
  });

  it('gets nothing for what was denied, ran out, or was cancelled', () => {
    const run = approvedRun();
    for (const state of ['waiting', 'denied', 'expired', 'cancelled'] as const) {
      expect(refusalOf({ ...run, approval: { ...run.approval, state } })).toMatch(/It is not approved/);
    }
    expect(refusalOf({ ...run, cancellation: { userId: 'U0BOB', at: now } })).toBe('It was cancelled.');
  });

  it('gets nothing for an escalation', () => {
    const run = askedOtherwise(approvedRun(byRule), { subject: { kind: 'escalation', to: ['U0DUTY'] } });
    expect(refusalOf(run)).toMatch(/asked to escalate, not for an action/);
  });
});

describe('a request', () => {
  const run = approvedRun();
  const requestOf = (changes: Partial<Run['request']>) => ({
    ...run,
    request: { ...run.request, ...changes },
  });

  it.each([
    ['without a seal', requestOf({ seal: undefined } as object)],
    ['with the seal of another key', requestOf({ seal: createSeals(newKey()).request(run.request) })],
    ['with a decision’s signature as its seal', requestOf({ seal: run.approval.votes[0]?.signature ?? '' })],
    ['with another requester than was sealed', requestOf({ requester: person('U0EVE') })],
    [
      'with other parameters than were sealed',
      requestOf({ task: { kind: 'act', action: 'vacuum-journal', params: { size: '100M' } } }),
    ],
    ['that is younger than was sealed', requestOf({ acceptedAt: run.request.acceptedAt + 1 })],
  ])('%s leads to nothing', (_case, forged) => {
    expect(refusalOf(forged)).toMatch(/The request is not sealed/);
  });

  it('leads to nothing once it is too old, however fresh the votes are', () => {
    const age = now - run.request.acceptedAt;
    expect(refusalOf(run, { requestMaxAgeMs: age })).toBeUndefined();
    expect(refusalOf(run, { requestMaxAgeMs: age - 1 })).toMatch(/The request is older than/);
  });

  it('leads to nothing where it is of the future', () => {
    const of = (acceptedAt: number) => ({ ...run, request: sealed({ ...run.request, acceptedAt }) });
    expect(refusalOf(of(now + minuteMs))).toBeUndefined();
    expect(refusalOf(of(now + minuteMs + 1))).toMatch(/The request is from the future/);
  });

  it('names the one who asked, who cannot be swapped so as to approve their own', () => {
    const swapped = askedOtherwise(approvedRun({ votes: [{ by: person('U0ANN') }] }), {
      requester: person('U0EVE'),
    });
    expect(refusalOf(swapped)).toMatch(/names U0EVE as the one who asked, but U0ANN did/);
  });

  it('for an action leads to that action alone, with those parameters', () => {
    const other = approvedRun({ wish: { ...destructive.wish }, votes: destructive.votes });
    expect(refusalOf(other)).toMatch(/another action than the one that was asked for/);
    const params = approvedRun({ task: { kind: 'act', action: 'vacuum-journal', params: { size: '100M' } } });
    expect(refusalOf(params)).toMatch(/another action than the one that was asked for/);
    const sameByDefault = { kind: 'act', action: 'vacuum-journal', params: { size: '200M' } } as const;
    expect(refusalOf(approvedRun({ task: sameByDefault }))).toBeUndefined();
  });

  it('for a check is no person’s request for an action, nor the other way round', () => {
    expect(refusalOf(approvedRun({ task: byRule.task }))).toMatch(/says that a person proposed it/);
    expect(refusalOf(approvedRun({ wish: byRule.wish }))).toMatch(/says that a rule proposed it/);
  });
});

describe('the signer’s own fleet file', () => {
  const run = approvedRun();

  it.each([
    [
      'the machine is not in it',
      changedFleet(/ {2}- \{ name: web-01.*\n/, ''),
      /vacuum-journal may not run on web-01/,
    ],
    [
      'it does not authorise the machine',
      changedFleet('actions: [vacuum-journal, restart', 'actions: [restart'),
      /may not run on web-01/,
    ],
    ['it has another command', changedFleet('--vacuum-size', '--vacuum-time'), /is something else/],
    [
      'it does not allow the value any more',
      changedFleet('[100M, 200M], default: 200M', '[100M], default: 100M'),
      /size cannot be "200M"/,
    ],
    [
      'it thinks it more harmful',
      changedFleet('risk: reversible', 'risk: disruptive'),
      /It is disruptive, but people were told that it is reversible/,
    ],
    [
      'it says otherwise how it is taken back',
      changedFleet('noUndo: What', 'noUndo: All that'),
      /is something else/,
    ],
    [
      'it does not let the approver approve',
      changedFleet('[U0BOB], machines: all', '[U0BOB], machines: web-02'),
      /not approved/,
    ],
    [
      'it wants more people',
      changedFleet('access:', 'approvals: { quorum: { reversible: 2 } }\naccess:'),
      /One more person must approve/,
    ],
    [
      'it does not let who asked ask',
      changedFleet('verbs: [check, act, approve]', 'verbs: [check, approve]'),
      /U0ANN may not ask for vacuum-journal on web-01/,
    ],
  ])('counts where %s', (_case, fleet, says) => {
    expect(refusalOf(run, { fleet })).toMatch(says);
  });

  it('counts, not what the record says of command, digest, undo, risk, or how many must agree', () => {
    const { subject } = run.approval.question;
    if (subject.kind !== 'action') throw new Error('no action');
    for (const wrong of [
      { argv: ['journalctl', '--vacuum-size=1K'] },
      { digest: 'f'.repeat(64) },
      { params: { size: '100M' } },
      { noUndo: 'Nothing is lost.' },
    ]) {
      expect(refusalOf(askedOtherwise(run, { subject: { ...subject, ...wrong } }))).toMatch(
        /is something else/,
      );
    }
    const two = approvedRun(destructive);
    expect(refusalOf(askedOtherwise(two, { risk: 'reversible' }))).toMatch(
      /It is destructive, but people were told/,
    );
    const one = { approvals: 1, differentGroups: false };
    const alone = withVotes(two, two.approval.votes.slice(0, 1));
    expect(refusalOf(askedOtherwise(alone, { quorum: one }))).toMatch(/One more person must approve/);
  });

  it('gives a right to people through the groups that they were in when they decided', () => {
    const by = person('U0CLEO');
    expect(refusalOf(approvedRun({ votes: [{ by, groups: ['S0OPS'] }] }))).toBeUndefined();
    expect(refusalOf(approvedRun({ votes: [{ by, groups: [] }] }))).toMatch(/not approved/);
  });

  it('lets ask whoever may by name, or by a group that they could be in', () => {
    const other = { requester: person('U0EVE') };
    expect(refusalOf(approvedRun(other))).toMatch(/U0EVE may not ask/);
    const fleet = changedFleet('access:', 'access:\n  - { groups: [S0DEV], machines: all, verbs: [act] }');
    expect(refusalOf(approvedRun(other), { fleet })).toBeUndefined();
  });
});

describe('a parameter that a machine or a model wrote', () => {
  const untold = (run: ApprovedRun) => askedOtherwise(run, { taints: [], risk: 'reversible' });
  const wish = { ...byRule.wish, proposedBy: 'agent' } as const;

  it('makes the risk one worse, also where the record does not tell of it', () => {
    expect(refusalOf(untold(approvedRun({ ...byRule, wish })))).toMatch(
      /It is disruptive, but people were told/,
    );
    const notInARule = { ...byRule.wish, params: { size: '100M' } };
    const fleet = changedFleet('size: 100M', 'size: 200M');
    expect(refusalOf(approvedRun({ ...byRule, wish: notInARule }), { fleet })).toMatch(/It is disruptive/);
    const ofOthers = changedFleet('{ check: disk,', '{ check: disk, machines: web-02,');
    expect(refusalOf(approvedRun(byRule), { fleet: ofOthers })).toMatch(/It is disruptive/);
    const afterAnotherCheck = changedFleet('{ check: disk,', '{ check: memory,');
    expect(refusalOf(approvedRun(byRule), { fleet: afterAnotherCheck })).toMatch(/It is disruptive/);
    const afterAQuestion = { ...byRule, task: { kind: 'ask', question: 'Is it full?' } } as const;
    expect(refusalOf(approvedRun(afterAQuestion))).toMatch(/It is disruptive/);
    const suggestions = fleetOf().suggestions.map((each) => ({ ...each, action: 'restart-service' }));
    const ofAnother = { ...fleetOf(), suggestions };
    expect(refusalOf(approvedRun(byRule), { fleet: ofAnother })).toMatch(/It is disruptive/);
  });

  it('makes it worse where the record tells of it, whatever it is', () => {
    const taints = [{ param: 'size', value: '100M', source: 'a line' }];
    expect(refusalOf(askedOtherwise(approvedRun(byRule), { taints }))).toMatch(/It is disruptive/);
  });

  it('does not where it is what is used anyway', () => {
    const byDefault = approvedRun({ ...byRule, wish: { ...wish, params: {} } });
    expect(refusalOf(untold(byDefault))).toBeUndefined();
  });
});

describe('the bots’ keys', () => {
  it('are several while one takes the place of another, and none of a bot that is not known', () => {
    const run = approvedRun();
    expect(refusalOf(run)).toBeUndefined();
    expect(refusalOf(run, { decisionKeys: [createPublicKey(newKey())] })).toMatch(/not sealed by a bot/);
    expect(refusalOf(run, { decisionKeys: [] })).toMatch(/not sealed by a bot/);
  });
});

it('a question that was changed after people decided has no votes', () => {
  const run = approvedRun();
  const { question } = run.approval;
  for (const change of [
    { why: 'It is fun.' },
    { askedAt: question.askedAt + 1 },
    { rounds: [...question.rounds, ...question.rounds] },
  ]) {
    const changed = { ...run.approval, question: { ...question, ...change } };
    expect(refusalOf({ ...run, approval: changed })).toMatch(/not approved/);
  }
});
