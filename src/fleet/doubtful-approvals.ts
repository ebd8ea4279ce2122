import type { LocatedProblem } from './describe-issue.ts';
import type { Fleet } from './fleet.ts';

/** What is said about asking people that does not do what it seems to: reminders that never come, names that stand twice. */
export function doubtfulApprovals({ approvals }: Fleet): LocatedProblem[] {
  const { remindMinutes, expireMinutes, passOn, onCall } = approvals;
  const reminder = {
    path: ['approvals', 'remindMinutes'],
    problem: `nobody is reminded: the reminder is due ${remindMinutes} minutes before the end, and what is asked expires after ${expireMinutes}`,
    cure: 'Make it less than expireMinutes',
  };
  return [
    ...(remindMinutes < expireMinutes ? [] : [reminder]),
    ...twice('passOn', passOn),
    ...twice('onCall', onCall),
  ];
}

function twice(key: string, targets: readonly string[]): LocatedProblem[] {
  return targets.flatMap((target, index) =>
    targets.indexOf(target) === index
      ? []
      : [
          {
            path: ['approvals', key, index],
            problem: `"${target}" stands there twice, so it is asked again in place of somebody else`,
            cure: 'Remove one of the two',
          },
        ],
  );
}
