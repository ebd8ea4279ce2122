import { EventEmitter } from 'node:events';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { handleShutdown, type ShutdownStep } from '../../src/runtime/shutdown.ts';

class FakeProcess extends EventEmitter {
  readonly exits: number[] = [];
  exit(code: number): void {
    this.exits.push(code);
  }
}

function start(steps: readonly ShutdownStep[], timeoutMs = 10_000) {
  const lines: { msg: string; step?: string; err?: { message: string } }[] = [];
  const log = pino({}, { write: (line) => lines.push(JSON.parse(line)) });
  const process = new FakeProcess();
  const end = handleShutdown({ steps, timeoutMs, log, process });
  return { process, lines, end };
}

const never = () => new Promise<void>(() => {});

describe('a shutdown', () => {
  it.each(['SIGTERM', 'SIGINT'])(
    'on %s runs its steps in order, one after the other, and exits with 0',
    async (signal) => {
      const order: string[] = [];
      const step = (name: string): ShutdownStep => ({
        name,
        run: async () => {
          order.push(`${name} begins`);
          await Promise.resolve();
          order.push(`${name} ends`);
        },
      });
      const { process } = start([step('bot'), step('queue')]);
      process.emit(signal, signal);
      await vi.waitFor(() => expect(process.exits).toEqual([0]));
      expect(order).toEqual(['bot begins', 'bot ends', 'queue begins', 'queue ends']);
    },
  );

  it('goes on after a step that failed, and exits with 1', async () => {
    const last = vi.fn(async () => {});
    const { process, lines } = start([
      { name: 'bot', run: () => Promise.reject(new Error('broken')) },
      { name: 'queue', run: last },
    ]);
    process.emit('SIGTERM');
    await vi.waitFor(() => expect(process.exits).toEqual([1]));
    expect(last).toHaveBeenCalledOnce();
    expect(lines).toContainEqual(
      expect.objectContaining({ step: 'bot', err: expect.objectContaining({ message: 'broken' }) }),
    );
  });

  it('exits with 1 when its time is over, and names the step that hung', async () => {
    const { process, lines } = start([{ name: 'queue', run: never }], 20);
    process.emit('SIGTERM');
    await vi.waitFor(() => expect(process.exits).toEqual([1]));
    expect(lines).toContainEqual(
      expect.objectContaining({ step: 'queue', msg: 'the shutdown took too long' }),
    );
  });

  it('runs its steps for a start that failed, too, and leaves the exit to it', async () => {
    const ended: string[] = [];
    const { process, end } = start([{ name: 'queue', run: async () => void ended.push('queue') }]);
    expect(await end()).toBe(true);
    expect([ended, process.exits]).toEqual([['queue'], []]);
  });

  it('exits at once on a second signal', () => {
    const { process } = start([{ name: 'queue', run: never }]);
    process.emit('SIGTERM');
    // A process group gets it from the system and from npm.
    process.emit('SIGTERM');
    expect(process.exits).toEqual([]);
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 1_001);
    onTestFinished(() => void vi.restoreAllMocks());
    process.emit('SIGINT');
    expect(process.exits).toEqual([130]);
  });
});

describe('an error that nobody caught', () => {
  it.each(['uncaughtException', 'unhandledRejection'])(
    '(%s) is logged and ends the process with 1',
    (event) => {
      const { process, lines } = start([]);
      process.emit(event, new Error('lost'));
      expect(process.exits).toEqual([1]);
      expect(lines).toContainEqual(
        expect.objectContaining({ err: expect.objectContaining({ message: 'lost' }) }),
      );
    },
  );
});
