import type { Socket } from 'node:net';
import type { Told } from '../../fleet/agent-task.ts';
import { AgentError, MachineError } from '../../fleet/errors.ts';

/**
 * The agent's connection ended before its answer; the reason is the socket's, where it knows one. A connection
 * that the gate refused because of its fence is no fault of the agent: that error is returned as it is.
 */
export function connectionLost(machine: string, socket: Socket, cause: unknown): AgentError | MachineError {
  const why = socket.errored ?? (cause instanceof Error ? cause : undefined);
  if (why instanceof MachineError && why.code === 'old-fence') return why;
  return new AgentError(
    'agent-lost',
    `The connection to the agent of ${machine} broke during the task${why ? ` (${why.message})` : ''}. Try again; if it ` +
      'happens once more, look at the log of its unit.',
    { cause: why },
  );
}

/** The gateway did not take the task. */
export function agentRefused(machine: string, reason: string): AgentError {
  return new AgentError(
    'agent-refused',
    `The gateway on ${machine} refused the task: ${reason}. Check the agent's id, its transport and the version ` +
      'of OpenClaw on the machine.',
  );
}

/** The agent ended the task with an error. */
export function agentFailed(machine: string, reason: string, told?: Told): AgentError {
  return new AgentError(
    'agent-failed',
    `The agent of ${machine} failed: ${reason}. Check the model server it uses, then run it again.`,
    { told },
  );
}

/** The agent itself gave up. */
export function agentTimedOut(machine: string, told: Told): AgentError {
  return new AgentError(
    'agent-timeout',
    `The agent of ${machine} ran into a time limit of its own. Raise agents.defaults.timeoutSeconds in its configuration.`,
    { told },
  );
}

/** The agent ended without an error and without a word. */
export function agentSilent(machine: string, told: Told): AgentError {
  return new AgentError(
    'agent-silent',
    `The agent of ${machine} ended without an answer. Run it again; if it stays silent, look at its model.`,
    { told },
  );
}

/** The gateway asks people for what it must deny by itself. */
export function approvalAsked(machine: string): AgentError {
  return new AgentError(
    'agent-failed',
    `The gateway on ${machine} asked for an approval of its own instead of denying it, so the task was stopped and ` +
      'nothing was approved. Run setup-edge.sh there again: its settings let the gateway deny by itself.',
  );
}

/** The agent calls tools without end. */
export function tooManyToolCalls(machine: string, maxToolCalls: number): AgentError {
  return new AgentError(
    'agent-looped',
    `The agent of ${machine} made more than ${maxToolCalls} tool calls and was told to stop. Ask for less, or ` +
      'raise maxToolCalls in the fleet file.',
  );
}

/** The agent talks without end. */
export function tooLongAnswer(machine: string, maxAnswerBytes: number, told?: Told): AgentError {
  return new AgentError(
    'agent-looped',
    `The agent of ${machine} answered more than ${maxAnswerBytes} bytes and was told to stop. Ask for less, or ` +
      'raise maxAnswerBytes in the fleet file.',
    { told },
  );
}
