import type { Approval, QuestionSubject, Vote } from '../fleet/approval.ts';
import type { CommandOutput } from '../fleet/evidence.ts';
import { latestFindings } from '../fleet/latest-findings.ts';
import { describeTask, paramWords } from '../fleet/request.ts';
import { type Requester, requesterWord } from '../fleet/requester.ts';
import type { ActionRecord, Run, ToolCall } from '../fleet/run.ts';

export type Attributes = Record<string, string | number | boolean>;

/*
 * Names and values as MLflow reads them. Source: `facts/mlflow-otel.md`, Attributes and Span layout;
 * `mlflow.spanType` is explicit because derived types cannot be searched.
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
    ...askedBy(request.requester),
  };
}

/** For whose run another machine's supervisor asked; as tags, too, to find all that one finding led to. */
function askedBy(requester: Requester): Attributes {
  if (requester.kind !== 'supervisor') return {};
  const { machine, run } = requester;
  return {
    'fleet.asked_by_machine': machine,
    'fleet.asked_by_run': run,
    ...tag('asked_by_machine', machine),
    ...tag('asked_by_run', run),
  };
}

/** Attributes of `run.completed`: the outcome and the totals, under our own names so that nothing is counted twice. */
export function completedAttributes(run: Run, durationMs: number): Attributes {
  const { diagnosis } = run;
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

/** Attributes of one command that the machine's broker ran. */
export function commandAttributes(run: Run, output: CommandOutput): Attributes {
  return {
    ...toolAttributes(run, output.argv[0] ?? '', output.argv.join(' '), `${output.stdout}${output.stderr}`),
    ...(output.exitCode !== null && { 'process.exit.code': output.exitCode }),
    'fleet.output_truncated': output.truncated,
  };
}

/** Attributes of one tool call of the agent. */
export function toolCallAttributes(run: Run, call: ToolCall): Attributes {
  return { ...toolAttributes(run, call.tool, call.input, call.output), 'gen_ai.tool.call.id': call.id };
}

function toolAttributes(run: Run, tool: string, input: string, output: string): Attributes {
  return {
    'mlflow.spanType': 'TOOL',
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': tool,
    'gen_ai.tool.call.arguments': input,
    'gen_ai.tool.call.result': output,
    'host.name': run.request.machine,
  };
}

/** Attributes of the agent's work with its model. A model `provider/name` tells its provider. */
export function modelAttributes(answer: {
  readonly text: string;
  readonly model?: string | undefined;
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number } | undefined;
}): Attributes {
  const { model, usage } = answer;
  return {
    'mlflow.spanType': 'CHAT_MODEL',
    'mlflow.spanOutputs': answer.text,
    'gen_ai.operation.name': 'chat',
    ...(model?.includes('/') && { 'gen_ai.provider.name': model.slice(0, model.indexOf('/')) }),
    ...(model && { 'gen_ai.request.model': model, 'gen_ai.response.model': model }),
    ...(usage && {
      'gen_ai.usage.input_tokens': usage.inputTokens,
      'gen_ai.usage.output_tokens': usage.outputTokens,
    }),
  };
}

/** What belongs together for people: a campaign, a thread, what it is answered under, or the run alone. */
function sessionOf({ id, request: { campaign, origin } }: Run): string {
  return campaign ?? (origin.threadTs ? `${origin.channel}:${origin.threadTs}` : (origin.under ?? id));
}

function outcomeText(run: Run): string {
  const { after, before } = run.action ?? {};
  const earlier = after && before ? before.findings : [];
  const lines = [
    run.verdict ?? 'failed',
    ...latestFindings(run).map((finding) => `${finding.severity}: ${finding.text}`),
    ...(run.failure ? [run.failure.message] : []),
    ...(run.action?.outcome
      ? [`${actionName(run) ?? 'action'}: ${run.action.outcome}. ${run.action.detail}`]
      : []),
    ...earlier.map((finding) => `before: ${finding.severity}: ${finding.text}`),
    ...(run.diagnosis?.comment ? [`Agent: ${run.diagnosis.comment}`] : []),
  ];
  return lines.join('\n');
}

/** An attribute of the root span that MLflow turns into a tag of the trace. */
function tag(name: string, value: string | undefined): Attributes {
  return value === undefined ? {} : { [`mlflow.traceTag.fleet.${name}`]: value };
}
