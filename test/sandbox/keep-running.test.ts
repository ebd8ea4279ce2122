import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ChildProcess, SandboxError, startChild } from '../../src/sandbox/child-process.ts';
import { keepRunning } from '../../src/sandbox/keep-running.ts';
import { isRunning } from '../support/is-running.ts';

const timeoutMs = 15_000;
const windowMs = 180_000;
let folder: string;
let children: ChildProcess[];
let told: string[];
let nowMs: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleetbot-keep-'));
  children = [];
  told = [];
  nowMs = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A part that prints one word and waits to be killed. */
async function start(): Promise<ChildProcess> {
  const child = await startChild({
    name: 'part',
    argv: ['sh', '-c', 'echo hello; exec sleep 600'],
    cwd: folder,
    logFile: join(folder, 'part.log'),
    ready: async (self) => self.lastLines().includes('hello'),
    readyTimeoutMs: timeoutMs,
  });
  children.push(child);
  return child;
}

const keep = (starter = start) =>
  keepRunning({ name: 'part', start: starter, tell: (line) => told.push(line), clock: () => nowMs });

/** Kills the process that runs now and waits until another one does, or none is started any more. */
async function kill(): Promise<void> {
  const { length } = told;
  process.kill(children.at(-1)?.pid ?? 0, 'SIGKILL');
  await expect.poll(() => told.length, { timeout: timeoutMs }).toBeGreaterThan(length + 1);
}

describe('a part that is kept running', () => {
  it('is started again when it is killed, which is told', async () => {
    const kept = await keep();
    await kill();
    const [first, second] = children;
    expect(told).toEqual([
      `part (pid ${first?.pid}) ended by itself or was killed: starting it again …`,
      `part runs again (pid ${second?.pid}).`,
    ]);
    await kept.stop();
    expect(isRunning(second?.pid ?? 0)).toBe(false);
  });

  it('stays ended when it is stopped', async () => {
    const kept = await keep();
    await kept.stop();
    expect(children).toHaveLength(1);
    expect(told).toEqual([]);
  });

  it('is stopped also when it is just being started again', async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const kept = await keep(async () => {
      if (children.length > 0) {
        begin();
        await gate;
      }
      return start();
    });
    process.kill(children[0]?.pid ?? 0, 'SIGKILL');
    await begun;
    const stopped = kept.stop();
    open();
    await stopped;
    expect(children).toHaveLength(2);
    expect(isRunning(children[1]?.pid ?? 0)).toBe(false);
  });

  it('is given up with its last words when it ends a sixth time within 3 minutes', async () => {
    const kept = await keep();
    for (let restart = 1; restart <= 5; restart += 1) await kill();
    process.kill(children.at(-1)?.pid ?? 0, 'SIGKILL');
    await expect(kept.failed).rejects.toMatchObject({
      code: 'sandbox-failed',
      message: expect.stringMatching(/part ended 6 times within 3 minutes and is not started again.*hello/s),
    });
    await kept.stop();
  });

  it('may end more often over a longer time', async () => {
    const kept = await keep();
    for (let restart = 1; restart <= 7; restart += 1) {
      nowMs += windowMs / 4;
      await kill();
    }
    expect(children).toHaveLength(8);
    await kept.stop();
  });

  it('is given up when it cannot be started again, with the reason', async () => {
    const kept = await keep(async () => {
      if (children.length > 0) throw new SandboxError('part ended at once. It printed:\nno room');
      return start();
    });
    process.kill(children[0]?.pid ?? 0, 'SIGKILL');
    await expect(kept.failed).rejects.toThrow('no room');
    expect(told.filter((line) => line === 'part did not start: trying again …')).toHaveLength(5);
    await kept.stop();
  });
});
