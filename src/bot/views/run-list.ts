import type { Run } from '../../fleet/run.ts';
import { requesterWords } from './requester-words.ts';
import { codeSpan, prose } from './safe-text.ts';
import { compose, doubtLine, header, section, type View } from './view.ts';
import { inertnessAlarm, runVerdictWords, span, stateWords, taskWords } from './words.ts';

/** A run in one line. */
export function runLine(run: Run, now: number): string {
  const { machine, task, requester, acceptedAt } = run.request;
  const parts = [
    runVerdictWords(run) ?? stateWords[run.state],
    `*${prose(machine, 64)}*`,
    taskWords(task),
    requesterWords(requester),
    `${span(now - acceptedAt)} ago`,
    ...(run.state === 'done' && run.inertness === 'unknown' ? [inertnessAlarm] : []),
    codeSpan(run.id, 64),
  ];
  return parts.join(' · ');
}

/** Runs, newest first, as they were at `now`; `none` stands where there are none, `doubt` says why there may be more. */
export function runListView(
  runs: readonly Run[],
  now: number,
  { none, doubt }: { readonly none: string; readonly doubt?: string | undefined },
): View {
  const title = 'Latest runs';
  return compose({
    text: title,
    head: [header(title), ...(runs.length === 0 ? [section(none)] : [])],
    body: runs.map((run) => runLine(run, now)),
    tail: doubtLine(doubt),
    more: (count) => `and ${count} more`,
  }).view;
}
