import { givesVerb } from './access.ts';
import type { Risk } from './action.ts';
import type { Round } from './approval.ts';
import type { Fleet } from './fleet.ts';
import type { Machine } from './machine.ts';
import { personBehind, type Requester } from './requester.ts';
import { parseSelector } from './selector.ts';

const msPerMinute = 60_000;

/** How many people and groups one card mentions at most. */
export const maxMentioned = 5;

/** Who is asked when: first those who may approve it by the fleet file's rows, then one after the other of `passOn`. */
export function roundsOf(
  fleet: Fleet,
  machine: Machine,
  risk: Risk,
  requester: Requester,
  askedAt: number,
): Round[] {
  const { expireMinutes, remindMinutes, passOn } = fleet.approvals;
  const lastsMs = Math.round(expireMinutes * msPerMinute);
  // A reminder of what was asked only just now is none.
  const remindsMs = remindMinutes < expireMinutes ? Math.round(remindMinutes * msPerMinute) : 0;
  const others = passOn.filter((id) => id !== personBehind(requester)?.userId);
  return [approversOf(fleet, machine, risk, requester), ...others.map((id) => [id])].map((mention, index) => {
    const endsAt = askedAt + (index + 1) * lastsMs;
    return { mention, remindAt: endsAt - remindsMs, endsAt };
  });
}

/** User groups, then people; never the requester, who may not approve it. */
function approversOf(fleet: Fleet, machine: Machine, risk: Risk, requester: Requester): string[] {
  const rows = fleet.access.filter(
    (rule) => givesVerb(rule, 'approve', risk) && parseSelector(rule.machines)(machine),
  );
  const ids = [...rows.flatMap(({ groups }) => groups), ...rows.flatMap(({ people }) => people)];
  return [...new Set(ids)].filter((id) => id !== personBehind(requester)?.userId).slice(0, maxMentioned);
}
