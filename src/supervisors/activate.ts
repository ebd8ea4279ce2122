import type { Catalogue } from '../fleet/action.ts';
import { actionsOf } from '../fleet/actions-of.ts';
import { readProposal } from '../fleet/agent-proposal.ts';
import type { AgentAnswer, Told } from '../fleet/agent-task.ts';
import { contradictions } from '../fleet/contradictions.ts';
import { AgentError, type Failure, MachineError, StaleFenceError } from '../fleet/errors.ts';
import { type Severity, severities } from '../fleet/finding.ts';
import { nearestAction } from '../fleet/nearest-action.ts';
import { costsOf } from '../fleet/price.ts';
import type { DeniedCommand, Diagnosis, Run, ToolCall } from '../fleet/run.ts';
import { modelMaxCharacters } from '../fleet/spending.ts';
import { taskMessage } from '../fleet/task-message.ts';
import type { Drive } from './context.ts';
import { failureOf } from './failure-of.ts';
import { inStep } from './in-step.ts';
import { createProgress } from './progress.ts';
import { overTokens, spendingOf } from './spending.ts';

/** The diagnosis of a run that is about to start its agent once more. */
export function nextActivation(run: Run): Diagnosis {
  return {
    activations: (run.diagnosis?.activations ?? 0) + 1,
    toolCalls: [],
    contradictions: [],
  };
}

/**
 * Starts the agent, gives it the task and returns what became of it; the run is in `starting` before and in
 * `starting` or `tasking` after. Does not stop the agent: `stopping` does, whatever happens here. A failed
 * agent is a diagnosis with a failure; an interrupted one has neither comment nor failure; one that answered but
 * used too much has both.
 * @throws StaleFenceError when another worker has taken the machine over
 * @throws StoreUnavailableError when a state could not be stored in time
 */
export async function activate(drive: Drive): Promise<Diagnosis> {
  const { held, interruption, redact } = drive;
  const actions = actionsOf(drive.fleet(), drive.machine);
  const deniedCommands: DeniedCommand[] = [];
  const begun = held.run.diagnosis ?? nextActivation(held.run);
  // The record may know it before the news of it comes.
  if (interruption.byPerson) return begun;
  const spendthrift = new AbortController();
  let overspent: Failure | undefined;
  try {
    const answer = await startAndTask(drive, actions, deniedCommands, spendthrift.signal, (tokens) => {
      overspent ??= overTokens(drive.machine, tokens);
      if (overspent) spendthrift.abort(new Error(overspent.message));
    });
    const comment = redact(answer.text);
    const verdict = severityOf(held.run);
    return {
      ...begun,
      comment,
      ...proposalIn(comment, actions),
      ...recorded(deniedCommands),
      toolCalls: answer.toolCalls.map((call) => redactedCall(call, drive)),
      contradictions: verdict ? contradictions(comment, verdict, held.run.findings) : [],
      ...usedBy(answer, drive),
    };
  } catch (error) {
    const seen = { ...(held.run.diagnosis ?? begun), ...recorded(deniedCommands) };
    if (interruption.signal.aborted) return seen;
    if (overspent) return { ...seen, failure: overspent };
    if (error instanceof MachineError && error.code === 'old-fence') {
      throw new StaleFenceError(`Another worker has taken ${drive.machine.name} over.`, { cause: error });
    }
    if (error instanceof AgentError) {
      return { ...seen, ...usedBy(error.told, drive), failure: failureOf(error, redact) };
    }
    if (error instanceof MachineError) return { ...seen, failure: failureOf(error, redact) };
    throw error;
  }
}

/** What the agent used, and what became of it where that was too much. */
function usedBy(
  { usage, model }: Told,
  { machine, fleet, redact }: Drive,
): Pick<Diagnosis, 'usage' | 'model' | 'costUsd' | 'failure'> {
  return {
    ...(usage && { usage: { ...usage } }),
    ...(model !== undefined && { model: redact(model).slice(0, modelMaxCharacters) }),
    ...spendingOf(machine, { usage, model }, fleet().prices),
  };
}

async function startAndTask(
  drive: Drive,
  actions: Catalogue,
  denied: DeniedCommand[],
  tooMuch: AbortSignal,
  onOutputTokens: (tokens: number) => void,
): Promise<AgentAnswer> {
  const { held, gate, machine, tracer, interruption } = drive;
  const { signal } = interruption;
  signal.throwIfAborted();

  const token = await inStep(drive, 'agent.start', async ({ traceparent }) => {
    const started = await gate.start(held.fence, held.run.id, traceparent, signal);
    return started.token;
  });
  await inStep(drive, 'agent.ready', () => gate.ready(held.fence, signal));
  await held.move('tasking');

  const { prices, peers } = drive.fleet();
  const message = taskMessage(machine, held.run.request.task, held.run, actions, peers.agentsMayAskSame);
  const step = tracer.step(held.run, 'agent.task', { input: message });
  const calls: ToolCall[] = [];
  const tell = (answer: AgentAnswer) => {
    const cost = answer.usage && costsOf(answer.usage, answer.model, prices);
    if (!held.agentTracesItself) tracer.agentWork(held.run, step, answer, cost);
  };
  using progress = createProgress(drive);
  try {
    const answer = await gate.task(
      held.fence,
      token,
      {
        runId: held.run.id,
        agentId: machine.agent.id,
        message,
        traceparent: step.traceparent,
        onToolCall: (call) => {
          calls.push(call);
          progress.add(redactedCall(call, drive));
        },
        onDenied: (command) => {
          denied.push(deniedCommand(command, actions, drive));
          step.set({ 'fleet.denied_commands': denied.map((each) => each.command).join('\n') });
        },
        onOutputTokens,
      },
      AbortSignal.any([signal, tooMuch]),
    );
    tell(answer);
    step.set({ output: answer.text });
    step.end();
    return answer;
  } catch (error) {
    tell({ ...(error instanceof AgentError && error.told), text: '', toolCalls: calls });
    step.end(error);
    throw error;
  } finally {
    await progress.settled();
  }
}

function severityOf(run: Run): Severity | undefined {
  return severities.find((severity) => severity === run.verdict);
}

/** What the agent proposes, or why that cannot be asked for. */
function proposalIn(comment: string, actions: Catalogue): Pick<Diagnosis, 'proposal' | 'proposalProblem'> {
  const read = readProposal(comment, actions);
  if (read === undefined) return {};
  return 'proposal' in read ? read : { proposalProblem: read.problem };
}

function recorded(deniedCommands: DeniedCommand[]): Pick<Diagnosis, 'deniedCommands'> {
  return deniedCommands.length > 0 ? { deniedCommands } : {};
}

function deniedCommand(command: string, actions: Catalogue, { redact, clock }: Drive): DeniedCommand {
  const nearest = nearestAction(actions, command);
  return { command: redact(command), at: clock(), ...(nearest !== undefined && { nearest }) };
}

function redactedCall(call: ToolCall, { redact }: Drive): ToolCall {
  return { ...call, input: redact(call.input), output: redact(call.output) };
}
