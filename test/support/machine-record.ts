import { type Machine, machineSchema } from '../../src/fleet/machine.ts';

/** A machine as the fleet file would describe it. */
export function machineRecord(
  where: { port: number; hostKey: string },
  changes: { name?: string; limits?: Partial<Machine['limits']>; agent?: Partial<Machine['agent']> } = {},
): Machine {
  return machineSchema.parse({
    name: changes.name ?? 'test-01',
    address: '127.0.0.1',
    ssh: { user: 'fleetbot', port: where.port },
    hostKey: where.hostKey,
    role: 'test',
    labels: {},
    expect: {},
    checks: ['disk'],
    customChecks: {},
    actions: [],
    agent: changes.agent ?? {},
    limits: changes.limits ?? {},
  });
}
