import type { Approval, ApprovalDecision, QuestionSubject, Vote } from '../fleet/approval.ts';
import { latestFindings } from '../fleet/latest-findings.ts';
import { roundUsd } from '../fleet/money.ts';
import { describeTask, paramWords } from '../fleet/request.ts';
import { personBehind, type Requester, requesterWord } from '../fleet/requester.ts';
import type { ActionRecord, Run } from '../fleet/run.ts';
import { type Attributes, findingList, paragraphs, toolAttributes } from './attributes.ts';

/*
 * What a run's record says, in the names and values of `attributes.ts`.
 */

/** Attributes of the root span: what was asked by whom, what came of it, and tags to search by. */
export function rootAttributes(run: Run): Attributes {
  const { request } = run;
  return {
    'mlflow.spanType': 'AGENT',
    'mlflow.spanInputs': `${describeTask(request.task)} on ${request.machine}`,
    'mlflow.spanOutputs': outcomeText(run),
    'gen_ai.operation.name': 'invoke_agent',
    'gen_ai.agent.name': request.machine,
    'gen_ai.conversation.id': sessionOf(run),
    'session.id': sessionOf(run),
    'user.id': requesterWord(request.requester),
    ...tag('host', request.machine),
    ...tag('machine', request.machine),
    ...tag('run', run.id),
    ...tag('task', request.task.kind),
    ...tag('check', request.task.kind === 'check' ? request.task.check : undefined),
    ...tag('verdict', run.verdict),
    ...tag('failure', run.failure?.code),
    ...tag('inertness', run.inertness),
    ...tag('action', actionName(run)),
    ...tag('approval', run.approval?.state),
    ...tag('outcome', run.action?.outcome),
    ...tag('effect', run.action?.effect),
    ...tag('channel', request.origin.channel),
    ...tag('campaign', request.campaign),
    ...tag('withheld', run.withheld && `${run.withheld.moment}: ${run.withheld.kind}`),
    ...tag('cancelled_by', run.cancellation?.userId),
    ...tag('peers', run.peers?.campaign),
    ...tag('person', personBehind(request.requester)?.userId),
    ...becauseOf(request.requester),
  };
}

/**
 * What it was asked because of, where no person asked for it by hand: to find all that an incident, a schedule or
 * another machine's run led to.
 */
function becauseOf(requester: Requester): Attributes {
  switch (requester.kind) {
    case 'person':
      return {};
    case 'alert':
      return tag('incident', requester.incident);
    case 'schedule':
      return tag('schedule', requester.schedule);
    case 'supervisor':
      return {
        'fleet.asked_by_machine': requester.machine,
        'fleet.asked_by_run': requester.run,
        ...tag('asked_by_machine', requester.machine),
        ...tag('asked_by_run', requester.run),
      };
  }
}

/** Attributes of `message.queued`: the time until a worker took it up, or until it ended in the queue. */
export function queuedAttributes(): Attributes {
  return { 'mlflow.spanType': 'TASK' };
}

/** Attributes of `run.completed`: the outcome and the totals, under our own names so that nothing is counted twice. */
export function completedAttributes(run: Run, durationMs: number): Attributes {
  const { diagnosis, withheld, askedBefore, cancellation } = run;
  return {
    'mlflow.spanType': 'TASK',
    'fleet.outcome': run.verdict ?? 'failed',
    'fleet.duration_ms': durationMs,
    'fleet.findings': run.findings.length,
    'fleet.commands': run.evidence?.outputs.length ?? 0,
    'fleet.activations': diagnosis?.activations ?? 0,
    'fleet.tool_calls': diagnosis?.toolCalls.length ?? 0,
    ...(diagnosis?.usage && {
      'fleet.input_tokens': diagnosis.usage.inputTokens,
      'fleet.output_tokens': diagnosis.usage.outputTokens,
    }),
    ...(diagnosis?.costUsd !== undefined && { 'fleet.cost_usd': roundUsd(diagnosis.costUsd) }),
    ...(diagnosis?.failure && { 'fleet.agent_failure': diagnosis.failure.message }),
    ...(withheld && { 'fleet.withheld': `${withheld.moment}: ${withheld.reason}` }),
    ...(askedBefore && {
      'fleet.asked_before': askedBefore.kind === 'question' ? askedBefore.run : askedBefore.handOver,
    }),
    ...(cancellation && { 'fleet.cancelled_by': cancellation.userId }),
    ...(cancellation?.halt !== undefined && { 'fleet.halt': cancellation.halt }),
  };
}

