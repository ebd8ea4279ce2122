import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CampaignMember, TraceLink } from '../../../src/bot/ports.ts';
import { passedOnView, reminderView } from '../../../src/bot/views/approval-calls.ts';
import { approvalCardView } from '../../../src/bot/views/approval-card.ts';
import { approvalDetailsView } from '../../../src/bot/views/approval-details.ts';
import { approvalListView } from '../../../src/bot/views/approval-list.ts';
import type { AskingRun } from '../../../src/bot/views/approval-words.ts';
import { auditView } from '../../../src/bot/views/audit.ts';
import { campaignEntryView } from '../../../src/bot/views/campaign-entry.ts';
import { campaignMainView } from '../../../src/bot/views/campaign-main.ts';
import { cannotPostView } from '../../../src/bot/views/cannot-post.ts';
import { denyModal } from '../../../src/bot/views/deny-modal.ts';
import { digestMainView } from '../../../src/bot/views/digest-main.ts';
import { dryRunView } from '../../../src/bot/views/dry-run.ts';
import { feedbackModal } from '../../../src/bot/views/feedback-modal.ts';
import { findingNoticeView } from '../../../src/bot/views/finding-notice.ts';
import { haltMainView } from '../../../src/bot/views/halt-main.ts';
import { haltedLine } from '../../../src/bot/views/halted-line.ts';
import { handOverCallView, nobodyView } from '../../../src/bot/views/hand-over-calls.ts';
import { handOverMainView } from '../../../src/bot/views/hand-over-main.ts';
import { helpView, nothingAllowedView } from '../../../src/bot/views/help.ts';
import { incidentClosedView, incidentMainView } from '../../../src/bot/views/incident-main.ts';
import { machineDetailView } from '../../../src/bot/views/machine-detail.ts';
import { machineListView } from '../../../src/bot/views/machine-list.ts';
import { noticeView } from '../../../src/bot/views/notice.ts';
import { runDiagnosisView } from '../../../src/bot/views/run-diagnosis.ts';
import { runListView } from '../../../src/bot/views/run-list.ts';
import { runMainView } from '../../../src/bot/views/run-main.ts';
import { runOutcomeView } from '../../../src/bot/views/run-outcome.ts';
import { runVerdictView } from '../../../src/bot/views/run-verdict.ts';
import { scheduleAddedView, scheduleListView } from '../../../src/bot/views/schedules.ts';
import { silenceListView } from '../../../src/bot/views/silence-list.ts';
import { silenceEndView, silenceMainView } from '../../../src/bot/views/silence-main.ts';
import type { View } from '../../../src/bot/views/view.ts';
import { whyView } from '../../../src/bot/views/why.ts';
import type { Action } from '../../../src/fleet/action.ts';
import type { Question, QuestionSubject } from '../../../src/fleet/approval.ts';
import { auditItems, tallyDeeds } from '../../../src/fleet/audit/audit-items.ts';
import { Deeds } from '../../../src/fleet/audit/deeds.ts';
import { builtInChecks } from '../../../src/fleet/checks/index.ts';
import { driftParts } from '../../../src/fleet/drift.ts';
import { severities, verdicts } from '../../../src/fleet/finding.ts';
import { type Halt, haltOutcomes } from '../../../src/fleet/halt.ts';
import type { HandOver } from '../../../src/fleet/hand-over.ts';
import type { LedgerEntry } from '../../../src/fleet/ledger-entry.ts';
import { type Machine, machineSchema } from '../../../src/fleet/machine.ts';
import { type ActionRecord, type Run, runStates } from '../../../src/fleet/run.ts';
import type { Schedule } from '../../../src/fleet/schedule.ts';
import { heldBackKinds } from '../../../src/fleet/silence.ts';
import { spentBy, sumOf } from '../../../src/fleet/spending.ts';
import { anyText } from '../../support/any-text.ts';
import { blockProblems, modalProblems } from '../../support/block-limits.ts';
import { sampleHalt } from '../../support/sample-halt.ts';
import { sampleHandOver } from '../../support/sample-hand-over.ts';
import { sampleAlert, sampleIncident } from '../../support/sample-incident.ts';
import { sampleQuestion } from '../../support/sample-question.ts';
import { sampleCampaign, sampleRun } from '../../support/sample-run.ts';
import { sampleSilence } from '../../support/sample-silence.ts';

