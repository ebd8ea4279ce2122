import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from '../fleet/fleet.ts';
import { type HandOver, isChannel, pagerOf } from '../fleet/hand-over.ts';
import {
  beginCall,
  dueCall,
  endCall,
  giveUp,
  isUnanswered,
  silenceHandOver,
} from '../fleet/hand-over-moves.ts';
import { silencedWords, silenceFor } from '../fleet/silence.ts';
import { type Duty, dispatchIntervalMs } from './create-dispatcher.ts';
import type { Clock, HandOvers, OnCallSlack, Pagers, Silences } from './ports.ts';

const msPerMinute = 60_000;

/** What the calling of people works with. */
export interface HandOverTools {
  readonly store: HandOvers;
  readonly pagers: Pagers;
  readonly slack: OnCallSlack;
  readonly silences: Pick<Silences, 'holding' | 'holdBack'>;
  readonly fleet: () => Pick<Fleet, 'approvals' | 'machines'>;
  readonly clock: Clock;
}

/**
 * Calls people on call, one after the other, until somebody has it or nobody is left. Who is in Slack is called by the
 * view of the record. Where nobody decided and the machine is silenced, nobody is called. A pager is written down before
 * it is called, and called again where its answer was never stored.
 */
export function handOverDuty(tools: HandOverTools): Duty {
  return {
    name: 'hand-overs',
    async run(signal) {
      const underWay = new Map<string, Promise<void>>();
      const failures: unknown[] = [];
      const begin = (id: string): Promise<void> =>
        goOn(id, tools, signal)
          .catch((error: unknown) => void failures.push(error))
          .finally(() => underWay.delete(id));
      try {
        // One that cannot go on, or whose pager is slow, holds up no other.
        do {
          for (const id of await tools.store.due(tools.clock())) {
            if (!underWay.has(id)) underWay.set(id, begin(id));
          }
          const enough = sleep(dispatchIntervalMs, undefined, { ref: false });
          await Promise.race([Promise.all(underWay.values()), enough]);
        } while (underWay.size > 0 && !signal.aborted);
      } finally {
        await Promise.all(underWay.values());
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}

async function goOn(id: string, tools: HandOverTools, signal: AbortSignal): Promise<void> {
  const { store, slack, fleet, clock } = tools;
  const handOver = await store.handOver(id);
  const due = handOver && dueCall(handOver, clock());
  if (handOver === undefined || due === undefined) return;
  // A pager that may have been told already is asked again, whatever holds by now.
  const isAgain = due === handOver.calls.length - 1;
  if (!isAgain && (await isHeldBack(handOver, tools))) return;
  if (due === 'nobody') {
    await store.change(id, (current) => giveUp(current, clock()));
    return;
  }
  const target = handOver.targets[due] ?? '';
  const problem = await problemOf(target, handOver, slack);
  const patienceMs = Math.round(fleet().approvals.handOverMinutes * msPerMinute);
  const called = await store.change(id, (current) =>
    beginCall(current, due, clock(), { patienceMs, problem }),
  );
  const pager = pagerOf(target);
  if (called !== undefined && pager !== undefined) await page(called, due, pager, tools, signal);
}

/** Ends one because of a silence, and notes that with the silence. What people agreed to escalate goes on. */
async function isHeldBack(
  { id, because, machine, what }: HandOver,
  { store, silences, fleet, clock }: HandOverTools,
): Promise<boolean> {
  const known = fleet().machines.get(machine);
  if (because === 'approved' || known === undefined) return false;
  const silence = silenceFor(await silences.holding(), known, clock());
  if (silence === undefined) return false;
  await silences.holdBack(silence, [{ kind: 'escalation', machine, what }], id);
  const reason = silencedWords(silence);
  const by = silence.by.kind === 'person' ? { by: silence.by } : {};
  await store.change(id, (current) => silenceHandOver(current, { reason, ...by }, clock()));
  return true;
}

/** Why a target of Slack cannot be called: a person or group in the thread, a channel in itself. */
async function problemOf(
  target: string,
  { origin }: HandOver,
  { isOutside }: OnCallSlack,
): Promise<string | undefined> {
  const channel = isChannel(target) ? target : origin.channel;
  if (pagerOf(target) !== undefined || !(await isOutside(channel))) return undefined;
  return `Nothing can be said in channel ${channel}: fleetbot is not in it, or it is archived.`;
}

/** Calls a pager, unless somebody has it by then. */
async function page(
  handOver: HandOver,
  index: number,
  pager: string,
  { store, pagers, slack, clock }: HandOverTools,
  signal: AbortSignal,
): Promise<void> {
  const call = handOver.calls[index];
  if (handOver.state !== 'calling' || call === undefined || !isUnanswered(handOver, call)) return;
  const thread = await slack.link(handOver.origin);
  const problem = await pagers.call(pager, { handOver, thread }, signal);
  await store.change(handOver.id, (current) => endCall(current, index, problem, clock()));
}