/** Attributes of `approval`: what people were asked and why, and who decided what. */
export function approvalAttributes({ question, state, round, votes }: Approval): Attributes {
  const { subject, risk, proposedBy, requester, why, taints } = question;
  const by = (kind: Vote['decision']['kind']) =>
    votes.filter(({ decision }) => decision.kind === kind).map(({ decision }) => decision.by.userId);
  const reasons = votes.flatMap(({ decision }) => decision.reason ?? []);
  return {
    'mlflow.spanType': 'TASK',
    'mlflow.spanInputs': `${describeSubject(subject)} on ${question.machine}: ${why}`,
    'mlflow.spanOutputs': [state, ...reasons].join(': '),
    'fleet.approval': question.id,
    'fleet.state': state,
    'fleet.risk': risk,
    'fleet.proposed_by': proposedBy,
    'fleet.requested_by': requesterWord(requester),
    'fleet.approved_by': by('approve').join(' '),
    'fleet.denied_by': by('deny').join(' '),
    'fleet.rounds': round + 1,
    ...(taints.length > 0 && { 'fleet.tainted': taints.map(({ param }) => param).join(' ') }),
    ...(subject.kind === 'action' && { 'fleet.digest': subject.digest }),
    ...(subject.kind === 'escalation' && { 'fleet.on_call': subject.to.join(' ') }),
  };
}

/** Attributes of `approval.vote`: one person's word, and why. */
export function voteAttributes({ kind, by, groups, reason }: ApprovalDecision): Attributes {
  return {
    'mlflow.spanType': 'TASK',
    'mlflow.spanOutputs': reason === undefined ? kind : `${kind}: ${reason}`,
    'fleet.person': by.userId,
    'fleet.decision': kind,
    'fleet.groups': groups.join(' '),
    ...(reason !== undefined && { 'fleet.reason': reason }),
  };
}

/** Attributes of `action`: what the machine was asked to run, and what became of it. */
export function actionAttributes(run: Run, { question, votes }: Approval, action: ActionRecord): Attributes {
  const { subject } = question;
  const argv = subject.kind === 'action' ? subject.argv : [];
  const approvers = votes.filter(({ decision }) => decision.kind === 'approve');
  return {
    ...toolAttributes(run, actionName(run) ?? '', argv.join(' '), `${action.stdout}${action.stderr}`),
    'fleet.approval': question.id,
    'fleet.approved_by': approvers.map(({ decision }) => decision.by.userId).join(' '),
    'fleet.detail': action.detail,
    ...(subject.kind === 'action' && { 'fleet.digest': subject.digest }),
    ...(action.outcome && { 'fleet.outcome': action.outcome }),
    ...(action.effect && { 'fleet.effect': action.effect }),
    ...(typeof action.exitCode === 'number' && { 'process.exit.code': action.exitCode }),
  };
}

function describeSubject(subject: QuestionSubject): string {
  return subject.kind === 'action' ? [subject.action, ...paramWords(subject.params)].join(' ') : 'escalate';
}

/** The action that people were asked about, or that a person asked for. */
function actionName({ request: { task }, approval }: Run): string | undefined {
  const subject = approval?.question.subject;
  if (subject?.kind === 'action') return subject.action;
  return task.kind === 'act' ? task.action : undefined;
}

/** What belongs together for people: a campaign, a thread, what it is answered under, or the run alone. */
function sessionOf({ id, request: { campaign, origin } }: Run): string {
  return campaign ?? (origin.threadTs ? `${origin.channel}:${origin.threadTs}` : (origin.under ?? id));
}

function outcomeText(run: Run): string {
  const { after, before, outcome, detail } = run.action ?? {};
  const earlier = after && before ? before.findings : [];
  return paragraphs([
    run.verdict ?? 'failed',
    findingList(latestFindings(run)),
    run.failure?.message,
    outcome && `${actionName(run) ?? 'action'}: ${outcome}. ${detail}`,
    earlier.length > 0 ? `Before:\n${findingList(earlier)}` : undefined,
    run.diagnosis?.comment && `Agent: ${run.diagnosis.comment}`,
  ]);
}

/** An attribute of the root span that MLflow turns into a tag of the trace. */
function tag(name: string, value: string | undefined): Attributes {
  return value === undefined ? {} : { [`mlflow.traceTag.fleet.${name}`]: value };
}
