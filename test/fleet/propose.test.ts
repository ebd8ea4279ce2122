import { expect, test } from 'vitest';
import { actionDigest } from '../../src/fleet/action.ts';
import { questionDigest } from '../../src/fleet/approval.ts';
import { escalationFor } from '../../src/fleet/escalation-for.ts';
import type { Finding } from '../../src/fleet/finding.ts';
import type { Fleet } from '../../src/fleet/fleet.ts';
import { propose } from '../../src/fleet/propose.ts';
import { proposeByAgent } from '../../src/fleet/propose-by-agent.ts';
import { proposeByRule } from '../../src/fleet/propose-by-rule.ts';
import { questionForAct } from '../../src/fleet/question-for-act.ts';
import type { Proposal, Run } from '../../src/fleet/run.ts';
import { runSchema } from '../../src/fleet/run.ts';
import {
  askedAt,
  asking,
  checked,
  fleetToDecide,
  fullVar,
  machineOf,
  minute,
  runOf,
} from './approval-fixtures.ts';

const rules = `suggestions:
  - { check: disk, subject: /var, severity: critical, action: vacuum-journal, params: { size: 100M } }
  - { check: disk, subject: /var*, action: vacuum-journal }
  - { check: services, action: restart-service, params: { unit: '{subject}' } }
  - { check: services, machines: role=db, severity: warning, action: empty-cache }
  - { check: memory, action: set-swappiness, params: { value: '10' } }
approvals: { onCall: [S0CALL, U0NIGHT] }
`;
const fleet = fleetToDecide(rules);
const machine = machineOf(fleet);
const warnedVar: Finding = { ...fullVar, severity: 'warning', text: '/var is 85 % full' };
const fullHome: Finding = { severity: 'critical', subject: '/home', text: '/home is 99 % full', output: 0 };
const failed = (unit: string): Finding => ({
  severity: 'critical',
  subject: unit,
  text: `${unit} failed`,
  output: 0,
});

function servicesRun(...units: string[]): Run {
  return runOf({ kind: 'check', check: 'services' }, { findings: units.map(failed), verdict: 'critical' });
}

function said(comment: string, proposal?: Proposal): Partial<Run> {
  const talk = { activations: 1, toolCalls: [], contradictions: [], comment };
  return { diagnosis: { ...talk, ...(proposal && { proposal }) } };
}

const byRule = (run: Run, by: Fleet = fleet) => proposeByRule(by, machineOf(by), run, askedAt);
const proposed = (run: Run, by: Fleet = fleet) => propose(by, machineOf(by), run, askedAt);

test('a finding proposes the action of the first rule that fits it', () => {
  const run = checked([fullVar]);
  const argv = ['journalctl', '--vacuum-size=100M'];
  expect(byRule(run)).toEqual({
    id: 'a-000000000abc',
    run: 'r-000000000abc',
    machine: 'rhel-01',
    subject: {
      kind: 'action',
      action: 'vacuum-journal',
      params: { size: '100M' },
      argv,
      digest: actionDigest('rhel-01', argv),
      noUndo: 'Old log lines are gone for good.',
    },
    proposedBy: 'rule',
    why: '/var is 96 % full',
    risk: 'reversible',
    taints: [],
    requester: run.request.requester,
    quorum: { approvals: 1, differentGroups: false },
    askedAt,
    rounds: [
      {
        mention: ['S0OPS', 'S0DBA', 'S0WEB', 'U0BOSS'],
        remindAt: askedAt + 20 * minute,
        endsAt: askedAt + 30 * minute,
      },
    ],
  });
});

test('a rule fits from its severity on, and fills in defaults', () => {
  expect(byRule(checked([warnedVar]))?.subject).toMatchObject({ params: { size: '200M' } });
  expect(byRule(checked([{ ...warnedVar, severity: 'inconclusive' }]))).toBeUndefined();
  expect(byRule(checked([fullHome]))).toBeUndefined();
});

test('the worst finding comes first, in whatever order they were found', () => {
  const fullLog = { ...fullVar, subject: '/var/log', text: '/var/log is 97 % full' };
  expect(byRule(checked([warnedVar, fullLog]))).toMatchObject({ why: '/var/log is 97 % full' });
  const both = checked([warnedVar, fullVar]);
  expect(byRule(both)).toMatchObject({ why: '/var is 96 % full' });
});

test('text from the machine taints a parameter: its source is shown and the risk is one worse', () => {
  expect(byRule(servicesRun('nginx.service'))).toMatchObject({
    subject: { argv: ['systemctl', 'restart', 'nginx.service'] },
    risk: 'destructive',
    taints: [{ param: 'unit', value: 'nginx.service', source: 'nginx.service failed' }],
    quorum: { approvals: 2, differentGroups: true },
  });
});

test('what the catalogue does not allow is not asked; the next finding is', () => {
  expect(byRule(servicesRun('-evil'))).toBeUndefined();
  expect(byRule(servicesRun('other.service', 'redis.service'))).toMatchObject({
    subject: { params: { unit: 'redis.service' } },
  });
  expect(byRule(servicesRun('{unit}', '$&'))).toBeUndefined();
});

