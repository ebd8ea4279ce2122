import { isDeepStrictEqual } from 'node:util';
import { newApproval, type Question } from '../fleet/approval.ts';
import type { RunFailureCode } from '../fleet/errors.ts';
import { isInHand } from '../fleet/hand-over-moves.ts';
import { propose } from '../fleet/propose.ts';
import { questionForAct } from '../fleet/question-for-act.ts';
import type { AskedBefore, Run } from '../fleet/run.ts';
import { endOfAction, endOfCancelled, notToBe } from './action-ending.ts';
import { askPeers } from './ask-peers.ts';
import type { Drive } from './context.ts';

const msPerMinute = 60_000;

/**
 * Ends the work on the machine: people are asked whether something is to be changed there, or the run is done. A run
 * that was cancelled, or could not do what was asked, asks nothing; nor does one that would ask what people are asked
 * already, or what those on call have, or ask about a machine that is silenced. Before, the supervisors of other
 * machines are asked to check for the same thing.
 * @param work what the work changes in the run's record
 */
export async function askOrEnd(drive: Drive, work: Partial<Run>): Promise<void> {
  const { held, machine } = drive;
  const changes = { ...work, ...(await askPeers(drive, { ...held.run, ...work })) };
  const { question, instead } = await outlookOf(drive, { ...held.run, ...changes });
  if (!question) return held.move('done', { ...changes, ...instead });
  const withheld = await held.obstacle(machine, 'escalation');
  if (withheld) return held.move('done', { ...changes, withheld });
  await held.move('awaiting', { ...changes, approval: newApproval(question) });
  if (held.run.state === 'awaiting') return;
  // It was cancelled meanwhile.
  const isAct = held.run.request.task.kind === 'act';
  await held.move('done', { ...changes, ...(isAct && endOfCancelled(held.run)) });
}

/** What to ask; or, where nothing is asked, what that changes in the record. */
interface Outlook {
  readonly question?: Question | undefined;
  readonly instead?: Partial<Run>;
}

async function outlookOf(drive: Drive, run: Run): Promise<Outlook> {
  const { machine, clock } = drive;
  if (run.failure !== undefined || run.action !== undefined) return {};
  const fleet = drive.fleet();
  if (run.request.task.kind !== 'act') {
    const question = propose(fleet, machine, run, clock());
    const askedBefore = question && (await beforeOf(drive, question));
    return askedBefore ? { instead: { askedBefore } } : { question };
  }
  if (run.request.seal === undefined) return { instead: refused(run, 'not-sealed', notSealed) };
  const question = questionForAct(fleet, machine, run, clock());
  if ('problem' in question) return { instead: refused(run, 'action-unknown', question.problem) };
  const other = await alreadyAsked(drive, question);
  return other ? { instead: notToBe(run, askedIn(other)) } : { question };
}

const notSealed =
  'Nobody can approve anything, because the bot has no key to say who asked. Ask an operator to set FLEETBOT_DECISION_KEY.';

const askedIn = ({ id }: Run) =>
  `People are asked about it already, in run ${id}: decide it there, or cancel it with \`/fleet cancel ${id}\`.`;

/**
 * Where people were asked the same before: it stands open, or those on call have it. Looked at in the order in which one
 * becomes the other.
 */
async function beforeOf(drive: Drive, question: Question): Promise<AskedBefore | undefined> {
  const other = await alreadyAsked(drive, question);
  if (other?.approval) return { kind: 'question', run: other.id, approval: other.approval.question.id };
  if (question.subject.kind !== 'escalation') return undefined;
  const handOver = await drive.held.handedOver();
  const forMs = drive.fleet().approvals.escalateAgainMinutes * msPerMinute;
  if (handOver === undefined || !isInHand(handOver, { now: drive.clock(), forMs })) return undefined;
  const { id, openedAt: at, takenBy } = handOver;
  return { kind: 'hand-over', handOver: id, at, ...(takenBy && { takenBy: takenBy.by }) };
}

/** The run by which people are asked the same: about this very change, or to look at what the same task found. */
async function alreadyAsked({ held }: Drive, { subject }: Question): Promise<Run | undefined> {
  const waiting = await held.waiting();
  return waiting.find(({ approval, request }) => {
    const asked = approval?.question.subject;
    if (asked?.kind === 'action' && subject.kind === 'action') {
      return asked.action === subject.action && isDeepStrictEqual(asked.params, subject.params);
    }
    return asked?.kind === subject.kind && isDeepStrictEqual(request.task, held.run.request.task);
  });
}

function refused(run: Run, code: RunFailureCode, message: string): Partial<Run> {
  return endOfAction(run, { outcome: 'refused', detail: message }, { failure: { code, message } });
}
