import { type Finding, type Severity, severities, type Verdict } from '../../fleet/finding.ts';
import { describeTask, type Task } from '../../fleet/request.ts';
import type { Run, RunState, Withheld } from '../../fleet/run.ts';
import { prose } from './safe-text.ts';

/** Icon and word of a verdict; the same everywhere. */
export const verdictWords: Readonly<Record<Verdict, string>> = {
  ok: ':large_green_circle: *ok*',
  warning: ':warning: *warning*',
  critical: ':red_circle: *critical*',
  inconclusive: ':grey_question: *inconclusive*',
  failed: ':x: *failed*',
  answered: ':speech_balloon: *answered*',
  cancelled: ':no_entry_sign: *cancelled*',
};

/** Of a run that was held back before it did anything. */
const notBegunWords: Readonly<Record<Withheld['kind'], string>> = {
  silenced: ':mute: *not begun*',
  resolved: ':white_check_mark: *not begun*',
  'over-budget': ':moneybag: *not begun*',
};

/**
 * A run's verdict, where it has one. Of an action that was not to be, what people or time decided stands in its place.
 */
export function runVerdictWords({
  withheld,
  verdict,
  request,
  approval,
  action,
  cancellation,
}: Run): string | undefined {
  if (verdict === undefined) return undefined;
  if (withheld?.moment === 'run') return notBegunWords[withheld.kind];
  if (request.task.kind !== 'act' || verdict !== 'cancelled') return verdictWords[verdict];
  if (approval?.state === 'denied') return ':no_entry_sign: *denied*';
  if (approval?.state === 'expired') return ':hourglass: *expired*';
  const never = approval === undefined && action?.outcome === 'not-begun' && cancellation === undefined;
  return never ? ':no_entry_sign: *not asked again*' : verdictWords.cancelled;
}

/** What a run is doing, in words for people. `done` never stands without a verdict. */
export const stateWords: Readonly<Record<RunState, string>> = {
  queued: ':hourglass_flowing_sand: queued: waiting for its turn on this machine',
  gathering: ':mag: gathering evidence on the machine',
  starting: ':rocket: starting the agent',
  tasking: ':microscope: agent is looking deeper…',
  stopping: ':octagonal_sign: stopping the agent and measuring that it is inactive',
  awaiting: ':bell: waits for people to decide',
  approved: ':ballot_box_with_check: approved: waiting for its turn on this machine',
  acting: ':hammer_and_wrench: carrying out what was approved',
  verifying: ':mag: measuring again',
  done: ':checkered_flag: done',
};

/** Whether people should look at a machine with this verdict. */
export function isNotOk(verdict: Verdict): boolean {
  return verdict !== 'ok' && verdict !== 'answered' && verdict !== 'cancelled';
}

/** Worst first; the order of the evidence within one severity, but the fullest first among the ok ones. */
export function worstFirst(findings: readonly Finding[]): readonly Finding[] {
  const rank = (severity: Severity) => severities.indexOf(severity);
  const fullness = (finding: Finding) =>
    finding.severity === 'ok' && finding.measure?.unit === '%' ? finding.measure.value : 0;
  return findings.toSorted((a, b) => rank(b.severity) - rank(a.severity) || fullness(b) - fullness(a));
}

/** Whether the finding's sentence begins with what it is about, so that this need not stand before it. */
export function namesItself({ subject, text }: Pick<Finding, 'subject' | 'text'>): boolean {
  return text.startsWith(subject);
}

/** A finding in plain text. */
export function findingWords(finding: Pick<Finding, 'subject' | 'text'>): string {
  return namesItself(finding) ? finding.text : `${finding.subject}: ${finding.text}`;
}

const questionChars = 300;

/** The task as a person would type it, safe to show. */
export function taskWords(task: Task): string {
  switch (task.kind) {
    case 'check':
      return `check ${prose(task.check, 64)}`;
    case 'ask':
      return `ask “${prose(task.question, questionChars)}”`;
    case 'act':
      return prose(describeTask(task), questionChars);
  }
}

/** A span of time with the precision that people need. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** When the run entered the state for the first or the last time. */
export function enteredAt(run: Run, state: RunState, which: 'first' | 'last'): number | undefined {
  const matches = run.timeline.filter((step) => step.state === state);
  return (which === 'first' ? matches.at(0) : matches.at(-1))?.at;
}

/** Beside a machine whose agent could not be measured inactive. */
export const inertnessAlarm = ':rotating_light: *INERTNESS UNKNOWN*';
