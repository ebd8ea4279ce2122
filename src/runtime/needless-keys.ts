import type { Environment } from './environment.ts';

/** Who alone should hold each key: apart, none of the three can change a machine without the others. */
const holders = [
  ['FLEETBOT_DECISION_KEY', 'bot'],
  ['FLEETBOT_CAPSULE_KEY', 'signer'],
  ['FLEETBOT_SSH_KEY', 'worker'],
] as const;

/** The keys that this process was given and has no use for. The role `all` is for trying: it may hold all of them. */
export function needlessKeys(env: Environment): readonly string[] {
  const { FLEETBOT_ROLE: role } = env;
  if (role === 'all') return [];
  return holders.filter(([name, holder]) => holder !== role && env[name] !== undefined).map(([name]) => name);
}