const longestLink = { url: `https://mlflow.example/${'x'.repeat(2_900)}` };

/** Everything foreign in every view, filled with one text, `count` times over. */
function everyView(text: string, count: number, base: Pick<Run, 'state' | 'verdict' | 'inertness'>): View[] {
  const many = Array.from({ length: count }, (_, index) => index);
  const run: Run = {
    ...sampleRun('r-1', base.state),
    ...base,
    request: {
      eventId: text,
      machine: text,
      task: { kind: 'ask', question: text },
      requester: { kind: 'person', userId: text, teamId: text },
      origin: { channel: text },
      acceptedAt: 0,
    },
    evidence: {
      check: text,
      collectedAt: '2026-11-22T10:00:01Z',
      outputs: many.map(() => ({
        argv: [text, text],
        exitCode: null,
        stdout: `${text}\n${text}`,
        stderr: text,
        truncated: true,
        durationMs: 1,
      })),
    },
    findings: many.map((index) => ({
      severity: severities[index % severities.length] ?? 'ok',
      subject: text,
      text,
      output: index,
    })),
    failure: { code: 'locked', message: text },
    diagnosis: {
      activations: 2,
      comment: `${text}\n${text}`,
      toolCalls: many.map((index) => ({
        id: text,
        tool: text,
        input: text,
        output: text,
        failed: index % 2 === 0,
        startedAt: 0,
        endedAt: 1e12,
      })),
      model: text,
      contradictions: many.map(() => text),
      proposal: { action: text, params: {}, source: text },
      proposalProblem: text,
      deniedCommands: many.map(() => ({ command: text, at: 0, nearest: text })),
      failure: { code: 'locked', message: text },
    },
    cancellation: { userId: text, at: 0 },
  };
  const { asking, action, plan } = everyQuestion(run, text, many);
  const plain = machineSchema.parse({
    name: 'web-01',
    address: 'x',
    ssh: {},
    hostKey: 'ssh-ed25519 AAAA',
    role: 'web',
    labels: {},
    expect: {},
    checks: [],
    customChecks: {},
    actions: [],
    agent: {},
    limits: {},
  });
  const checks = many.map((index) => `${text}${index}`);
  const custom = { summary: text, command: [text], exitCodes: [0], mustMatch: text };
  const machine: Machine = {
    ...plain,
    name: text,
    address: text,
    role: text,
    labels: Object.fromEntries(many.map((index) => [`${text}${index}`, text])),
    checks: [...builtInChecks.map((check) => check.name), ...checks],
    customChecks: Object.fromEntries(checks.map((name) => [name, custom])),
    expect: {
      ...plain.expect,
      disk: { ...plain.expect.disk, mounts: Object.fromEntries(checks.map((mount) => [mount, {}])) },
      services: { active: checks, warnOnFailed: true },
      logs: { ...plain.expect.logs, ignore: checks },
      kernel: { ...plain.expect.kernel, ignore: checks },
      certs: { ...plain.expect.certs, files: checks },
      network: { ...plain.expect.network, interfaces: checks, resolve: checks },
    },
  };
  const record = {
    name: text,
    fence: 1,
    waiting: 1,
    currentRunId: text,
    quarantine: { runId: text, reason: text, at: 0 },
    drift: { since: 0, parts: driftParts.map((part) => ({ part, expected: text, found: text })) },
  };
  const campaign = {
    ...sampleCampaign('c-1', [text]),
    selector: text,
    task: run.request.task,
    requester: run.request.requester,
    waves: [1, 2],
    handedIn: 1,
    machines: [text, text],
    stopped: { wave: 0, at: 0, why: text },
    continued: many.map((wave) => ({
      wave,
      by: { kind: 'person' as const, userId: text, teamId: text },
      at: 0,
    })),
    leftOut: many.map((index) => ({ machine: text, why: text + index })),
  };
  const person = { kind: 'person', userId: text, teamId: text } as const;
  const schedule: Schedule = {
    ...{ name: text, machines: text, task: run.request.task, channel: text, by: person },
    ...{ cron: '0 3 * * *', timeZone: 'America/Argentina/ComodRivadavia', jitterSeconds: 0 },
  };
  const members: CampaignMember[] = many.map((index) => ({
    machine: text,
    runId: text,
    state: 'done',
    verdict: verdicts[index % verdicts.length] ?? 'ok',
    inertnessUnknown: index % 2 === 0,
    alike: text + index,
  }));
  const haltMachines = new Map(many.map((index) => [`${text}${index}`, { ...plain, name: text }]));
  const halt: Halt = {
    ...sampleHalt({ reason: text, by: person }),
    // Selectors are the fleet file's language: any text would not be read.
    releases: many.map((index) => ({ selector: `none-${index}`, by: person, agreedBy: person, at: 0 })),
  };
  const haltMembers = new Map(
    [...haltMachines.keys()].map((name, index) => {
      const outcome = haltOutcomes[index % haltOutcomes.length] ?? 'failed';
      return [name, { outcome, detail: text, at: 0 }] as const;
    }),
  );
  const links: TraceLink[] = [
    { missing: text },
    { url: `https://mlflow.example/${'x'.repeat(text.length)}` },
  ];
  const found = [
    runVerdictView(run)?.view,
    runDiagnosisView(run)?.view,
    ...asking.flatMap((each) => [runOutcomeView(each)?.view]),
    ...handOvers(text).flatMap((each) => [
      handOverMainView(each),
      handOverCallView(each, text, 'call:0', undefined),
      handOverCallView(each, 'C0CALL', 'call:1', undefined),
      nobodyView(each, 'nobody'),
    ]),
  ].filter((view) => view !== undefined);
  return [
    ...links.flatMap((traceLink) => [
      runMainView(run, { traceLink, halt }),
      campaignEntryView(run, { traceLink }),
    ]),
    ...found,
    ...asking.flatMap((each) => [
      approvalCardView(each, new Map([[text, action]])),
      reminderView(each, 'reminder:0'),
      passedOnView(each, 'passed-on:1'),
      runMainView(each, { traceLink: links[0] ?? { missing: text } }),
      ...links.map((traceLink) => approvalDetailsView(each, { policy: many.map(() => text), traceLink })),
    ]),
    dryRunView(plan, { action, refusal: text, policy: many.map(() => text) }),
    whyView(
      { userId: text, verb: 'act', machine: text, action: text },
      many.map(() => text),
    ),
    approvalListView({
      toDecide: asking.map((each) => ({ run: each, card: undefined })),
      asked: asking.map((each) => ({ run: each, card: text })),
      now: 1e12,
      doubt: text,
    }),
    campaignMainView(campaign, members, {
      examples: new Map(members.map(({ runId }) => [runId, run])),
      now: 1e12,
      halted: new Map(many.map((index) => [{ ...halt, id: `h-${index}` }, [machine]])),
      ...{ unmentioned: 1, traceLink: longestLink },
    }),
    digestMainView({
      ...{ campaign: { ...campaign, requester: { kind: 'schedule', schedule: text, by: person } }, members },
      previous: { campaign: { ...campaign, leftOut: [] }, members: members.slice(1) },
      halted: new Map([[halt, [machine]]]),
      runs: members.map(({ runId }) => ({ ...run, id: runId, verdict: 'answered' })),
      traceLink: longestLink,
    }),
    scheduleAddedView(schedule, count, 1e12),
    scheduleListView([schedule], 1, 1e12, text),
    cannotPostView({ id: text, channel: text, code: 'not_in_channel', botName: text }),
    helpView(
      many.map(() => ({ usage: text, summary: text })),
      many.map((index) => `${text}${index}`),
      text,
    ),
    nothingAllowedView(text),
    machineListView(
      many.map(() => machine),
      {
        known: new Map([[text, { record, judged: run }]]),
        halted: new Set([machine]),
        silenced: new Set([machine]),
      },
      1e12,
      [text, text],
    ),
    machineDetailView(
      machine,
      record,
      many.map(() => run),
      1e12,
      {
        actions: new Map(many.map((index) => [`${text}${index}`, action])),
        halted: { halt, member: { outcome: 'failed', detail: text, at: 0 } },
        silence: sampleSilence({ reason: text, by: { kind: 'window', window: text } }),
        usedUp: many.map(() => ({
          ...{ budget: { name: text, usd: 1, per: 'day', people: ['U1'] }, period: text, anewAt: 0 },
          ...{ limitMicroUsd: 1, spent: sumOf([spentBy({})]) },
        })),
        costs: [{ days: 7, spent: sumOf([spentBy({})]) }],
        trend: many.map(() => ({
          ...run,
          request: { ...run.request, task: { kind: 'check', check: text } },
        })),
      },
    ),
    ...[halt, { ...halt, releases: [], resumeWish: { selector: text, by: person, at: 0 } }].map(
      (each) => haltMainView(each, haltMembers, haltMachines).view,
    ),
    ...everyIncident(text, many),
    everyAudit(text, many),
    ...everySilence(text, many, machine),
    findingNoticeView({
      id: 'n-1',
      kind: 'foreign-lock',
      machine: text,
      channel: text,
      text,
      runId: text,
      at: 0,
    }),
    noticeView({ title: text, text, kind: 'error' }),
    noticeView({ text, lines: many.map(() => haltedLine(halt, [machine])), kind: 'info' }),
    runListView(
      many.map(() => run),
      1e12,
      { none: 'No runs yet.', doubt: text },
    ),
  ];
}

