import { alertRulesSchema } from '../../src/fleet/alert-rules.ts';
import type { Fleet } from '../../src/fleet/fleet.ts';
import { peerRulesSchema } from '../../src/fleet/peer-rules.ts';
import type { Peers } from '../../src/supervisors/ports.ts';

/** The part of a fleet in which nothing begins by itself, and everything may cost what it wants. */
export const noSignals: Pick<Fleet, 'alerts' | 'maintenance' | 'schedules' | 'peers' | 'budgets'> = {
  alerts: alertRulesSchema.parse({}),
  maintenance: [],
  schedules: [],
  peers: peerRulesSchema.parse({}),
  budgets: [],
};

/** Supervisors that talk to no other. */
export const nobodyAsked: Peers = { ask: async () => undefined };
