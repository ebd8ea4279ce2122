// @ts-check
// JavaScript, since Node takes 40 ms longer to start a file whose types it must strip.

import { connect } from 'node:net';

/** More than any answer of the broker, in bytes. */
const answerMaxBytes = 1_048_576;

/** As of `timeout`, of a command that was ended because it took too long. */
const ended = 124;
const unreachable = 125;
const refused = 126;

/**
 * Runs one listed command on the machine, through its broker: `on-host [--run RUN] COMMAND [ARG…]`. Prints what the
 * command printed, and resolves with the exit code: the command's own, 124 when it was ended, 125 when the broker did
 * not answer, 126 when it refused.
 *
 * @param {readonly string[]} args
 * @param {{ socketPath: string, timeoutMs: number, stdout: (text: string) => void, stderr: (text: string) => void }} io
 * @returns {Promise<number>}
 */
export async function onHost(args, io) {
  const request = readArguments(args);
  if (request.argv.length === 0) {
    io.stderr('usage: on-host [--run RUN] COMMAND [ARG…]\n');
    return refused;
  }
  try {
    const answer = JSON.parse(await ask(JSON.stringify(request), io));
    if (answer.refused) {
      io.stderr(`refused (${answer.refused.code}): ${answer.refused.message}\n`);
      return refused;
    }
    io.stdout(answer.stdout);
    io.stderr(answer.stderr);
    if (answer.truncated) io.stderr('(the output was cut here: ask for less)\n');
    if (answer.exitCode === null) io.stderr('(the command took too long and was ended)\n');
    return answer.exitCode ?? ended;
  } catch (error) {
    io.stderr(
      `on-host: the machine's broker did not answer (${error instanceof Error ? error.message : error})\n`,
    );
    return unreachable;
  }
}

/** @param {readonly string[]} args */
function readArguments(args) {
  const [first, run, ...rest] = args;
  return first === '--run' && run !== undefined ? { argv: rest, run } : { argv: args };
}

/**
 * @param {string} line
 * @param {{ socketPath: string, timeoutMs: number }} io
 * @returns {Promise<string>}
 */
function ask(line, io) {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(io.socketPath, () => socket.write(`${line}\n`));
    const timeout = setTimeout(
      () => socket.destroy(new Error(`nothing within ${io.timeoutMs} ms`)),
      io.timeoutMs,
    );
    socket.setEncoding('utf8').on('data', (text) => {
      answer += text;
      if (answer.length > answerMaxBytes) socket.destroy(new Error('its answer is too long'));
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timeout);
      if (answer.endsWith('\n')) resolve(answer);
      else reject(new Error('it closed the connection in the middle'));
    });
  });
}