/** A silence open and over, and the list of many, with everything that they can hold. */
function everySilence(text: string, many: readonly number[], machine: Machine): readonly View[] {
  const heldBack = many.flatMap((index) =>
    heldBackKinds.map((kind) => ({ kind, machine: text, what: text, times: 1e6 + index })),
  );
  const by = { kind: 'person', userId: text, teamId: text } as const;
  const silence = sampleSilence({ machines: text, reason: text, by });
  const state = { silence, heldBack, over: false };
  const still = [{ silence, machines: [machine] }];
  const machines = [machine, machine];
  const window = { name: text, machines: text, cron: text, minutes: 10_080, reason: text };
  return [
    silenceMainView(state),
    silenceMainView({ ...state, over: true }, still),
    silenceEndView(state, 'silence:s-1:end', still),
    silenceEndView({ ...state, silence: { ...silence, by: { kind: 'window', window: text } } }, 'w'),
    silenceListView({
      holding: many.map(() => ({ machines, all: false, silence })),
      next: many.map(() => ({ machines, all: false, window, begin: 0 })),
      doubt: text,
    }),
  ];
}

/** An audit in which every fact says the text. */
function everyAudit(text: string, many: readonly number[]): View {
  const deeds = new Deeds();
  const person = { kind: 'person', userId: text, teamId: text } as const;
  for (const index of many.slice(0, 40)) {
    const [run, machine, at] = [`r-${index}`, text, index];
    const told: readonly LedgerEntry[] = [
      {
        ...({ kind: 'request.accepted', at, by: person, eventId: text, origin: { channel: text } } as const),
        ...{
          task: { kind: 'ask', question: text },
          campaign: `c-${index % 3}`,
          runs: [{ run, machine, trace: text }],
        },
      },
      {
        ...({
          kind: 'approval.decided',
          at,
          by: person,
          approval: `a-${index}`,
          machine,
          reason: text,
        } as const),
        ...{ decision: 'deny', groups: [text, text] },
      },
      { kind: 'halt.began', at, by: person, halt: `${text}${index}`, selector: text, reason: text },
      { kind: 'request.denied', at, by: person, what: text, target: text, reason: text },
    ];
    for (const [place, entry] of told.entries()) deeds.add({ position: `${index}-${place}`, entry });
  }
  return auditView({
    ...{ machines: text, person: text, period: { words: text, from: 1 } },
    ...{ items: auditItems(deeds.all()), tally: tallyDeeds(deeds.all()), notes: [`Slack says: ${text}`] },
    linkTo: () => ({ missing: text }),
  });
}

