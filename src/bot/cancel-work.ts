import type { Campaign } from '../fleet/campaign.ts';
import { waitingOf } from '../fleet/campaign-step.ts';
import { InputError, NotAllowedError } from '../fleet/errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { personBehind, type Requester } from '../fleet/requester.ts';
import type { Cancellation } from '../fleet/run.ts';
import { deniedEverywhere } from './denied.ts';
import type { Asker } from './people.ts';
import type { CancelResult } from './ports.ts';
import type { Services } from './services.ts';
import { noticeView } from './views/notice.ts';
import { isActing } from './views/run-main.ts';
import type { View } from './views/view.ts';

/** How many runs of a campaign are cancelled at the same time. */
const cancelConcurrency = 20;

/** Who wants to cancel, and with what. */
export interface Cancelling {
  readonly fleet: Fleet;
  readonly asker: Asker;
  readonly services: Services;
}

/**
 * Ends a run, or a campaign: its runs that are not done, and what waits for its wave. The person who asked for it may,
 * and everybody with the verb `cancel` on the machine; what waits, whoever may on all of these machines.
 *
 * @param id of a run or a campaign, as typed or as a button carried it
 * @throws InputError, NotAllowedError, StoreUnavailableError with sentences for the person
 */
export function cancelWork(id: string, cancelling: Cancelling): Promise<View> {
  return id.startsWith('c-') ? cancelCampaign(id, cancelling) : cancelRun(id, cancelling);
}

/**
 * Ends what waits for its wave, for whoever may cancel on all of these machines: they get no run. Runs that there are
 * go on, and so does what they ask people.
 *
 * @param id of a campaign
 * @throws InputError, NotAllowedError, StoreUnavailableError with sentences for the person
 */
export async function endWaiting(id: string, cancelling: Cancelling): Promise<View> {
  const { services, asker } = cancelling;
  const found = await services.requests.campaign(id);
  if (found === undefined) throw unknown(id);
  const { kind, waiting } = await endCampaign(found.campaign, cancelling);
  if (kind === 'not-allowed') throw await deniedEverywhere(endingWords[kind](waiting), asker);
  const rest = `What was begun goes on; \`/fleet cancel ${id}\` ends that, too.`;
  const text =
    kind === 'ended' ? `${endingWords[kind](waiting)} ${rest}` : `Nothing waits in \`${id}\` any more.`;
  return noticeView({ text, kind: 'info' });
}

async function cancelRun(id: string, cancelling: Cancelling): Promise<View> {
  const { services, asker } = cancelling;
  const run = await services.requests.run(id);
  if (run === undefined) throw unknown(id);
  const { machine, requester } = run.request;
  const [reason] = await reasonsAgainst([machine], requester, cancelling);
  if (reason !== undefined) throw new NotAllowedError(reason);
  if (isActing(run)) {
    const text = `Too late to cancel run \`${id}\`: what was approved is being carried out on \`${machine}\`, and is not stopped half-way. Its message will tell the outcome.`;
    return noticeView({ text, kind: 'warning' });
  }
  const kind = await cancelOne(id, { userId: asker.userId, at: services.clock() }, services);
  return noticeView({ text: `${outcomes[kind]}: run \`${id}\` on \`${machine}\`.`, kind: 'info' });
}

async function cancelCampaign(id: string, cancelling: Cancelling): Promise<View> {
  const { services, asker } = cancelling;
  const before = await services.requests.campaign(id);
  if (before === undefined) throw unknown(id);
  const ending = await endCampaign(before.campaign, cancelling);
  // Read again: none is handed in any more, and what was until then is cancelled.
  const found = (ending.kind === 'ended' && (await services.requests.campaign(id))) || before;
  const open = found.members.filter((member) => member.state !== 'done');
  if (open.length === 0 && ending.kind === 'nothing-waits') {
    return noticeView({ text: `${outcomes['already-done']}: \`${id}\`.`, kind: 'info' });
  }

  const reasons = await reasonsAgainst(
    open.map((member) => member.machine),
    found.campaign.requester,
    cancelling,
  );
  const mine = open.filter((_member, index) => reasons[index] === undefined);
  if (mine.length === 0 && ending.kind !== 'ended') {
    throw await deniedEverywhere(`You may not \`cancel\` any run of \`${id}\`.`, asker);
  }

  const cancellation = { userId: asker.userId, at: services.clock() };
  const kinds: Outcome[] = [];
  for (let from = 0; from < mine.length; from += cancelConcurrency) {
    const some = mine.slice(from, from + cancelConcurrency);
    kinds.push(...(await Promise.all(some.map(({ runId }) => cancelOne(runId, cancellation, services)))));
  }
  const rest = open.length - mine.length;
  const doubt = (await asker.doubt()) ?? '';
  const sentences = [
    endingWords[ending.kind](ending.waiting),
    kinds.length > 0 ? `Runs of \`${id}\`: ${countsOf(kinds)}.` : '',
    rest > 0 ? `${rest} more are on machines where you may not cancel. ${doubt}` : '',
  ];
  return noticeView({ text: sentences.filter((words) => words !== '').join(' '), kind: 'info' });
}

