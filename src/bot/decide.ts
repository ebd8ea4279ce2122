import {
  type ApprovalDecision,
  type Question,
  questionDigest,
  runIdOfApproval,
  type Vote,
} from '../fleet/approval.ts';
import { castVote, howItStands } from '../fleet/cast-vote.ts';
import { InputError, NotAllowedError } from '../fleet/errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { haltOf } from '../fleet/halt.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Run } from '../fleet/run.ts';
import { tally } from '../fleet/tally.ts';
import { requireSeals } from './no-decision-key.ts';
import { noSignerSentences } from './no-signer.ts';
import type { Asker } from './people.ts';
import type { Services } from './services.ts';
import { approvalButtonsBlockId } from './views/approval-card.ts';
import { type AskingRun, approvalStateWords, hasAsked, subjectWords } from './views/approval-words.ts';
import { haltedLine } from './views/halted-line.ts';
import { noticeView } from './views/notice.ts';
import type { View } from './views/view.ts';

/** Who decides, and the event that this is. */
export interface Deciding {
  readonly fleet: Fleet;
  readonly asker: Asker;
  /** The same for every delivery of the same click. */
  readonly eventId: string;
  readonly services: Services;
}

/** What a person makes of a question. An approval is of what was shown (the `block_id` of the buttons); a denial says why. */
export type Choice =
  | { readonly kind: 'approve'; readonly shownIn: string }
  | { readonly kind: 'deny'; readonly reason: string };

/**
 * Counts one person's decision, by the fleet file in force and by what Slack says at this moment of the groups they
 * are in. Signed, so that nobody else can make one up.
 *
 * @returns what became of it, for the person; to those who come too late, who decided when
 * @throws InputError, NotAllowedError, StoreUnavailableError with sentences for the person
 */
export async function decide(approvalId: string, choice: Choice, deciding: Deciding): Promise<View> {
  const { asker, eventId, fleet, services } = deciding;
  const run = await askingRun(approvalId, services);
  if (run.approval.state !== 'waiting') return lateView(run);
  const { question } = run.approval;
  if (choice.kind === 'approve' && choice.shownIn !== approvalButtonsBlockId(question)) {
    throw new InputError(
      'The card that you clicked on shows another question than the record holds. Nothing was done. Wait until the card is up to date, read it again, and tell whoever looks after fleetbot: somebody may have changed the record.',
    );
  }
  const machine = machineOf(question, fleet);
  const seals = requireSeals(services);
  // Only an action does something there: people may be called to a machine that is halted.
  const acts = choice.kind === 'approve' && question.subject.kind === 'action';
  const halt = acts ? haltOf(await services.halts.active(), machine) : undefined;
  if (halt !== undefined) {
    const text = 'Not approved: nothing is done on a machine that is halted. Resume it first, or deny.';
    return noticeView({ text, lines: [haltedLine(halt, [machine])], kind: 'warning' });
  }
  const { allowed, reason: why, groups } = await asker.mayDecide(machine, question, choice.kind);
  if (!allowed) throw new NotAllowedError(why);

  const decision: ApprovalDecision = {
    approval: question.id,
    question: questionDigest(question),
    kind: choice.kind,
    ...(choice.kind === 'deny' && { reason: choice.reason }),
    by: asker.requester,
    groups: [...groups],
    at: services.clock(),
    eventId,
  };
  return count({ decision, signature: seals.decision(decision) }, run, machine, deciding);
}

/** Counts the vote, whoever else decides at the same moment. */
async function count(vote: Vote, run: AskingRun, machine: Machine, deciding: Deciding): Promise<View> {
  const { fleet, services } = deciding;
  let made: Run | undefined;
  let refused: string | undefined;
  const stored = await services.approvals.change(run.id, (current) => {
    const cast = castVote(current, vote, fleet, machine, services.clock());
    [made, refused] = 'refused' in cast ? [undefined, cast.refused] : [cast.run, undefined];
    return 'refused' in cast ? undefined : cast;
  });
  if (stored === undefined || !hasAsked(stored)) throw unknown();
  const { approval } = stored;
  const counted = approval.votes.some(({ decision }) => decision.eventId === vote.decision.eventId);
  if (!counted) {
    if (approval.state !== 'waiting') return lateView(stored);
    throw new NotAllowedError(refused ?? howItStands(stored));
  }
  // This vote ended the run, and no worker takes it up.
  if (stored === made && stored.state === 'done') services.finishTrace(stored);
  const acts = vote.decision.kind === 'approve' && approval.question.subject.kind === 'action';
  const doubts = acts ? await noSignerSentences(services) : [];
  return countedView(
    stored,
    vote.decision.kind,
    tally(fleet, machine, approval.question, approval.votes).open,
    doubts,
  );
}

/** @param open what is missing for a decision  @param doubts why nothing may come of it, in sentences */
function countedView(
  run: AskingRun,
  kind: ApprovalDecision['kind'],
  open: string,
  doubts: readonly string[],
): View {
  const { approval } = run;
  const did = kind === 'approve' ? 'Your approval counts' : 'Your denial counts';
  const rest = approval.state === 'waiting' ? ` ${open}` : ' The card tells what follows.';
  const line = `*${subjectWords(approval.question)}* · ${approvalStateWords(run)}`;
  const text = [`${did}.${rest}`, ...doubts].join('\n');
  return noticeView({ text, lines: [line], kind: doubts.length > 0 ? 'warning' : 'info' });
}

/**
 * The run that asked this question.
 * @throws InputError where there is none
 */
export async function askingRun(approvalId: string, { requests }: Services): Promise<AskingRun> {
  const run = await requests.run(runIdOfApproval(approvalId));
  if (run === undefined || !hasAsked(run) || run.approval.question.id !== approvalId) throw unknown();
  return run;
}

/**
 * The machine that the question is about.
 * @throws InputError where it left the fleet file
 */
export function machineOf({ machine: name }: Question, { machines }: Fleet): Machine {
  const machine = machines.get(name);
  if (machine !== undefined) return machine;
  throw new InputError(`\`${name}\` is no longer in the fleet file, so nothing can be decided for it.`);
}

/** For those who come too late. */
export function lateView(run: AskingRun): View {
  const line = `*${subjectWords(run.approval.question)}* · ${approvalStateWords(run)}`;
  return noticeView({ text: 'Too late: this is decided already.', lines: [line], kind: 'info' });
}

function unknown(): InputError {
  return new InputError('This question is no longer known. Nothing was done.');
}