/** An incident open, closed and as a storm, with everything that it can hold. */
function everyIncident(text: string, many: readonly number[]): readonly View[] {
  const counts = { alerts: 1e6, firing: 0, notifications: 1e7, unmatched: 1e6 };
  const open = sampleIncident({
    ...{ title: text, source: text, channel: text, counts, notInvestigated: 1e6 },
    alerts: many.map((index) =>
      sampleAlert(text, { name: text, text, ...(index % 2 === 0 && { problem: `${text}${index}` }) }),
    ),
    kinds: many.map(() => ({ name: text, alerts: 1 })),
    investigations: many.map((index) => {
      const what = { machine: `${text}${index}`, check: text, at: 0 };
      return index % 2 === 0 ? { ...what, run: text, by: text } : { ...what, heldBack: text };
    }),
  });
  const closed = { ...open, closedAt: 1e12 };
  const all = [open, { ...open, storm: true }, closed].map((each) => incidentMainView(each, longestLink));
  return [...all, incidentClosedView(closed)].filter((view) => view !== undefined);
}

/** A hand-over in every state; every target could not be reached. */
function handOvers(text: string): readonly HandOver[] {
  const targets = Array.from({ length: 10 }, (_each, index) => `pager:${text}${index}`);
  const calls = targets.map((_target, target) => ({ target, at: 0, problem: text }));
  const by = { kind: 'person', userId: text, teamId: text } as const;
  return (['calling', 'taken', 'delivered', 'nobody', 'silenced'] as const).map((state) =>
    sampleHandOver({
      ...{ targets: [...targets, text], calls, state, machine: text, why: text, origin: { channel: text } },
      ...(state === 'taken' && { takenBy: { by, at: 0 } }),
      ...(state === 'silenced' && { silenced: { reason: text, by, at: 0 } }),
    }),
  );
}

