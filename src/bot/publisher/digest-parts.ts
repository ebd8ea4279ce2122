import type { Run } from '../../fleet/run.ts';
import { campaignMainBlockId, shownMachines } from '../views/campaign-main.ts';
import { type Digest, digestMainView, toldInFull } from '../views/digest-main.ts';
import { message, type Parts, type Standing } from './part.ts';

/**
 * Everything that should stand in Slack for what a schedule brought: its digest, and what any campaign has in its
 * thread. undefined as long as there is nothing to tell: nobody watches how it goes on. It stands when all machines are
 * done but those that are halted, or when people are asked about one; where nobody was asked, it says so once.
 *
 * @param ofCampaign what the campaign has in its thread
 */
export async function digestParts(
  found: Omit<Digest, 'runs'>,
  standing: Standing,
  ofCampaign: () => Promise<Pick<Parts, 'thread'>>,
  loadRuns: (runIds: readonly string[]) => Promise<readonly Run[]>,
): Promise<Parts | undefined> {
  const { campaign, members, previous, halted } = found;
  const held = new Set([...halted.values()].flat().map(({ name }) => name));
  const isDue =
    members.every(({ state, machine }) => state === 'done' || held.has(machine)) ||
    members.some(({ state }) => state === 'awaiting');
  const saysTheSame = members.length === 0 && previous?.members.length === 0;
  if (standing.main === undefined && (!isDue || saysTheSame)) return undefined;
  const told = toldInFull(found).slice(0, shownMachines);
  const runs = await loadRuns(told.map(({ runId }) => runId));
  const view = digestMainView({ ...found, runs });
  const { thread } = await ofCampaign();
  return { main: message('main', campaignMainBlockId(campaign.id), view), thread };
}
