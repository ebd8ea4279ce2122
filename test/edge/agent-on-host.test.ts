import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { onHost } from '../../edge/agent/on-host.mjs';

let folder: string;
let socketPath: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleetbot-on-host-'));
  socketPath = join(folder, 'broker.sock');
});

afterEach(() => rm(folder, { recursive: true }));

/** A broker for one call, which it answers as the test says. */
async function broker(answer: (socket: Socket) => void) {
  const requests: unknown[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (line) => {
      requests.push(JSON.parse(String(line)));
      answer(socket);
    });
  }).listen(socketPath);
  await once(server, 'listening');
  return { requests, [Symbol.dispose]: () => void server.close() };
}

const answering = (answer: object) => broker((socket) => socket.end(`${JSON.stringify(answer)}\n`));

async function run(args: string[], timeoutMs = 5_000) {
  const printed = { stdout: '', stderr: '' };
  const exitCode = await onHost(args, {
    socketPath,
    timeoutMs,
    stdout: (text) => {
      printed.stdout += text;
    },
    stderr: (text) => {
      printed.stderr += text;
    },
  });
  return { exitCode, ...printed };
}

const output = { argv: [], exitCode: 0, stdout: '', stderr: '', truncated: false, durationMs: 1, run: 'r-1' };

describe('on-host', () => {
  it('sends the words as they are and ends as the command did', async () => {
    using fake = await answering({ ...output, exitCode: 3, stdout: 'out ✓\n', stderr: 'err\n' });
    expect(await run(['df', '-h', '--run', 'a b', ''])).toEqual({
      exitCode: 3,
      stdout: 'out ✓\n',
      stderr: 'err\n',
    });
    expect(fake.requests).toEqual([{ argv: ['df', '-h', '--run', 'a b', ''] }]);
  });

  it('tells the broker which run it claims to be of', async () => {
    using fake = await answering({ refused: { code: 'wrong-run', message: 'This is not the run.' } });
    expect(await run(['--run', 'r-2', 'df'])).toMatchObject({
      exitCode: 126,
      stderr: 'refused (wrong-run): This is not the run.\n',
    });
    expect(fake.requests).toEqual([{ argv: ['df'], run: 'r-2' }]);
  });

  it('says when output was cut, and when the command was ended', async () => {
    using _broker = await answering({ ...output, exitCode: null, stdout: 'a', truncated: true });
    const { exitCode, stdout, stderr } = await run(['journalctl']);
    expect([exitCode, stdout]).toEqual([124, 'a']);
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(/cut here/),
      expect.stringMatching(/took too long/),
      '',
    ]);
  });

  it('ends with 125 when there is no broker', async () => {
    expect(await run(['df'])).toMatchObject({ exitCode: 125, stdout: '' });
  });

  it.each([
    ['closes the connection in the middle', (socket: Socket) => socket.end('{"exitCode":0')],
    ['answers something else', (socket: Socket) => socket.end('hello\n')],
    ['answers without end', (socket: Socket) => flood(socket)],
    ['never answers', () => {}],
  ])('ends with 125 when the broker %s', async (_, answer) => {
    using _broker = await broker(answer);
    expect(await run(['df'], 500)).toMatchObject({ exitCode: 125, stdout: '' });
  });

  it('asks nothing without a command', async () => {
    using fake = await answering(output);
    expect(await run([])).toMatchObject({ exitCode: 126, stderr: expect.stringContaining('usage') });
    expect(fake.requests).toEqual([]);
  });
});

function flood(socket: Socket): void {
  const chunk = 'x'.repeat(65_536);
  const more = () => {
    if (!socket.destroyed) socket.write(chunk, more);
  };
  more();
}
