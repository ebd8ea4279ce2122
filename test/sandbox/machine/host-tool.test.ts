import { describe, expect, it } from 'vitest';
import { answerHostCall } from '../../../src/sandbox/machine/host-tool.ts';

const options = { redact: (text: string) => text.replaceAll('Linux', '[redacted]'), clock: Date.now };

describe('what an agent may run on the host', () => {
  it('is a listed command, whose output is redacted', async () => {
    const reply = await answerHostCall({ id: 7, argv: ['uname', '-srm'] }, options);
    expect(reply).toMatchObject({
      id: 7,
      output: { exitCode: 0, stdout: expect.stringMatching(/^\[redacted\] /) },
    });
  });

  it.each([
    [['id']],
    [['df']],
    [['df', '-PkT', '/']],
    [['df -PkT']],
    [['cat', '/etc/shadow']],
    [['cat', '/proc/loadavg', '/etc/shadow']],
    [['sh', '-c', 'df -PkT']],
    [['']],
  ])('is nothing else: %j', async (argv) => {
    expect(await answerHostCall({ id: 1, argv }, options)).toEqual({ id: 1, output: null });
  });

  it.each([
    [undefined],
    ['df'],
    [{ id: 1 }],
    [{ id: 1, argv: [] }],
    [{ id: 1, argv: ['uptime'], run: 'r-1' }],
  ])('is asked in exactly one way: %j is no call', async (message) => {
    expect(await answerHostCall(message, options)).toBeUndefined();
  });
});
