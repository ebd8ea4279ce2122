import { formatCount, formatMoment } from '../../fleet/format.ts';
import type { Incident, IncidentAlert, Investigation } from '../../fleet/incident.ts';
import { targetsOf } from '../../fleet/incident-targets.ts';
import { investigateAgainActionId } from '../action-ids.ts';
import type { TraceLink } from '../ports.ts';
import { codeSpan, mention, notice, prose } from './safe-text.ts';
import { tracesButton } from './trace-button.ts';
import { button, buttonRow, compose, context, section, type View } from './view.ts';
import { span } from './words.ts';

/** How many of each are named; the rest is counted. */
const shownAlerts = 3;
const shownKinds = 12;
const shownProblems = 3;
const shownInvestigations = 40;

const nameChars = 64;
const titleChars = 200;
const alertChars = 300;
const problemChars = 600;
const heldBackChars = 300;

/** `block_id` of an incident's message, by which recovery finds it. */
export const incidentMainBlockId = (id: string) => `incident:${id}:main`;
export const incidentClosedBlockId = (id: string) => `incident:${id}:closed`;

const counted = (count: number, what: string) => `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`;

const times = (count: number) => (count === 1 ? 'once' : `${formatCount(count)} times`);

/** The state of its alerts, title first. */
function stateLine({ storm, title, closedAt, counts: { alerts, firing } }: Incident): string {
  const name = `*${prose(title, titleChars)}*`;
  if (closedAt !== undefined) {
    return firing === 0
      ? `:white_check_mark: ${name} · resolved: ${alerts === 1 ? 'its alert' : `all ${counted(alerts, 'alert')}`}`
      : `:zzz: ${name} · told no more: ${formatCount(firing)} of ${counted(alerts, 'alert')} never resolved`;
  }
  const icon = storm ? ':ocean:' : firing === 0 ? ':large_green_circle:' : ':rotating_light:';
  if (alerts === 1) return `${icon} ${name} · ${firing === 0 ? 'resolved' : 'firing'}`;
  return `${icon} ${name} · ${formatCount(firing)} of ${counted(alerts, 'alert')} firing, ${formatCount(alerts - firing)} resolved`;
}

/** `10,000 alerts in 12 kinds: DiskAlmostFull 4,000 · …`; nothing where all have one name. */
function kindsLine({ kinds, counts: { alerts } }: Incident): readonly string[] {
  if (kinds.length < 2) return [];
  const shown = kinds.slice(0, shownKinds);
  const rest = alerts - shown.reduce((sum, kind) => sum + kind.alerts, 0);
  const names = shown.map((kind) => `${prose(kind.name, nameChars)} ${formatCount(kind.alerts)}`);
  const others = rest > 0 ? [`others ${formatCount(rest)}`] : [];
  return [`${counted(alerts, 'alert')} by kind: ${[...names, ...others].join(' · ')}`];
}

/** What the alerts say, where the monitoring's own message does not stand above. */
function alertLines({ threadTs, storm, alerts }: Incident): readonly string[] {
  if (threadTs !== undefined || storm) return [];
  const firing = alerts.filter(({ status }) => status === 'firing');
  const newest = (firing.length > 0 ? firing : alerts).slice(-shownAlerts).toReversed();
  return newest.map((alert) => `> ${prose(words(alert), alertChars)}`);
}

const words = ({ name, machine, text }: IncidentAlert) =>
  `${machine ?? name}: ${text.trim() === '' ? name : text}`;

/** The newest of each machine and check. */
function latest(investigations: readonly Investigation[]): readonly Investigation[] {
  return [...new Map(investigations.map((each) => [`${each.machine} ${each.check}`, each])).values()];
}

function investigationLine({ machine, check, run, heldBack, by }: Investigation): string {
  const what = `*${prose(machine, nameChars)}* · check ${prose(check, nameChars)}`;
  if (run === undefined) {
    const why = notice((heldBack ?? '').replace(/\s+/g, ' '), heldBackChars);
    return `:double_vertical_bar: ${what} · not looked at: ${why}`;
  }
  return `:mag: ${what} · ${codeSpan(run, nameChars)}${by === undefined ? '' : ` asked for by ${mention(by)}`}`;
}

