import { redact } from '../../telemetry/redact.ts';
import { ActionBook, type TakenAction } from './action-book.ts';
import { processStart } from './agent-unit.ts';
import { runCommand } from './broker.ts';

/** Of each stream: people read it on a card. */
const outputLimitBytes = 16_384;

/**
 * Runs one action that the machine took on, and writes down how it went: the process of its own that outlives the
 * machine's. Arguments: the book's folder and the id. SIGTERM ends an action that may be interrupted.
 */
async function main(): Promise<void> {
  const [, , folder = '', id = ''] = process.argv;
  const toldToEnd = new AbortController();
  const book = new ActionBook(folder);
  const record = await book.record(id);
  if (record === undefined) return;
  process.on('SIGTERM', () => {
    if (record.interruptible) toldToEnd.abort();
  });
  await book.tellRunner(id, { pid: process.pid, pidStart: await processStart(process.pid) });
  if (!(await book.takeTurn(id))) return;
  const timeLimitMs = record.timeoutSeconds * 1_000;
  const { exitCode, stdout, stderr, durationMs } = await runCommand(record.capsule.argv, {
    ...{ redact, clock: Date.now, timeLimitMs, outputLimitBytes, signal: toldToEnd.signal },
  });
  const outcome = exitCode === 0 ? 'done' : 'failed';
  const detail = sentence(record, { exitCode, durationMs, toldToEnd: toldToEnd.signal.aborted });
  await book.finish({ id, outcome, detail, exitCode, stdout, stderr });
}

function sentence(
  { capsule: { action }, timeoutSeconds }: TakenAction,
  end: { exitCode: number | null; durationMs: number; toldToEnd: boolean },
): string {
  const took = `${(end.durationMs / 1_000).toFixed(1)} s`;
  if (end.exitCode !== null) return `${action} ended with exit code ${end.exitCode} after ${took}.`;
  if (end.toldToEnd)
    return `${action} was told to end (by a lock, a shutdown or by hand) and was ended after ${took}.`;
  if (end.durationMs >= timeoutSeconds * 1_000) {
    return `${action} took longer than it may and was ended after ${timeoutSeconds} s.`;
  }
  return `${action} was ended by a signal after ${took}.`;
}

await main();
