import { type Action, actionSchema } from '../../src/fleet/action.ts';
import type { Question } from '../../src/fleet/approval.ts';
import type { AccessRule, Fleet } from '../../src/fleet/fleet.ts';
import type { Run } from '../../src/fleet/run.ts';
import { sampleApproval } from '../support/sample-question.ts';
import { sampleRun } from '../support/sample-run.ts';
import { fleetOf, machine } from './bot-under-test.ts';

const definitions: Record<string, Parameters<typeof actionSchema.parse>[0]> = {
  'vacuum-journal': {
    summary: 'Shrink the journal',
    argv: ['journalctl', '--vacuum-size={size}'],
    params: { size: { type: 'choice', values: ['100M', '200M'], default: '200M' } },
    risk: 'reversible',
    precondition: { check: 'disk', subject: '/var' },
    verify: 'disk',
    noUndo: 'What is vacuumed is gone.',
  },
  'set-swappiness': {
    summary: 'Set how eagerly memory is swapped out',
    argv: ['sysctl', '-w', 'vm.swappiness={value}'],
    params: { value: { type: 'integer', min: 0, max: 100 } },
    risk: 'reversible',
    verify: 'memory',
    undo: { action: 'set-swappiness', params: { value: '60' } },
  },
  'empty-cache': {
    summary: 'Delete the package cache',
    argv: ['dnf', 'clean', 'all'],
    risk: 'destructive',
    verify: 'disk',
    noUndo: 'What was in the cache is gone.',
  },
};

export const actions: ReadonlyMap<string, Action> = new Map(
  Object.entries(definitions).map(([name, definition]) => [name, actionSchema.parse(definition)]),
);

/** Ann may ask for everything reversible, members of SOPS and SDBA may approve anything. */
export const askingAccess: readonly Partial<AccessRule>[] = [
  { people: ['UANN', 'UGUS', 'UBOT'], verbs: ['view', 'check', 'act', 'cancel'] },
  { groups: ['SOPS', 'SDBA'], verbs: ['view', 'approve'], upTo: 'destructive' },
  { people: ['UANN', 'UGUS', 'UBOT', 'USTRANGER'], verbs: ['approve'], upTo: 'destructive' },
];

/** web-01 may be changed, db-01 not. */
export function askingFleet(access: readonly Partial<AccessRule>[] = askingAccess): Fleet {
  const machines = [machine('web-01', { actions: [...actions.keys()] }), machine('db-01')];
  return { ...fleetOf(machines, access), actions };
}

/** A run of Ann's on web-01 that waits for people to decide, asked at `askedAt`. */
export function asking(askedAt: number, changes: Partial<Question> = {}, id = 'r-00000000aaaa'): Run {
  const run = sampleRun(id, 'awaiting');
  const requester = { kind: 'person', userId: 'UANN', teamId: 'T1' } as const;
  const asked = { ...run, request: { ...run.request, requester, origin: { channel: 'C1' } } };
  return { ...asked, approval: sampleApproval(asked, { askedAt, ...changes }) };
}
