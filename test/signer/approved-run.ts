import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { Approval, ApprovalDecision, Question, Vote } from '../../src/fleet/approval.ts';
import { questionDigest } from '../../src/fleet/approval.ts';
import { createSeals } from '../../src/fleet/create-seals.ts';
import type { Fleet } from '../../src/fleet/fleet.ts';
import { loadFleet } from '../../src/fleet/load-fleet.ts';
import { questionFor, type Wish } from '../../src/fleet/question-for.ts';
import type { Request, Task } from '../../src/fleet/request.ts';
import type { PersonRef, Requester } from '../../src/fleet/requester.ts';
import type { Run } from '../../src/fleet/run.ts';
import { newSigningKeyPair } from '../../src/fleet/signing-key.ts';
import type { SigningAsk } from '../../src/signer/ports.ts';
import type { SigningMeans } from '../../src/signer/sign-capsule.ts';
import { hostKey } from '../fleet/fixtures.ts';
import { sampleRun } from '../support/sample-run.ts';

export const now = Date.parse('2026-11-22T10:10:00Z');
const minuteMs = 60_000;

export const newKey = (): KeyObject => createPrivateKey(newSigningKeyPair().privateKey);
export const botKey = newKey();
export const capsuleKey = newKey();

/** Ann asks; Bob approves what is reversible by name, Cleo and Dora all of it by their groups. */
export const fleetFile = `version: 1
machines:
  - { name: web-01, address: web-01.test, hostKey: ${hostKey(1)}, actions: [vacuum-journal, restart-service, wipe-cache] }
  - { name: web-02, address: web-02.test, hostKey: ${hostKey(2)}, actions: [vacuum-journal, restart-service] }
actions:
  vacuum-journal:
    summary: Shrink the journal
    argv: [journalctl, '--vacuum-size={size}']
    params: { size: { type: choice, values: [100M, 200M], default: 200M } }
    risk: reversible
    verify: disk
    noUndo: What is deleted is gone.
  restart-service:
    summary: Restart a service
    argv: [systemctl, restart, '{unit}']
    params: { unit: { type: choice, values: [nginx.service, cron.service] } }
    risk: disruptive
    verify: services
    noUndo: It runs again already.
  wipe-cache:
    summary: Empty the cache
    argv: [rm, -r, /var/cache/app]
    risk: destructive
    verify: disk
    noUndo: What is deleted is gone.
suggestions:
  - { check: disk, action: vacuum-journal, params: { size: 100M } }
  - { check: services, action: restart-service, params: { unit: '{subject}' } }
access:
  - { people: [U0ANN], machines: all, verbs: [check, act, approve], upTo: destructive }
  - { people: [U0BOB], machines: all, verbs: [approve] }
  - { groups: [S0OPS], machines: all, verbs: [approve], upTo: destructive }
  - { groups: [S0SEC], machines: all, verbs: [approve], upTo: destructive }
`;

export const fleetOf = (text = fleetFile): Fleet => loadFleet(text, 'fleet.yaml');

/** The fleet file with something else in the place of what must be there. */
export function changedFleet(from: string | RegExp, to: string): Fleet {
  const changed = fleetFile.replace(from, to);
  if (changed === fleetFile) throw new Error(`the fleet file does not hold ${from}`);
  return fleetOf(changed);
}

export const person = (userId: string): PersonRef => ({ kind: 'person', userId, teamId: 'T0TEAM' });

export function means(changes: Partial<SigningMeans> = {}): SigningMeans {
  return {
    fleet: fleetOf(),
    decisionKeys: [createPublicKey(newKey()), createPublicKey(botKey)],
    capsuleKey,
    now,
    requestMaxAgeMs: 24 * 60 * minuteMs,
    capsuleLifetimeMs: 2 * minuteMs,
    ...changes,
  };
}

export interface Asked {
  readonly id: string;
  readonly machine: string;
  readonly requester: Requester;
  readonly task: Task;
  readonly wish: Wish;
  readonly votes: readonly Partial<ApprovalDecision>[];
  readonly acceptedAt: number;
}

const asked: Asked = {
  id: 'r-00000000000a',
  machine: 'web-01',
  requester: person('U0ANN'),
  task: { kind: 'act', action: 'vacuum-journal', params: {} },
  wish: { action: 'vacuum-journal', params: {}, proposedBy: 'person', why: 'Ann asks for it.', taints: [] },
  votes: [{ by: person('U0BOB') }],
  acceptedAt: now - 10 * minuteMs,
};

/** Asked for by the disk check's rule. */
export const byRule = {
  task: { kind: 'check', check: 'disk' },
  wish: { ...asked.wish, params: { size: '100M' }, proposedBy: 'rule' },
} as const;

/** What two of different groups must approve. */
export const destructive = {
  task: { kind: 'act', action: 'wipe-cache', params: {} },
  wish: { ...asked.wish, action: 'wipe-cache' },
  votes: [
    { by: person('U0CLEO'), groups: ['S0OPS'] },
    { by: person('U0DORA'), groups: ['S0SEC'] },
  ],
} satisfies Partial<Asked>;

/** A run that Ann asked for and Bob approved, three minutes ago: sealed and signed by the bot, without a fault. */
export function approvedRun(changes: Partial<Asked> = {}, fleet = fleetOf()): ApprovedRun {
  const { id, machine: name, requester, task, wish, votes, acceptedAt } = { ...asked, ...changes };
  const machine = fleet.machines.get(name);
  if (machine === undefined) throw new Error(`no machine ${name}`);
  const run = sampleRun(id, 'approved');
  const request = sealed({ ...run.request, machine: name, task, requester, acceptedAt });
  const question = questionFor(fleet, machine, { id, request }, wish, acceptedAt + minuteMs);
  if ('problem' in question) throw new Error(question.problem);
  const approval: Approval = {
    ...{ question, state: 'approved', round: 0, reminded: false },
    votes: votes.map((vote) => voteOn(question, vote)),
  };
  return { ...run, request, approval };
}

export type ApprovedRun = Run & { readonly approval: Approval };

/** The request with the bot's seal. */
export function sealed(request: Request): Request {
  return { ...request, seal: createSeals(botKey).request(request) };
}

/** A vote with the bot's signature. */
export function voteOn(question: Question, changes: Partial<ApprovalDecision> = {}): Vote {
  const decision: ApprovalDecision = {
    approval: question.id,
    question: questionDigest(question),
    kind: 'approve',
    by: person('U0BOB'),
    groups: [],
    at: now - 3 * minuteMs,
    eventId: `click-${changes.by?.userId}`,
    ...changes,
  };
  return { decision, signature: createSeals(botKey).decision(decision) };
}

/** The run as somebody who can write to Redis leaves it: another question, voted on by the same people for real. */
export function askedOtherwise(run: ApprovedRun, changes: Partial<Question>): ApprovedRun {
  const question = { ...run.approval.question, ...changes };
  const votes = run.approval.votes.map(({ decision: { by, groups } }) => voteOn(question, { by, groups }));
  return { ...run, approval: { ...run.approval, question, votes } };
}

export function askFor(run: Run, changes: Partial<SigningAsk> = {}): SigningAsk {
  const traceparent = `00-${run.trace.traceId}-${run.trace.rootSpanId}-01`;
  return { id: 'ask-1', run: run.id, machine: run.request.machine, fence: 7, traceparent, ...changes };
}
