import type { Run } from '../../src/fleet/run.ts';
import { dfOutputs } from '../support/df-outputs.ts';
import type { FakeBehaviour } from '../support/fake-machine.ts';
import type { SupervisedMachine, SupervisedOptions } from './supervised-machine.ts';

/** The machine's part of a fleet file with actions; its agent is never wanted. */
export const authorised = `    role: web
    actions: [vacuum-journal, restart-service, guarded]
    agent: { diagnose: never }
`;

/** The rest of it. A full /var proposes an action; any other critical finding is for people on call. */
export const catalogue = `actions:
  vacuum-journal:
    summary: Shrink the journal
    argv: [journalctl, '--vacuum-size={size}']
    params: { size: { type: choice, values: [100M, 200M], default: 200M } }
    risk: reversible
    precondition: { check: disk, subject: /var }
    verify: disk
    noUndo: Old log lines are gone for good.
    timeoutSeconds: 1
  restart-service:
    summary: Restart a service
    argv: [systemctl, restart, '{unit}']
    params: { unit: { type: choice, values: [nginx.service, redis.service] } }
    risk: disruptive
    verify: disk
    noUndo: It has been restarted.
    timeoutSeconds: 1
  guarded:
    summary: Shrink the journal, where memory is short
    argv: [journalctl, '--vacuum-size=200M']
    risk: reversible
    precondition: { check: memory }
    verify: disk
    noUndo: Old log lines are gone for good.
suggestions:
  - { check: disk, subject: /var, severity: critical, action: vacuum-journal, params: { size: 100M } }
approvals: { onCall: [S0ONCALL] }
`;

export const checkDisk = { kind: 'check', check: 'disk' } as const;
export const vacuum = { kind: 'act', action: 'vacuum-journal', params: { size: '100M' } } as const;

/** How full /var is before and after an action that helps, in percent. */
const fullPercent = 96;
const roomyPercent = 40;

/** Opens a machine whose /var is full until an action has run there. */
export async function openActing(
  open: (options: SupervisedOptions) => Promise<SupervisedMachine>,
  behaviour: Partial<FakeBehaviour> = {},
  options: SupervisedOptions = {},
): Promise<SupervisedMachine> {
  let ran = () => false;
  const outputs = () => dfOutputs(20, ran() ? roomyPercent : fullPercent);
  const on = await open({
    yaml: authorised,
    rest: catalogue,
    behaviour: { outputs, ...behaviour },
    ...options,
  });
  ran = () => on.machine.executions.length > 0;
  return on;
}

/** A run of `vacuum-journal`, asked for and approved; the machine's next claim brings it. */
export async function approvedRun(on: SupervisedMachine): Promise<Run> {
  const asking = await on.serve(vacuum);
  return on.decide(asking.id);
}

/** What the record claims is true: `done` was run once, and what was not begun was not run. */
export function isHonest(run: Run, on: SupervisedMachine): boolean {
  const runs = on.machine.executions.filter(({ run: id }) => id === run.id).length;
  switch (run.action?.outcome) {
    case 'done':
    case 'failed':
      return runs === 1;
    case 'unknown':
      return runs <= 1;
    default:
      return runs === 0;
  }
}
