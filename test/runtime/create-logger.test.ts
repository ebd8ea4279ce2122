import { describe, expect, it } from 'vitest';
import { MachineError } from '../../src/fleet/errors.ts';
import { createLogger } from '../../src/runtime/create-logger.ts';
import { redact } from '../../src/telemetry/redact.ts';

function logger(level = 'info') {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({ level, redact, stream: { write: (line) => lines.push(JSON.parse(line)) } });
  return { log, lines };
}

describe('the logger', () => {
  it('writes one JSON line for one fact, with the ids of the run', () => {
    const { log, lines } = logger();
    log.child({ run: 'r-1', machine: 'rhel-01', trace: 'ab' }).info({ state: 'done' }, 'run ended');
    expect(lines).toMatchObject([
      { level: 'info', run: 'r-1', machine: 'rhel-01', trace: 'ab', state: 'done', msg: 'run ended' },
    ]);
    expect(lines[0]?.time).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  it('writes errors with their code and causes', () => {
    const { log, lines } = logger();
    log.error(
      { err: new MachineError('timeout', 'No answer.', { cause: new Error('ECONNRESET') }) },
      'failed',
    );
    expect(lines[0]?.err).toMatchObject({
      code: 'timeout',
      message: 'No answer.',
      cause: { message: 'ECONNRESET' },
    });
  });

  it('writes no secret, whether in a message, a field, a child or an error', () => {
    const { log, lines } = logger();
    const cause = new Error('postgres://u:hunter2@h/db');
    log
      .child({ from: 'password="hunter2 x"' })
      .warn(
        { list: ['--token hunter2'], password: 'hunter2', err: new Error('token=hunter2', { cause }) },
        'pass=hunter2',
      );
    expect(JSON.stringify(lines)).not.toContain('hunter2');
    expect(lines).toHaveLength(1);
  });

  it('writes nothing of what other libraries hang on their errors', () => {
    const { log, lines } = logger();
    const refused = Object.assign(new Error('WRONGPASS'), {
      command: { name: 'hello', args: ['3', 'AUTH', 'app', 'hunter2'] },
    });
    log.error({ err: refused }, 'direct');
    log.error({ err: new MachineError('timeout', 'No answer.', { cause: refused }) }, 'as a cause');
    log.error({ error: new AggregateError([refused], 'all') }, 'among others');
    log.error(refused);
    expect(lines).toHaveLength(4);
    expect(lines[2]?.error).toMatchObject({ type: 'AggregateError', errors: [{ message: 'WRONGPASS' }] });
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });

  it('writes what was thrown without being an error, and errors that cause one another', () => {
    const { log, lines } = logger();
    const circle = new Error('round');
    circle.cause = new Error('and round', { cause: circle });
    log.error({ err: circle }, 'first');
    log.error({ err: 'just text' }, 'second');
    expect(lines).toMatchObject([{ err: { cause: { message: 'and round' } } }, { err: 'just text' }]);
  });

  it('writes nothing below its level', () => {
    const { log, lines } = logger('warn');
    log.info('quiet');
    expect(lines).toEqual([]);
  });
});
