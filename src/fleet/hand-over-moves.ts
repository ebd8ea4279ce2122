import type { Approval, ApprovalState } from './approval.ts';
import { type Call, type HandOver, handOverIdOf, inHandStates, pagerOf } from './hand-over.ts';
import { whatOf } from './held-back.ts';
import type { LedgerEntry } from './ledger-entry.ts';
import { describeTask } from './request.ts';
import type { PersonRef } from './requester.ts';
import type { Run } from './run.ts';

/** A hand-over as it goes on, and what the ledger says of that. */
export interface HandOverMove {
  readonly handOver: HandOver;
  readonly entries: readonly LedgerEntry[];
}

/**
 * What follows where people approve that those on call look at something, or nobody says whether they should;
 * undefined for every other question and every other end.
 */
export function openHandOver(
  run: Run,
  { question }: Approval,
  state: ApprovalState,
  now: number,
): HandOver | undefined {
  const { machine, subject, why } = question;
  if (subject.kind !== 'escalation' || subject.to.length === 0) return undefined;
  if (state !== 'approved' && state !== 'expired') return undefined;
  const { campaign, origin, task } = run.request;
  return {
    ...{ id: handOverIdOf(run.id), run: run.id, machine, task: describeTask(task), why, because: state },
    what: whatOf(task),
    origin: { channel: origin.channel, under: campaign ?? run.id },
    targets: subject.to,
    openedAt: now,
    state: 'calling',
    calls: [],
    nextAt: now,
  };
}

/**
 * Whether those on call have it, or are being called: nobody is asked again about the same trouble for so long after
 * somebody took it, or after it was handed over where nobody said so.
 */
export function isInHand(
  { state, openedAt, takenBy }: HandOver,
  { now, forMs }: { readonly now: number; readonly forMs: number },
): boolean {
  return inHandStates.has(state) && now < (takenBy?.at ?? openedAt) + forMs;
}

/**
 * What is due: the index of the target that is called next, or of the pager whose answer was never stored; `nobody`
 * where none is left; undefined where nothing is due yet or any more.
 */
export function dueCall(handOver: HandOver, now: number): number | 'nobody' | undefined {
  const { state, targets, calls, nextAt = now } = handOver;
  if (state !== 'calling' || now < nextAt) return undefined;
  const last = calls.at(-1);
  if (last !== undefined && isUnanswered(handOver, last)) return last.target;
  return calls.length < targets.length ? calls.length : 'nobody';
}

/** Whether it is a call of a pager of which nobody knows yet what became of it. */
export function isUnanswered({ targets }: HandOver, { target, delivered, problem }: Call): boolean {
  return pagerOf(targets[target] ?? '') !== undefined && delivered === undefined && problem === undefined;
}

/**
 * Calls a target that was not called yet: who is in Slack has so long to take it; of a pager `endCall` tells more.
 * @param problem why it cannot be called, as a sentence: then the next one is due at once
 * @returns undefined where it is not due, or called already
 */
export function beginCall(
  handOver: HandOver,
  target: number,
  now: number,
  { patienceMs, problem }: { readonly patienceMs: number; readonly problem?: string | undefined },
): HandOverMove | undefined {
  const { calls, targets } = handOver;
  const to = targets[target];
  if (to === undefined || calls.length !== target || dueCall(handOver, now) !== target) return undefined;
  const waits = problem === undefined && pagerOf(to) === undefined;
  const call: Call = { target, at: now, ...(problem !== undefined && { problem }) };
  return {
    handOver: { ...handOver, calls: [...calls, call], nextAt: waits ? now + patienceMs : now },
    entries: [
      problem === undefined ? calledEntry(handOver, to, now) : missedEntry(handOver, to, problem, now),
    ],
  };
}

/**
 * Stores what became of a pager's call, once. One that took it ends the hand-over; after any other the next target is
 * due. Where somebody has it by then, it only stands in the record.
 * @param problem why the pager did not take it, as a sentence; undefined where it did
 */
export function endCall(
  handOver: HandOver,
  target: number,
  problem: string | undefined,
  now: number,
): HandOverMove | undefined {
  const call = handOver.calls[target];
  if (call === undefined || !isUnanswered(handOver, call)) return undefined;
  const ended: Call = { ...call, ...(problem === undefined ? { delivered: true } : { problem }) };
  const next = { ...handOver, calls: handOver.calls.with(target, ended) };
  if (problem !== undefined) {
    return { handOver: next, entries: [missedEntry(handOver, handOver.targets[target] ?? '', problem, now)] };
  }
  return handOver.state === 'calling' ? end(next, 'delivered', now) : { handOver: next, entries: [] };
}

/** Ends a hand-over of which all targets had their time. undefined where that is not so. */
export function giveUp(handOver: HandOver, now: number): HandOverMove | undefined {
  return dueCall(handOver, now) === 'nobody' ? end(handOver, 'nobody', now) : undefined;
}

/**
 * Calls nobody else, because the machine is silenced. undefined where nothing is due.
 * @param silence what holds, as words for people, and whose it is
 */
export function silenceHandOver(
  handOver: HandOver,
  silence: Pick<NonNullable<HandOver['silenced']>, 'reason' | 'by'>,
  now: number,
): HandOverMove | undefined {
  if (dueCall(handOver, now) === undefined) return undefined;
  return end({ ...handOver, silenced: { ...silence, at: now } }, 'silenced', now);
}

/** A person has it: nobody else is called. Also after the last call. undefined where somebody has it already. */
export function takeHandOver(handOver: HandOver, by: PersonRef, now: number): HandOverMove | undefined {
  if (handOver.takenBy !== undefined) return undefined;
  const { nextAt: _over, ...rest } = handOver;
  return {
    handOver: { ...rest, state: 'taken', takenBy: { by, at: now } },
    entries: [{ kind: 'hand-over.taken', at: now, by, handOver: handOver.id, machine: handOver.machine }],
  };
}

function end(
  { nextAt: _over, ...rest }: HandOver,
  outcome: 'delivered' | 'nobody' | 'silenced',
  at: number,
): HandOverMove {
  const { id: handOver, machine } = rest;
  return {
    handOver: { ...rest, state: outcome },
    entries: [{ kind: 'hand-over.ended', at, handOver, machine, outcome }],
  };
}

function calledEntry({ id, machine }: HandOver, target: string, at: number): LedgerEntry {
  return { kind: 'hand-over.called', at, handOver: id, machine, target };
}

function missedEntry({ id, machine }: HandOver, target: string, problem: string, at: number): LedgerEntry {
  return { kind: 'hand-over.missed', at, handOver: id, machine, target, problem };
}
