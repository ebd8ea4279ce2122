import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { holdInterruption } from '../../src/runtime/hold-interruption.ts';

describe('while an interruption is held', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('%s aborts, and a second one is still taken', (ending) => {
    const process = new EventEmitter();
    const held = holdInterruption(process, new EventEmitter());
    expect(held.signal.aborted).toBe(false);
    // Where nobody listened, the process would end.
    expect(process.emit(ending)).toBe(true);
    expect(process.emit(ending)).toBe(true);
    expect(held.signal.reason).toMatchObject({ message: 'It was broken off.' });
  });

  it('an output that nobody reads any longer aborts too', () => {
    const output = new EventEmitter();
    const held = holdInterruption(new EventEmitter(), output);
    output.emit('error', new Error('EPIPE'));
    expect(held.signal.aborted).toBe(true);
  });

  it('and afterwards the process ends as ever', () => {
    const process = new EventEmitter();
    const output = new EventEmitter();
    holdInterruption(process, output)[Symbol.dispose]();
    expect([...process.eventNames(), ...output.eventNames()]).toEqual([]);
  });
});