/** The run as it asks people everything in every way. */
function everyQuestion(run: Run, text: string, many: readonly number[]) {
  const words = many.map(() => text);
  const texts = Object.fromEntries(many.map((index) => [`${text}${index}`, text]));
  const person = { kind: 'person', userId: text, teamId: text } as const;
  const subjects: readonly QuestionSubject[] = [
    {
      ...{ kind: 'action', action: text, params: texts, argv: [text, ...words], digest: text },
      undo: { action: text, params: texts, argv: words },
    },
    { kind: 'escalation', to: words },
  ];
  const measured = { findings: run.findings, verdict: 'critical' } as const;
  const outcome: ActionRecord = {
    ...{ detail: text, stdout: text, stderr: text, outcome: 'unknown', effect: 'worse', exitCode: null },
    ...{ before: measured, after: measured, begunAt: 0, endedAt: 1e12 },
  };
  const asking = subjects.flatMap((subject) =>
    (['waiting', 'denied', 'approved'] as const).map((state): AskingRun => {
      const question: Question = {
        ...sampleQuestion(run),
        ...{ machine: text, subject, why: text, proposedBy: 'agent', requester: person },
        taints: many.map(() => ({ param: text, value: text, source: text })),
        rounds: [{ mention: words.slice(0, 5), remindAt: 0, endsAt: 0 }],
      };
      const decision = { approval: text, question: text, groups: words, by: person, reason: text, at: 0 };
      const votes = (['approve', 'deny'] as const).map((kind) => ({
        decision: { ...decision, kind, eventId: text },
        signature: text,
      }));
      const approval = { question, state, round: 0, reminded: true, votes, settledAt: 0 };
      return { ...run, approval, action: outcome };
    }),
  );
  const action: Action = {
    ...{ summary: text, argv: [text], risk: 'reversible', verify: text },
    params: { [text]: { type: 'choice', values: [text], default: text } },
    precondition: { check: text, subject: text, severities: ['warning'] },
    ...{ timeoutSeconds: 1, interruptible: false },
  };
  const [subject] = subjects;
  if (subject?.kind !== 'action') throw new Error('no action');
  return { asking, action, plan: { ...sampleQuestion(run), machine: text, rounds: [], subject } };
}

function textsOf(view: View): { mrkdwn: string[]; plain: string[]; verbatim: boolean } {
  const mrkdwn: string[] = [];
  const plain: string[] = [];
  let verbatim = true;
  for (const block of view.blocks) {
    const elements =
      block.type === 'section' || block.type === 'header'
        ? [block.text]
        : block.type === 'context'
          ? block.elements
          : block.type === 'actions'
            ? block.elements.map((element) => (element.type === 'button' ? element.text : undefined))
            : [];
    for (const element of elements) {
      if (element?.type === 'mrkdwn') {
        mrkdwn.push(element.text);
        verbatim &&= element.verbatim === true;
      }
      if (element?.type === 'plain_text') plain.push(element.text);
    }
  }
  return { mrkdwn, plain, verbatim };
}

const states = fc.record({
  state: fc.constantFrom(...runStates),
  verdict: fc.constantFrom(undefined, ...verdicts),
  inertness: fc.constantFrom('never-started' as const, 'inactive' as const, 'unknown' as const),
});
const worst = { state: 'done', verdict: 'critical', inertness: 'unknown' } as const;

