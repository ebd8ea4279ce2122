import type { Finding } from '../../src/fleet/finding.ts';
import type { Fleet } from '../../src/fleet/fleet.ts';
import { loadFleet } from '../../src/fleet/load-fleet.ts';
import type { Machine } from '../../src/fleet/machine.ts';
import type { Run } from '../../src/fleet/run.ts';
import { sampleRun } from '../support/sample-run.ts';
import { hostKey } from './fixtures.ts';

/** Two web servers and a database in Berlin, a web server in Paris, and a machine that checks nothing but its disk. */
export const peerMachines = [
  'name: web-01, role: web, labels: { site: berlin }',
  'name: web-02, role: web, labels: { site: berlin }',
  'name: web-03, role: web, labels: { site: paris }',
  'name: db-01, role: db, labels: { site: berlin }',
  'name: old-01, role: web, labels: { site: berlin }, checks: [disk]',
];

/** The file of such machines, with the rest of `peers` as YAML in one line. */
export function peerFile(peers: string, machines: readonly string[] = peerMachines): string {
  const lines = machines.map(
    (machine, index) =>
      `  - { ${machine}, address: m${index}.test, hostKey: ${hostKey(index + 1)}, channel: C0OPS }`,
  );
  return ['version: 1', 'machines:', ...lines, `peers: ${peers}`].join('\n');
}

export function peerFleet(peers: string, machines?: readonly string[]): Fleet {
  return loadFleet(peerFile(peers, machines), 'fleet.yaml');
}

export function machineIn(fleet: Fleet, name: string): Machine {
  const machine = fleet.machines.get(name);
  if (machine === undefined) throw new RangeError(`there is no machine ${name}`);
  return machine;
}

export const kernelFinding: Finding = {
  severity: 'warning',
  subject: 'kernel warnings',
  text: 'kernel warnings of the last 24 hours: 3 × "something is odd"',
  output: 2,
};

/** A run of `check kernel` that found it; `changes` on top. */
export function kernelRun(id: string, machine: string, changes: Partial<Run> = {}): Run {
  const run = sampleRun(id, 'gathering', { findings: [kernelFinding], verdict: 'warning' });
  const request = { ...run.request, machine, task: { kind: 'check', check: 'kernel' } } as const;
  return { ...run, request, ...changes };
}

/** The same, asked for by another machine's supervisor. */
export function askedRun(id: string, machine: string, by: { machine: string; hops: number }): Run {
  const run = kernelRun(id, machine);
  const trace = { traceId: 'c'.repeat(32), rootSpanId: 'd'.repeat(16) };
  return {
    ...run,
    request: { ...run.request, requester: { kind: 'supervisor', run: 'r-first', trace, ...by } },
  };
}
