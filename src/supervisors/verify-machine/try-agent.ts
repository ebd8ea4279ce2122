import { toFailure } from '../../fleet/errors.ts';
import type { Machine } from '../../fleet/machine.ts';
import type { Run } from '../../fleet/run.ts';
import { isGone } from '../measure-lock.ts';
import { Disproof } from './proof.ts';
import type { VerifyParts } from './verify-parts.ts';

/** What the agent is asked to do, and what proves that it did. */
const command = 'on-host uname -srm';
/** What uname(1) prints first, whatever the gateway puts around it. */
const kernelRelease = /\bLinux \d+\./;
export const verificationQuestion = `Run exactly this one command and answer with what it prints: ${command}`;

/**
 * Starts the agent, gives it one command to run, and tells what came of it. It runs afterwards, whatever came of it.
 * @throws Disproof
 */
export async function tryAgent(
  machine: Machine,
  run: Run,
  { gate, tracer, redact, clock }: VerifyParts,
  fence: number,
  signal: AbortSignal,
): Promise<string> {
  const step = tracer.step(run, 'agent.task');
  try {
    const startedAt = clock();
    const { token } = await gate.start(fence, run.id, step.traceparent, signal);
    await gate.ready(fence, signal);
    const readyMs = Math.round(clock() - startedAt);
    const { traceparent } = step;
    const task = { runId: run.id, agentId: machine.agent.id, message: verificationQuestion, traceparent };
    const answer = await gate.task(fence, token, task, signal);
    step.end();
    const quoted = (text: string) => `"${redact(text.trim().slice(0, 200))}"`;
    if (machine.agent.transport !== 'gateway-ws') {
      return `ready after ${readyMs} ms; answered (its commands cannot be seen over ${machine.agent.transport}): ${quoted(answer.text)}`;
    }
    const calls = answer.toolCalls.filter(({ input }) => input.includes(command));
    const [last] = calls.slice(-1);
    if (last === undefined) {
      throw new Disproof(
        `The agent answered, but did not run "${command}": ${quoted(answer.text)}. See that its model can use tools.`,
      );
    }
    const call = calls.find(({ failed, output }) => !failed && kernelRelease.test(output));
    if (call === undefined) {
      throw new Disproof(
        `The agent ran "${command}" and got: ${quoted(last.output)}. See that agent.commands in the fleet file lists it.`,
      );
    }
    return `ready after ${readyMs} ms; ran "${command}": ${quoted(call.output)}`;
  } catch (error) {
    step.end(error);
    throw error;
  }
}

/**
 * Stops the agent and measures that it is gone.
 * @throws Disproof also when another run's agent is there meanwhile, which is left alone
 */
export async function tryStop(
  machine: Machine,
  run: Run,
  { gate }: VerifyParts,
  fence: number,
): Promise<string> {
  try {
    const now = await gate.status();
    if (!isGone(now.agent) && now.run !== null && now.run !== run.id) {
      throw new Disproof(
        `The agent of ${machine.name} is ${now.agent} for run ${now.run} and was left alone.`,
      );
    }
    await gate.stop(fence);
  } catch (error) {
    if (error instanceof Disproof) throw error;
    throw new Disproof(
      `${toFailure(error).message} The agent of ${machine.name} may still run: say fleetbot halt --direct ${machine.name}.`,
    );
  }
  const { agent: state, run: left } = await gate.status();
  if (!isGone(state) || left !== null) {
    throw new Disproof(
      `The agent of ${machine.name} is ${state} after it was stopped. Look at the machine now.`,
    );
  }
  return `the agent is measured ${state}`;
}