/** Most are longer than the longest text that Slack takes, of 40,000 characters; more only takes longer. */
const monsters = [
  '&'.repeat(50_000),
  '<!channel> '.repeat(4_000),
  '`'.repeat(9_999),
  '```'.repeat(5_000),
  '😀'.repeat(20_000),
  '"\\\n'.repeat(14_000),
  '\n'.repeat(5_000),
  'x'.repeat(50_000),
  'one short line\n'.repeat(3_000),
  '\u0000\u001b[31m\u202e',
  '\ud83d',
  '',
  ' ',
];

/** Some of several code points. */
const graphemes = fc.constantFrom('a', ' ', '\n', '`', 'e\u0301', 'ß', '漢', '👩‍👩‍👧‍👦', '🇩🇪', '👍🏽', 'नि');

const attack =
  '<!here> <!channel> <@U0EVIL> <#C0EVIL|x> <https://evil.example|ok> @channel @here @everyone *bold* _italic_ ~gone~ `code` ```fence``` :large_green_circle: ok\n> quoted\n&lt;!here&gt;';

describe('every view', () => {
  it.each(monsters.map((text) => ({ name: JSON.stringify(text).slice(0, 16), text })))(
    'stays within the limits of Slack when everything in it is $name…',
    ({ text }) => {
      // Of many, each is shorter: their sum is what matters then.
      for (const [each, count] of [[text, 1] as const, [text.slice(0, 4_000), 60] as const]) {
        for (const view of everyView(each, count, worst)) {
          expect(blockProblems(view.blocks)).toEqual([]);
          expect(view.text.length).toBeLessThanOrEqual(40_000);
          expect(view.text).not.toBe('');
        }
      }
    },
  );

  it('of a window stays within the limits of Slack, too', () => {
    for (const text of monsters) {
      const { asking } = everyQuestion(sampleRun('r-1', 'awaiting'), text.slice(0, 3_000), [0, 1]);
      for (const run of asking) {
        expect(modalProblems(denyModal(run))).toEqual([]);
        expect(modalProblems(feedbackModal(run, 'bad'))).toEqual([]);
      }
    }
  });

  it('stays within the limits of Slack with any text in any state', () => {
    fc.assert(
      fc.property(
        fc.oneof(anyText({ maxLength: 6_000 }), fc.string({ maxLength: 300, unit: graphemes })),
        fc.integer({ min: 0, max: 60 }),
        states,
        (text, count, base) => {
          for (const view of everyView(text, count, base)) expect(blockProblems(view.blocks)).toEqual([]);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('cuts neither an escape nor a pair of surrogates in two', () => {
    const brokenEscape = /&(?!amp;|lt;|gt;)/;
    const pieces = fc.array(fc.constantFrom('&', '<', '>', '😀', 'a', '\n', '`'), { maxLength: 4_000 });
    fc.assert(
      fc.property(pieces, (parts) => {
        for (const view of everyView(parts.join(''), 3, worst)) {
          for (const text of [view.text, ...textsOf(view).mrkdwn]) {
            expect(text).not.toMatch(brokenEscape);
            expect(text.isWellFormed()).toBe(true);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it('turns nothing that was written elsewhere into a mention, a link or formatting', () => {
    for (const view of everyView(attack, 3, worst)) {
      const { mrkdwn, plain, verbatim } = textsOf(view);
      expect(verbatim).toBe(true);
      for (const text of [view.text, ...mrkdwn, ...plain]) {
        expect(text).not.toMatch(/</);
        expect(text).not.toMatch(/@(channel|here|everyone)/i);
      }
      for (const text of mrkdwn) {
        // What is left outside code is ours; the attack's own formatting is not among it.
        const outside = text.replace(/```\n[\s\S]*?\n```/g, '').replace(/`[^`\n]*`/g, '');
        expect(outside).not.toMatch(/`|\*bold|_italic|~gone|:large_green_circle: ok\b/);
      }
    }
  });

  it('keeps a code block closed around any output', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('`', '``', '```', 'a', '\n', '\u200b'), { maxLength: 3_000 }),
        (parts) => {
          for (const view of everyView(parts.join(''), 2, worst)) {
            for (const text of textsOf(view).mrkdwn) expect((text.match(/```/g) ?? []).length % 2).toBe(0);
          }
        },
      ),
      { numRuns: 20 },
    );
  });
});
