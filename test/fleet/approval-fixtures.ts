import {
  type ApprovalDecision,
  newApproval,
  type Question,
  questionDigest,
  type Vote,
} from '../../src/fleet/approval.ts';
import type { Finding } from '../../src/fleet/finding.ts';
import type { Fleet } from '../../src/fleet/fleet.ts';
import type { Machine } from '../../src/fleet/machine.ts';
import { questionForAct } from '../../src/fleet/question-for-act.ts';
import type { Task } from '../../src/fleet/request.ts';
import { moveRun, type Run } from '../../src/fleet/run.ts';
import { acceptedAt, sampleRun } from '../support/sample-run.ts';
import { fleetOfOne } from './fixtures.ts';

export const minute = 60_000;

/** When the questions of these fixtures are asked. */
export const askedAt = acceptedAt + minute;

export const catalogue = `actions:
  vacuum-journal:
    summary: Shrink the journal
    argv: [journalctl, '--vacuum-size={size}']
    params: { size: { type: choice, values: [100M, 200M], default: 200M } }
    risk: reversible
    precondition: { check: disk, subject: /var }
    verify: disk
    noUndo: Old log lines are gone for good.
  restart-service:
    summary: Restart a service
    argv: [systemctl, restart, '{unit}']
    params: { unit: { type: choice, values: [nginx.service, redis.service] } }
    risk: disruptive
    verify: services
    noUndo: It has been restarted.
  set-swappiness:
    summary: Set how eagerly memory is swapped out
    argv: [sysctl, '-w', 'vm.swappiness={value}']
    params: { value: { type: integer, min: 0, max: 100, default: 60 } }
    risk: reversible
    verify: memory
    undo: { action: set-swappiness, params: { value: '60' } }
  empty-cache:
    summary: Delete the package cache
    argv: [dnf, clean, all]
    risk: destructive
    verify: disk
    noUndo: What was in the cache is gone.
`;

const authorised = '    actions: [vacuum-journal, restart-service, set-swappiness, empty-cache]\n';

export const table = `access:
  - { groups: [S0OPS, S0DBA], machines: all, verbs: [act, approve], upTo: destructive }
  - { people: [U0BOSS], machines: all, verbs: [approve], upTo: destructive }
  - { groups: [S0WEB], machines: role=web, verbs: [approve] }
`;

/** rhel-01 (role web) with the catalogue above, these rules and this access table. */
export function fleetToDecide(rules = '', access = table): Fleet {
  return fleetOfOne(`    role: web\n${authorised}`, `${access}${catalogue}${rules}`);
}

export function machineOf(fleet: Fleet): Machine {
  const machine = fleet.machines.get('rhel-01');
  if (machine === undefined) throw new Error('the fixture has lost its machine');
  return machine;
}

/** A run of rhel-01 with this task, asked for by U0ANN, sealed, and still gathering. */
export function runOf(task: Task, changes: Partial<Run> = {}): Run {
  const run = sampleRun('r-000000000abc', 'gathering', changes);
  return { ...run, request: { ...run.request, machine: 'rhel-01', task, seal: 'a seal' } };
}

/** A run that did the check and found this. */
export function checked(findings: readonly Finding[], changes: Partial<Run> = {}): Run {
  const verdict = findings.some(({ severity }) => severity === 'critical') ? 'critical' : 'warning';
  return runOf({ kind: 'check', check: 'disk' }, { findings: [...findings], verdict, ...changes });
}

export const fullVar: Finding = {
  severity: 'critical',
  subject: '/var',
  text: '/var is 96 % full',
  output: 0,
};

/** The run after people were asked. */
export function asking(run: Run, question: Question): Run {
  return moveRun(run, 'awaiting', question.askedAt, { approval: newApproval(question) });
}

/** A run of U0ANN that waits for people to decide about this action. */
export function awaiting(fleet: Fleet, action: string, params: Record<string, string> = {}): Run {
  const run = runOf({ kind: 'act', action, params });
  const question = questionForAct(fleet, machineOf(fleet), run, askedAt);
  if ('problem' in question) throw new Error(question.problem);
  return asking(run, question);
}

export function questionOf(run: Run): Question {
  if (run.approval === undefined) throw new Error('nobody was asked');
  return run.approval.question;
}

/** A person's click on the run's card, a minute after it was asked. */
export function click(
  run: Run,
  kind: 'approve' | 'deny',
  userId: string,
  groups: readonly string[] = [],
  changes: Partial<ApprovalDecision> = {},
): Vote {
  const question = questionOf(run);
  const decision: ApprovalDecision = {
    approval: question.id,
    question: questionDigest(question),
    kind,
    by: { kind: 'person', userId, teamId: 'T0TEAM' },
    groups: [...groups],
    at: askedAt + minute,
    eventId: `${kind} by ${userId}`,
    ...changes,
  };
  return { decision, signature: 'a signature' };
}