/** What became of the machines of a campaign that wait for their wave. */
interface Ending {
  readonly kind: 'nothing-waits' | 'ended' | 'not-allowed';
  readonly waiting: number;
}

const machineCount = (count: number) =>
  count === 1 ? '1 machine that waited' : `${count} machines that waited`;
const endingWords: Record<Ending['kind'], (waiting: number) => string> = {
  'nothing-waits': () => '',
  ended: (waiting) => `Ended: ${machineCount(waiting)} will get no run.`,
  'not-allowed': () => 'What waits is not ended: you may not cancel on every machine that waits.',
};

/** Sees to it that no more machines are handed in, where the person may cancel on all that wait. */
async function endCampaign(campaign: Campaign, cancelling: Cancelling): Promise<Ending> {
  const { services, asker } = cancelling;
  const waiting = waitingOf(campaign);
  if (campaign.ended !== undefined || waiting.length === 0) return { kind: 'nothing-waits', waiting: 0 };
  const reasons = await reasonsAgainst(waiting, campaign.requester, cancelling);
  if (reasons.some((reason) => reason !== undefined)) {
    return { kind: 'not-allowed', waiting: waiting.length };
  }
  const { id } = campaign;
  const [at, by] = [services.clock(), asker.requester];
  const after = await services.requests.changeCampaign(id, (now) =>
    now.ended === undefined && waitingOf(now).length > 0
      ? { campaign: { ...now, ended: { by, at } }, entry: { kind: 'campaign.ended', at, by, campaign: id } }
      : undefined,
  );
  if (after?.ended === undefined) return { kind: 'nothing-waits', waiting: 0 };
  return { kind: 'ended', waiting: waitingOf(after).length };
}

async function cancelOne(
  runId: string,
  cancellation: Cancellation,
  { requests, finishTrace }: Services,
): Promise<Outcome> {
  const result = await requests.cancel(runId, cancellation);
  if (result.kind === 'cancelled') finishTrace(result.run);
  if (result.kind === 'cancelled' && result.run.approval !== undefined) return 'withdrawn';
  if (result.kind !== 'requested') return result.kind;
  const { userId, at } = result.run.cancellation ?? cancellation;
  // The first wish counts and is the one that is kept.
  return userId === cancellation.userId && at === cancellation.at ? 'requested' : 'already-requested';
}

/** `already-requested`: somebody asked for it before. `withdrawn`: it waited for people, or had just been approved. */
type Outcome = CancelResult['kind'] | 'already-requested' | 'withdrawn';

const outcomes: Record<Outcome, string> = {
  cancelled: 'Cancelled before it began',
  withdrawn: 'Cancelled: what it asked for does not happen',
  requested: 'Asked to stop; its message will say when it has',
  'already-requested': 'Already being cancelled; its message will say when it has stopped',
  'already-done': 'Nothing to cancel, it is done already',
  'unknown-run': 'No longer known',
};

/** The same for the runs of a campaign, whose summary tells what becomes of them. */
const campaignOutcomes: Record<Outcome, string> = {
  cancelled: 'cancelled before they began',
  withdrawn: 'cancelled with what they asked for',
  requested: 'asked to stop',
  'already-requested': 'already being cancelled',
  'already-done': 'done already',
  'unknown-run': 'no longer known',
};

function countsOf(kinds: readonly Outcome[]): string {
  const counts = Map.groupBy(kinds, (kind) => kind);
  return [...counts].map(([kind, { length }]) => `${length} ${campaignOutcomes[kind]}`).join(', ');
}

/** For each machine: why the person may not cancel there, or undefined where they may. */
async function reasonsAgainst(
  names: readonly string[],
  requester: Requester,
  { fleet, asker }: Cancelling,
): Promise<readonly (string | undefined)[]> {
  if (personBehind(requester)?.userId === asker.userId) {
    const excluded = await asker.exclusion();
    return names.map(() => excluded);
  }
  const machines = names.flatMap((name) => fleet.machines.get(name) ?? []);
  const { allowed, denied } = await asker.permission('cancel', machines);
  const mayCancel = new Set(allowed.map((machine) => machine.name));
  const reasons = new Map(denied.map(({ machine, reason }) => [machine.name, reason]));
  return names.map((name) =>
    mayCancel.has(name)
      ? undefined
      : (reasons.get(name) ?? `\`${name}\` is no longer in the fleet file, so only who asked may.`),
  );
}

function unknown(id: string): InputError {
  return new InputError(`There is no run \`${id}\`. \`/fleet runs\` lists those that you may view.`);
}