test('a rule for other machines, or for what this one is not authorised for, proposes nothing', () => {
  const unauthorised = { ...machine, actions: ['restart-service'] };
  expect(proposeByRule(fleet, unauthorised, checked([fullVar]), askedAt)).toBeUndefined();
  const only = { ...fleet, suggestions: fleet.suggestions.filter(({ action }) => action === 'empty-cache') };
  expect(byRule(servicesRun('nginx.service'), only)).toBeUndefined();
  const database = { ...machine, role: 'db' };
  expect(proposeByRule(only, database, servicesRun('nginx.service'), askedAt)?.risk).toBe('destructive');
});

test('an action whose precondition this check does not meet is not asked for', () => {
  const log = { ...fullVar, subject: '/var/log' };
  expect(byRule(checked([log]))).toBeUndefined();
  expect(byRule(checked([log, warnedVar]))).toMatchObject({ subject: { action: 'vacuum-journal' } });
});

test('the card shows how it is undone, as it would run', () => {
  const run = runOf(
    { kind: 'check', check: 'memory' },
    {
      findings: [{ severity: 'warning', subject: 'memory', text: 'swapping', output: 0 }],
      verdict: 'warning',
    },
  );
  const undo = {
    action: 'set-swappiness',
    params: { value: '60' },
    argv: ['sysctl', '-w', 'vm.swappiness=60'],
  };
  expect(byRule(run)?.subject).toMatchObject({ argv: ['sysctl', '-w', 'vm.swappiness=10'], undo });
});

test('what the agent proposes is asked with its words, every parameter of which is tainted', () => {
  const proposal = { action: 'vacuum-journal', params: { size: '100M' }, source: 'vacuum-journal size=100M' };
  const words = 'The journal fills /home.\n\nPROPOSE: vacuum-journal size=100M\nVERDICT: critical';
  expect(proposeByAgent(fleet, machine, checked([fullVar], said(words, proposal)), askedAt)).toMatchObject({
    proposedBy: 'agent',
    why: 'The journal fills /home.',
    risk: 'disruptive',
    taints: [{ param: 'size', value: '100M', source: 'vacuum-journal size=100M' }],
  });
  const asked = runOf(
    { kind: 'ask', question: 'Why is it full?' },
    { verdict: 'answered', ...said(words, proposal) },
  );
  expect(proposed(asked)).toMatchObject({ proposedBy: 'agent' });
  const long = checked([fullVar], said('x'.repeat(10_000), proposal));
  expect(proposeByAgent(fleet, machine, long, askedAt)?.why.length).toBeLessThan(700);
});

test('what it proposes is not asked where the machine has it no longer, or the evidence gives no reason for it', () => {
  const vacuum = { action: 'vacuum-journal', params: {}, source: 'vacuum-journal' };
  const homeOnly = checked([fullHome], said('', vacuum));
  expect(proposeByAgent(fleet, machine, homeOnly, askedAt)).toBeUndefined();
  const proposal = { action: 'gone', params: {}, source: 'gone' };
  expect(proposeByAgent(fleet, machine, checked([fullVar], said('', proposal)), askedAt)).toBeUndefined();
  expect(proposeByAgent(fleet, machine, checked([fullVar]), askedAt)).toBeUndefined();
});

test('rules come before the agent, and both before an escalation', () => {
  const proposal = { action: 'empty-cache', params: {}, source: 'empty-cache' };
  expect(proposed(checked([fullVar], said('', proposal)))).toMatchObject({ proposedBy: 'rule' });
  expect(proposed(checked([fullHome], said('', proposal)))).toMatchObject({
    proposedBy: 'agent',
    taints: [],
  });
  expect(proposed(checked([fullHome, warnedVar]))).toMatchObject({ subject: { action: 'vacuum-journal' } });
  expect(proposed(checked([fullHome]))).toMatchObject({
    subject: { kind: 'escalation', to: ['S0CALL', 'U0NIGHT'] },
    why: '/home is 99 % full',
    risk: 'reversible',
  });
});

test('an escalation names the worst, and needs somebody who is on call', () => {
  const many = Array.from({ length: 5 }, (_, index) => failed(`unit-${index}.service`));
  const run = checked([...many, warnedVar]);
  expect(escalationFor(fleet, machine, run, askedAt)?.why).toBe(
    'unit-0.service failed; unit-1.service failed; unit-2.service failed; and 2 more',
  );
  expect(escalationFor(fleetToDecide(), machine, run, askedAt)).toBeUndefined();
  expect(escalationFor(fleet, machine, checked([warnedVar]), askedAt)).toBeUndefined();
});

test('nothing is asked of a run that failed, was cancelled, found nothing out or nothing wrong, or has no seal', () => {
  const run = checked([fullVar]);
  expect(proposed(run)).toBeDefined();
  const { seal: _seal, ...unsealed } = run.request;
  expect(proposed({ ...run, request: unsealed })).toBeUndefined();
  expect(proposed({ ...run, cancellation: { userId: 'U0BOB', at: askedAt } })).toBeUndefined();
  expect(proposed({ ...run, failure: { code: 'locked', message: 'locked' } })).toBeUndefined();
  expect(proposed({ ...run, verdict: 'inconclusive' })).toBeUndefined();
  expect(proposed({ ...run, verdict: 'failed' })).toBeUndefined();
  const proposal = { action: 'empty-cache', params: {}, source: 'empty-cache' };
  expect(proposed({ ...run, findings: [], verdict: 'ok', ...said('', proposal) })).toBeUndefined();
  const { verdict: _verdict, ...unjudged } = run;
  expect(proposed(unjudged)).toBeUndefined();
});