/** What is looked at and what is not, and why. */
function investigationLines(incident: Incident): readonly string[] {
  const { investigations, notInvestigated, closedAt } = incident;
  const all = latest(investigations);
  const more = Math.max(0, all.length - shownInvestigations);
  const lines = all.slice(-shownInvestigations).map(investigationLine);
  if (more > 0) lines.push(`and ${formatCount(more)} more`);
  if (notInvestigated > 0) {
    lines.push(
      `:no_entry: ${counted(notInvestigated, 'more machine')} not looked at: \`alerts.machinesPerIncident\` is how many an incident looks at`,
    );
  }
  if (lines.length > 0 || targetsOf(incident).length === 0) return lines;
  return closedAt === undefined
    ? [':hourglass_flowing_sand: gathering alerts before machines are looked at']
    : ['no machine was looked at: it was over before'];
}

/** Each reason why nobody looks once, with what to do about it. */
function unmatchedLines({ alerts, counts }: Incident): readonly string[] {
  if (counts.unmatched === 0) return [];
  const byProblem = Map.groupBy(
    alerts.filter(({ problem }) => problem !== undefined),
    ({ problem = '' }) => problem,
  );
  const shown = [...byProblem].slice(0, shownProblems);
  const named = shown.reduce((sum, [, those]) => sum + those.length, 0);
  const rest = counts.unmatched - named;
  const lines = shown.map(
    ([problem, those]) =>
      `:grey_question: ${counted(those.length, 'alert')} nobody looks into: ${prose(problem, problemChars)}`,
  );
  return rest > 0 ? [...lines, `:grey_question: ${counted(rest, 'more alert')} nobody looks into`] : lines;
}

/**
 * The one message of an incident, as its record is now.
 *
 * @param traceLink to the list of its runs' traces
 */
export function incidentMainView(incident: Incident, traceLink: TraceLink): View {
  const { id, source, counts, openedAt, closedAt, investigations } = incident;
  const looked = investigations.some(({ run }) => run !== undefined);
  const state = stateLine(incident);
  const { view } = compose({
    text: state,
    head: [section([state, ...kindsLine(incident)].join('\n'), incidentMainBlockId(id))],
    body: [...alertLines(incident), ...investigationLines(incident), ...unmatchedLines(incident)],
    tail: [
      context([
        `told ${times(counts.notifications)} by ${prose(source, nameChars)}`,
        `since ${formatMoment(openedAt)}`,
        ...(closedAt === undefined ? [] : [`closed after ${span(closedAt - openedAt)}`]),
        ...(looked ? ['the answers are in this thread'] : []),
        codeSpan(id, nameChars),
      ]),
      ...buttonRow(`incident:${id}:buttons`, [
        ...(targetsOf(incident).length === 0
          ? []
          : [button('Investigate again', investigateAgainActionId, { value: id })]),
        ...(looked ? tracesButton(traceLink) : []),
      ]),
    ],
    more: (count) => `and ${formatCount(count)} more lines`,
  });
  return view;
}

/** The line that ends the thread; undefined while the incident is open. */
export function incidentClosedView(incident: Incident): View | undefined {
  const { id, title, closedAt, openedAt, counts, investigations } = incident;
  if (closedAt === undefined) return undefined;
  const name = `*${prose(title, titleChars)}*`;
  const took = span(closedAt - openedAt);
  const head =
    counts.firing === 0
      ? `:white_check_mark: ${name} is resolved after ${took}`
      : `:zzz: ${name} is told no more, and was not resolved; closed after ${took}`;
  const runs = latest(investigations).filter(({ run }) => run !== undefined).length;
  const sums = `${counted(counts.alerts, 'alert')}, told ${times(counts.notifications)} · ${counted(runs, 'machine')} looked at`;
  return compose({
    text: head,
    head: [section(`${head}\n${sums}`, incidentClosedBlockId(id))],
    body: [],
    tail: [],
    more: () => '',
  }).view;
}
