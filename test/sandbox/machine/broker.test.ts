import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { defaultOutputLimitBytes, runCommand } from '../../../src/sandbox/machine/broker.ts';
import { isRunning } from '../../support/is-running.ts';

const options = { redact: (text: string) => text, clock: Date.now };

describe('the broker', () => {
  it('runs exactly the argument vector, without a shell', async () => {
    const { stdout, exitCode } = await runCommand(['echo', '$(id)', '; id', '*'], options);
    expect({ stdout, exitCode }).toEqual({ stdout: '$(id) ; id *\n', exitCode: 0 });
  });

  it('gives the command a fixed PATH, the C locale and nothing else', async () => {
    process.env.BROKER_TEST_SECRET = 'x';
    const { stdout } = await runCommand(['env'], options);
    delete process.env.BROKER_TEST_SECRET;
    expect(stdout.trim().split('\n').sort()).toEqual(['LC_ALL=C', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin']);
  });

  it('tells exit code and both outputs', async () => {
    const output = await runCommand(['sh', '-c', 'echo out; echo err >&2; exit 3'], options);
    expect(output).toMatchObject({ exitCode: 3, stdout: 'out\n', stderr: 'err\n', truncated: false });
    expect(output.durationMs).toBeGreaterThanOrEqual(0);
  });

  it('reports a missing program as a shell does', async () => {
    const output = await runCommand(['no-such-program-here'], options);
    expect(output).toMatchObject({ exitCode: 127, stdout: '', truncated: false });
    expect(output.stderr).toBe('no-such-program-here: command not found\n');
  });

  it('reports a program that may not be executed', async () => {
    expect(await runCommand(['/etc/passwd'], options)).toMatchObject({ exitCode: 126 });
  });

  it('ends a command, and what it started, at the time limit, and keeps what it had printed', async () => {
    const command = ['sh', '-c', 'echo begun; sleep 600 & echo $!; wait'];
    const { exitCode, stdout } = await runCommand(command, { ...options, timeLimitMs: 300 });
    expect(exitCode).toBeNull();
    const [, begun, child] = /^(begun)\n(\d+)\n$/.exec(stdout) ?? [];
    expect(begun).toBe('begun');
    await expect.poll(() => isRunning(Number(child))).toBe(false);
  });

  it('ends a command when nobody wants it any more', async () => {
    const signal = AbortSignal.timeout(100);
    expect(await runCommand(['sleep', '600'], { ...options, signal })).toMatchObject({ exitCode: null });
    expect(await runCommand(['sleep', '600'], { ...options, signal })).toMatchObject({ exitCode: null });
  });

  it('cuts a long output and says so, on either stream', async () => {
    const out = await runCommand(['head', '-c', '200000', '/dev/zero'], options);
    expect(out).toMatchObject({ exitCode: 0, truncated: true });
    expect(Buffer.byteLength(out.stdout)).toBe(defaultOutputLimitBytes);
    const err = await runCommand(['sh', '-c', 'head -c 200000 /dev/zero >&2'], options);
    expect(err).toMatchObject({ exitCode: 0, truncated: true });
    const exact = await runCommand(['head', '-c', String(defaultOutputLimitBytes), '/dev/zero'], options);
    expect(exact.truncated).toBe(false);
  });

  it('redacts both outputs, even a secret that lies across the cut', async () => {
    const redact = (text: string) => text.replaceAll('hunter22hunter22', '[redacted]');
    const before = defaultOutputLimitBytes - 8;
    const print = `printf '%${before}s' ''; printf hunter22hunter22; printf hunter22hunter22 >&2`;
    const { stdout, stderr } = await runCommand(['sh', '-c', print], { ...options, redact });
    expect(stdout.trim()).toBe('[redacte');
    expect(stderr).toBe('[redacted]');
  });

  it('sees the same file systems as df on this computer', async () => {
    const columns = (text: string) => text.split('\n').map((line) => line.split(/ +/).slice(0, 3).join(' '));
    const { stdout } = await runCommand(['df', '-PkT'], options);
    expect(columns(stdout)).toEqual(columns(execFileSync('df', ['-PkT'], { encoding: 'utf8' })));
  });
});
