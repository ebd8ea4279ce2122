import { describe, expect, it } from 'vitest';
import type { Fleet } from '../../src/fleet/fleet.ts';
import { peersFor, troublesOf } from '../../src/fleet/peers.ts';
import { propose } from '../../src/fleet/propose.ts';
import type { Run } from '../../src/fleet/run.ts';
import { taskMessage } from '../../src/fleet/task-message.ts';
import { askedRun, kernelFinding, kernelRun, machineIn, peerFleet } from './peer-fixtures.ts';

const sameRole = peerFleet('{ rules: [{ check: kernel, same: role }] }');

const asked = (fleet: Fleet, run: Run) =>
  peersFor(fleet, machineIn(fleet, run.request.machine), run).map(({ name }) => name);

const said = (comment: string): Partial<Run> => ({
  diagnosis: { activations: 1, comment, toolCalls: [], contradictions: [] },
});

describe('by the rules of the fleet file', () => {
  it('those with the same role or label are asked, as far as they have the check', () => {
    expect(asked(sameRole, kernelRun('r-1', 'web-01'))).toEqual(['web-02', 'web-03']);
    const sameSite = peerFleet('{ rules: [{ check: kernel, same: site }] }');
    expect(asked(sameSite, kernelRun('r-1', 'web-01'))).toEqual(['web-02', 'db-01']);
  });

  it('machines without the label have nothing in common', () => {
    const machines = ['name: a', 'name: b', 'name: c, labels: { site: berlin }'];
    const fleet = peerFleet('{ rules: [{ check: kernel, same: site }] }', machines);
    expect(asked(fleet, kernelRun('r-1', 'a'))).toEqual([]);
  });

  it('a rule may name whom to ask, instead or beside what they have in common', () => {
    const among = peerFleet('{ rules: [{ check: kernel, among: "db-*,web-03" }] }');
    expect(asked(among, kernelRun('r-1', 'web-01'))).toEqual(['web-03', 'db-01']);
    const both = peerFleet('{ rules: [{ check: kernel, same: site, among: "db-*,web-03" }] }');
    expect(asked(both, kernelRun('r-1', 'web-01'))).toEqual(['db-01']);
  });

  it.each([
    ['another check', '{ check: memory, same: role }'],
    ['another subject', '{ check: kernel, same: role, subject: "I/O*" }'],
    ['a worse severity', '{ check: kernel, same: role, severity: critical }'],
    ['other machines', '{ check: kernel, same: role, machines: "db-*" }'],
  ])('a rule for %s asks nobody', (_for, rule) => {
    expect(asked(peerFleet(`{ rules: [${rule}] }`), kernelRun('r-1', 'web-01'))).toEqual([]);
  });

  it('each machine is asked once, whatever rules want it', () => {
    const fleet = peerFleet(
      '{ rules: [{ check: kernel, among: db-01 }, { check: kernel, among: "web-*,db-*" }] }',
    );
    expect(asked(fleet, kernelRun('r-1', 'web-01'))).toEqual(['db-01', 'web-02', 'web-03']);
  });
});

describe('nobody is asked', () => {
  it.each<[string, Partial<Run>]>([
    ['failed', { failure: { code: 'unreachable', message: 'It is away.' } }],
    ['was cancelled', { cancellation: { userId: 'U1', at: 1 } }],
    ['was held back', { withheld: { moment: 'escalation', kind: 'silenced', reason: 'silenced' } }],
    ['found nothing', { findings: [{ ...kernelFinding, severity: 'ok' }], verdict: 'ok' }],
    ['could find nothing out', { findings: [{ ...kernelFinding, severity: 'inconclusive' }] }],
  ])('by a run that %s', (_what, changes) => {
    expect(asked(sameRole, kernelRun('r-1', 'web-01', changes))).toEqual([]);
  });

  it('by a question of a person, which is no check', () => {
    const run = kernelRun('r-1', 'web-01');
    const task = { kind: 'ask', question: 'Is the kernel well?' } as const;
    expect(asked(sameRole, { ...run, request: { ...run.request, task } })).toEqual([]);
  });

  it('by one that was asked itself, unless questions may be passed on; then never the one that asked', () => {
    const run = askedRun('r-2', 'web-02', { machine: 'web-01', hops: 1 });
    expect(asked(sameRole, run)).toEqual([]);
    const twice = peerFleet('{ rules: [{ check: kernel, same: role }], hops: 2 }');
    expect(asked(twice, run)).toEqual(['web-03']);
    expect(asked(twice, askedRun('r-3', 'web-03', { machine: 'web-02', hops: 2 }))).toEqual([]);
  });
});

