import type { Campaign } from '../../fleet/campaign.ts';
import { waitingOf } from '../../fleet/campaign-step.ts';
import { InputError, NotAllowedError } from '../../fleet/errors.ts';
import { deniedMachines } from '../denied.ts';
import type { Services } from '../services.ts';
import { campaignButtonsBlockId } from '../views/campaign-main.ts';
import { noticeView } from '../views/notice.ts';
import type { View } from '../views/view.ts';
import { type Click, onButton } from './on-button.ts';

/** The button Continue of a campaign that stopped after a wave: its next wave begins, in the name of who asked for it. */
export function continueButton(services: Services) {
  return onButton(services, 'continue', continueCampaign);
}

/** For everybody who may give the task to every machine that waits. */
async function continueCampaign({ id, blockId, fleet, asker, services }: Click): Promise<View> {
  const found = await services.requests.campaign(id);
  if (found === undefined) throw new InputError('This campaign is no longer known.');
  const { task } = found.campaign;
  const machines = waitingOf(found.campaign).flatMap((name) => fleet.machines.get(name) ?? []);
  const excluded = await asker.exclusion();
  if (excluded !== undefined) throw new NotAllowedError(excluded);
  const { denied } = await asker.permission(task.kind, machines);
  const where = await deniedMachines(denied, asker);
  if (where !== undefined) {
    throw new NotAllowedError(
      `You need \`${task.kind}\` on every machine that waits, and may not on: ${where}`,
    );
  }

  const at = services.clock();
  const by = asker.requester;
  let begun = 0;
  await services.requests.changeCampaign(id, (now) => {
    begun = 0;
    const { stopped, ...rest } = now;
    if (stopped === undefined || now.ended !== undefined) return undefined;
    const { wave } = stopped;
    if (blockId !== campaignButtonsBlockId(id, wave)) return undefined;
    begun = waitingOf(now).length;
    const campaign: Campaign = { ...rest, continued: [...(now.continued ?? []), { wave, by, at }] };
    return { campaign, entry: { kind: 'campaign.continued', at, by, campaign: id, wave } };
  });
  if (begun === 0) throw new InputError('It does not wait for this any more. Read its message as it is now.');
  const text = `Continued: ${begun === 1 ? '1 machine follows' : `${begun} machines follow`}, wave by wave.`;
  return noticeView({ text, kind: 'info' });
}
