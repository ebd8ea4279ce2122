import type { RunState } from '../../../../src/fleet/run.ts';
import type { EdgeMachine } from '../../../support/edge-machines/edge-machine.ts';
import type { ActingRules } from './acting-fleet.ts';

/** Where each machine's run is when something is killed: a machine for each. */
export const places = ['awaiting', 'approved', 'acting', 'verifying'] as const satisfies readonly RunState[];
export type Place = (typeof places)[number];

const folder = '/var/lib/counted';
const lines = `${folder}/lines`;
/** The action does not end before it is there. */
const mayEnd = `${folder}/may-end`;
/** The check does not end before it is there. */
const mayMeasure = `${folder}/may-measure`;

const untilThere = (file: string) => `until [ -e ${file} ]; do sleep 0.1; done`;

/** What is measured after the action waits. */
const laterWaits = `${folder}/later-waits`;

/** Writes a line, so that executions can be counted. */
const count = `echo done >> ${lines}; [ ! -e ${laterWaits} ] || rm ${mayMeasure}; ${untilThere(mayEnd)}`;

export const countingRules: ActingRules = {
  actions: {
    count: {
      summary: 'Write a line',
      argv: ['sh', '-c', count],
      risk: 'reversible',
      verify: 'lines',
      noUndo: 'A line that was counted stays.',
      timeoutSeconds: 300,
    },
  },
};

export const countingEntry = {
  agent: { diagnose: 'never' },
  actions: ['count'],
  checks: ['load'],
  expect: { load: { warnPerCpu: 1_000, criticalPerCpu: 2_000 } },
  customChecks: {
    lines: {
      summary: 'How often it was done',
      command: ['sh', '-c', `${untilThere(mayMeasure)}; wc -l < ${lines}`],
      number: { pattern: '^(\\d+)', unit: 'times', warnBelow: 1, criticalAbove: 1 },
    },
  },
};

/** Nothing was done yet; a run stops at the place. */
export async function holdAt(machine: EdgeMachine, place: Place): Promise<void> {
  await machine.run(['rm', '-rf', folder]);
  machine.write(lines, '');
  machine.write(mayMeasure, '');
  if (place !== 'acting') machine.write(mayEnd, '');
  if (place === 'verifying') machine.write(laterWaits, '');
}

/** Nothing waits any more. */
export function letGo(machine: EdgeMachine): void {
  machine.write(mayEnd, '');
  machine.write(mayMeasure, '');
}

/** How often the action was really done. */
export async function executions(machine: EdgeMachine): Promise<number> {
  return (await machine.run(['cat', lines])).split('\n').filter((line) => line !== '').length;
}

/** Whether a process of the action is left. */
export async function stillRuns(machine: EdgeMachine): Promise<boolean> {
  return (await machine.run(['ps', '-eo', 'args='])).includes(lines);
}