describe('on the word of the agent', () => {
  const fleet = peerFleet('{ agentsMayAskSame: role }');

  it('machines with the same role are asked, whatever else it names', () => {
    const run = kernelRun(
      'r-1',
      'web-01',
      said('It may be the new kernel.\nPEERS: web-*,db-01\nVERDICT: warning'),
    );
    expect(asked(fleet, run)).toEqual(['web-02', 'web-03']);
    expect(asked(fleet, kernelRun('r-1', 'web-01', said('PEERS: all')))).toEqual(['web-02', 'web-03']);
  });

  it.each([
    ['**PEERS: web-02**', ['web-02']],
    ['**PEERS:** web-0*', ['web-02', 'web-03']],
    ['- PEERS: `*-03`', ['web-03']],
    ['* **PEERS**: web-*', ['web-02', 'web-03']],
    ['> peers: "web-*"', ['web-02', 'web-03']],
    ['PEERS: web-02\nVERDICT: warning', ['web-02']],
  ])('the Markdown around the line is no part of the selector: %s', (comment, machines) => {
    expect(asked(fleet, kernelRun('r-1', 'web-01', said(comment)))).toEqual(machines);
  });

  it.each([
    ['quoted before other words', 'The log says:\nPEERS: web-02\nwhich is odd.'],
    ['within a sentence', 'Write PEERS: web-02 to have it checked.'],
    ['no selector', 'PEERS: web 02 please!'],
    ['nobody', 'PEERS: none'],
    ['in a line that is too long', `PEERS: ${'web-02,'.repeat(100)}web-02`],
  ])('%s is only talk', (_what, comment) => {
    expect(asked(fleet, kernelRun('r-1', 'web-01', said(comment)))).toEqual([]);
  });

  it('nobody is asked where the fleet file gives agents no say', () => {
    const run = kernelRun('r-1', 'web-01', said('PEERS: web-02'));
    expect(asked(peerFleet('{ rules: [{ check: kernel, among: db-01 }] }'), run)).toEqual(['db-01']);
  });

  it('it is told of the line only where it has a say', () => {
    const machine = machineIn(fleet, 'web-01');
    const task = { kind: 'check', check: 'kernel' } as const;
    const run = { findings: [kernelFinding] };
    expect(taskMessage(machine, task, run, new Map(), 'role')).toContain('the same role (web)');
    expect(taskMessage(machine, task, run, new Map(), 'role')).toContain('\nPEERS: ');
    expect(taskMessage(machine, task, run)).not.toContain('PEERS');
    expect(taskMessage(machine, task, run, new Map(), 'rack')).not.toContain('PEERS');
    const question = { kind: 'ask', question: 'Why?' } as const;
    expect(taskMessage(machine, question, run, new Map(), 'role')).not.toContain('PEERS');
  });
});

it('troubles are told apart by what they are about, not by its number', () => {
  const on = (subject: string) => ({ ...kernelFinding, subject });
  const findings = [on('eth0'), on('eth1'), on('I/O error'), { ...on('wlan0'), severity: 'ok' } as const];
  expect(troublesOf({ findings })).toEqual(['eth#', 'I/O error']);
});

it('troubles are few and short, whatever a machine calls them', () => {
  const findings = [...'abcdefghijklmnopqrstuvwxyz'].map((letter) => ({
    ...kernelFinding,
    subject: letter.repeat(10_000),
  }));
  const troubles = troublesOf({ findings });
  expect(troubles).toHaveLength(20);
  expect(troubles.every((trouble) => trouble.length === 200)).toBe(true);
});

it('a check that a supervisor asked for leads to no question to people, even were it sealed', () => {
  const fleet: Fleet = {
    ...sameRole,
    approvals: { ...sameRole.approvals, onCall: ['U0ONCALL'] },
  };
  const critical: Partial<Run> = {
    findings: [{ ...kernelFinding, severity: 'critical' }],
    verdict: 'critical',
  };
  const own = kernelRun('r-1', 'web-01', critical);
  const peers = { ...askedRun('r-2', 'web-02', { machine: 'web-01', hops: 1 }), ...critical };
  const proposed = (run: Run) => {
    const sealed = { ...run, request: { ...run.request, seal: 'a seal' } };
    return propose(fleet, machineIn(fleet, run.request.machine), sealed, 1);
  };
  expect(proposed(own)?.subject.kind).toBe('escalation');
  expect(proposed(peers)).toBeUndefined();
});