test('a person asks for an action with what they typed', () => {
  const ask = (action: string, params: Record<string, string>) =>
    questionForAct(fleet, machine, runOf({ kind: 'act', action, params }), askedAt);
  expect(ask('restart-service', { unit: 'nginx.service' })).toMatchObject({
    proposedBy: 'person',
    why: 'U0ANN asked for it.',
    risk: 'disruptive',
    taints: [],
  });
  expect(ask('restart-service', {})).toEqual({
    problem: expect.stringContaining('restart-service: unit is missing'),
  });
  expect(ask('restart-servce', {})).toEqual({
    problem: 'rhel-01 has no action restart-servce. Did you mean restart-service?',
  });
  expect(ask('reboot', {})).toEqual({ problem: expect.stringContaining('There are: vacuum-journal,') });
});

test.each([
  [{ action: 'elsewhere', params: {} }, 'rhel-01 is not authorised for elsewhere, which would undo it.'],
  [
    { action: 'vacuum-journal', params: { size: '1G' } },
    'vacuum-journal cannot undo it: size cannot be "1G".',
  ],
])('an undo that this machine cannot run is no undo: %j', (undo, noUndo) => {
  const partly = {
    ...fleet,
    actions: new Map(
      [...fleet.actions].map(([name, action]) =>
        name === 'restart-service' ? [name, { ...action, undo }] : [name, action],
      ),
    ),
  };
  const run = runOf({ kind: 'act', action: 'restart-service', params: { unit: 'nginx.service' } });
  expect(questionForAct(partly, machine, run, askedAt)).toMatchObject({
    subject: { noUndo: expect.stringContaining(noUndo) },
  });
});

test('it is passed on to everybody in turn, but never to whoever asked', () => {
  const passing = fleetToDecide(
    'approvals: { expireMinutes: 1.5, remindMinutes: 0.5, passOn: [S0NEXT, U0ANN, U0LAST] }\n',
  );
  const run = runOf({ kind: 'act', action: 'vacuum-journal', params: {} });
  const question = questionForAct(passing, machine, run, askedAt);
  expect('rounds' in question ? question.rounds : question).toEqual([
    {
      mention: ['S0OPS', 'S0DBA', 'S0WEB', 'U0BOSS'],
      remindAt: askedAt + minute,
      endsAt: askedAt + 1.5 * minute,
    },
    { mention: ['S0NEXT'], remindAt: askedAt + 2.5 * minute, endsAt: askedAt + 3 * minute },
    { mention: ['U0LAST'], remindAt: askedAt + 4 * minute, endsAt: askedAt + 4.5 * minute },
  ]);
});

test('nobody is reminded who has no more time than a reminder comes before the end', () => {
  const hasty = fleetToDecide('approvals: { expireMinutes: 10, remindMinutes: 10, passOn: [S0NEXT] }\n');
  const run = runOf({ kind: 'act', action: 'vacuum-journal', params: {} });
  const question = questionForAct(hasty, machine, run, askedAt);
  expect('rounds' in question ? question.rounds : question).toMatchObject([
    { remindAt: askedAt + 10 * minute, endsAt: askedAt + 10 * minute },
    { remindAt: askedAt + 20 * minute, endsAt: askedAt + 20 * minute },
  ]);
});

test('at most five who may approve this are mentioned, groups before people', () => {
  const crowded = fleetToDecide(
    '',
    `access:
  - { people: [U0ANN, U01, U02, U03, U04], machines: all, verbs: all }
  - { groups: [S01, S02], machines: role=web, verbs: [approve] }
  - { groups: [S0DB], machines: role=db, verbs: [approve] }
  - { groups: [S0VIEW], machines: all, verbs: [view] }
`,
  );
  const mention = (action: string, params = {}) => {
    const question = questionForAct(crowded, machine, runOf({ kind: 'act', action, params }), askedAt);
    return 'rounds' in question ? question.rounds[0]?.mention : question;
  };
  expect(mention('vacuum-journal')).toEqual(['S01', 'S02', 'U01', 'U02', 'U03']);
  expect(mention('empty-cache')).toEqual([]);
});

test('a question is named by its digest, the same after it was stored', () => {
  const run = checked([fullVar]);
  const question = byRule(run);
  if (question === undefined) throw new Error('no rule fits');
  const stored = runSchema.parse(JSON.parse(JSON.stringify(asking(run, question))));
  expect(stored.approval?.question).toEqual(question);
  expect(stored.approval && questionDigest(stored.approval.question)).toBe(questionDigest(question));
  expect(questionDigest({ ...question, risk: 'disruptive' })).not.toBe(questionDigest(question));
});
