import { FakeSlack, fakeBot } from '../support/fake-workspace.ts';
import type { SimulatedFleet } from '../support/simulated-fleet/start-simulated-fleet.ts';
import { channelIds, personIds } from './plan-traffic.ts';

const requestsPerMinute = 10_000;
/** Short, so that what fails fails soon; what concerns recovery has the project's defaults. */
const limits = {
  connectTimeoutMs: 2_000,
  statusTimeoutMs: 2_500,
  evidenceTimeoutMs: 3_000,
  startTimeoutMs: 3_000,
  readyTimeoutMs: 4_000,
  taskTimeoutMs: 7_000,
  abortTimeoutMs: 500,
  stopTimeoutMs: 3_000,
  requestsPerMinute,
};

/** The fleet file of the simulated machines: everybody may do everything, as often as they like. */
export function fleetFileOf({ entries }: SimulatedFleet): object {
  return {
    version: 1,
    defaults: { checks: ['disk'], channel: channelIds[0], limits },
    perPerson: { requestsPerMinute },
    machines: entries,
    access: [{ people: personIds, machines: 'all', verbs: 'all' }],
  };
}

/** A workspace in which everybody is a full member and the bot is in every channel. */
export async function startWorkspace(): Promise<FakeSlack> {
  const slack = await FakeSlack.start();
  slack.handlers.set('users.info', ({ user }) => ({
    ok: true,
    user: { id: user, team_id: fakeBot.team_id },
  }));
  slack.handlers.set('conversations.info', () => ({ ok: true, channel: { is_member: true } }));
  return slack;
}
