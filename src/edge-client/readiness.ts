import { setTimeout as sleep } from 'node:timers/promises';
import { AgentError, MachineError } from '../fleet/errors.ts';
import { httpOver } from './http-client.ts';
import type { OpenSocket } from './task-transport.ts';

/** How often a gateway that is not ready is asked again. Each time costs a channel and a small process there. */
const readyPollMs = 250;
/** How long one question may stay unanswered: a gateway that is starting can be too busy to answer. */
const readyAnswerTimeoutMs = 5_000;

/**
 * Asks the gateway's `/readyz` until it says 200 (OpenClaw: connection refused, then 503, then 200; it needs no
 * token).
 * @throws AgentError `agent-not-ready` when it takes longer than `timeoutMs`, or the agent's unit has died
 * @throws MachineError when the machine cannot be asked any more; the signal's reason
 */
export async function waitUntilReady(options: {
  machine: string;
  open: OpenSocket;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}): Promise<void> {
  const { machine, open, timeoutMs, signal } = options;
  const tooLate = AbortSignal.timeout(timeoutMs);
  const stop = signal ? AbortSignal.any([signal, tooLate]) : tooLate;
  let last: Error | undefined;
  while (!stop.aborted) {
    try {
      const status = await readyStatus(
        open,
        AbortSignal.any([stop, AbortSignal.timeout(readyAnswerTimeoutMs)]),
      );
      if (status === 200) return;
      last = new Error(`/readyz says ${status}`);
    } catch (error) {
      if (error instanceof MachineError && error.code === 'unit-failed') throw died(machine, error);
      // 'protocol' is how a gate looks that finds nobody listening yet.
      if (error instanceof MachineError && error.code !== 'protocol') throw error;
      last = error instanceof Error ? error : undefined;
    }
    await sleep(readyPollMs, undefined, { signal: stop }).catch(() => {});
  }
  signal?.throwIfAborted();
  throw new AgentError(
    'agent-not-ready',
    `The agent's gateway on ${machine} was not ready after ${timeoutMs} ms${last ? ` (${last.message})` : ''}. Look at the log of its unit, or raise ` +
      'readyTimeoutMs in the fleet file.',
    { cause: last },
  );
}

async function readyStatus(open: OpenSocket, signal: AbortSignal): Promise<number> {
  const socket = await open(signal);
  try {
    const { statusCode, body } = await httpOver(socket).request({ path: '/readyz', method: 'GET', signal });
    await body.dump();
    return statusCode;
  } catch (error) {
    throw socket.errored ?? error;
  } finally {
    socket.destroy();
  }
}

function died(machine: string, cause: Error): AgentError {
  return new AgentError(
    'agent-not-ready',
    `The agent of ${machine} died while it was starting (${cause.message}). Look at the log of its unit.`,
    { cause },
  );
}
