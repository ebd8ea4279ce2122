import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished, vi } from 'vitest';
import { noSpans, SpoolUnderTest } from './a-spool.ts';

const program = join(import.meta.dirname, 'recording-process.ts');
const patience = { timeout: 30_000 };

/** Lets a process record until it has told so many spans, kills it, and returns the last one that it told. */
async function killAfter(spool: SpoolUnderTest, first: number, count: number): Promise<number> {
  const child = spawn(process.execPath, [program, spool.receiver.url, spool.folder, String(first)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let last = -1;
  for await (const line of createInterface(child.stdout)) {
    last = Number(line);
    if (last >= first + count) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  return last;
}

const upTo = (last: number) => Array.from({ length: last + 1 }, (_, number) => `span ${number}`);

it('processes that are killed again and again lose no span whose turn had ended, whether MLflow is away or not', async () => {
  const spool = await SpoolUnderTest.start();
  let last = -1;
  const firsts: number[] = [];
  const answers = [{ status: 404 }, { status: 200 }, 'silent', { status: 200 }, { status: 503 }] as const;
  for (const answer of answers) {
    spool.receiver.answer = answer;
    firsts.push(last + 1);
    last = await killAfter(spool, last + 1, 40);
  }
  spool.receiver.answer = { status: 200 };
  const next = await spool.telemetry();
  // All that is left is this process's own.
  await vi.waitFor(() => expect(spool.lives()).toHaveLength(1), patience);
  const seen = new Set(spool.arrived());
  expect(upTo(last).filter((name) => !seen.has(name))).toEqual([]);
  const steps = spool.receiver.spans.filter(({ name }) => name.startsWith('step'));
  expect(new Set(steps.map(({ name }) => name))).toEqual(new Set(firsts.map((first) => `step ${first}`)));
  expect(steps.map(({ status }) => status.message)).toEqual(
    steps.map(() => 'fleetbot was killed in this step'),
  );
  expect(next.counts()).toEqual({ ...noSpans, exportedSpans: expect.any(Number) });
}, 120_000);
