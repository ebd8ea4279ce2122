import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { toFailure } from '../fleet/errors.ts';
import { SandboxError } from './child-process.ts';
import { messageText, Person, type SlackMessage } from './person.ts';
import { startSandbox } from './sandbox.ts';
import { untilAskedToEnd } from './until-asked-to-end.ts';
import { sandboxMachineName, workspace } from './workspace.ts';

/**
 * `npm run smoke`: the sandbox without a page. Types a check over Slack's wire, prints the thread, and
 * compares its numbers with `df` on this computer. Exit code 0, or 1 and what differs.
 */
const command = `check ${sandboxMachineName} disk`;
const answerTimeoutMs = 90_000;
const pollMs = 200;
/** The disk is in use meanwhile: a figure may have moved by one point. */
const tolerancePoints = 1;

const print = (line: string) => process.stdout.write(`${line}\n`);

/** Mount point → used percentage, as `df -P` prints it. */
function measureDisk(): Map<string, number> {
  const lines = execFileSync('df', ['-P'], { encoding: 'utf8' }).trim().split('\n').slice(1);
  return new Map(
    lines.map((line) => {
      const [, , , , capacity = '', ...mount] = line.split(/\s+/);
      return [mount.join(' '), Number.parseInt(capacity, 10)];
    }),
  );
}

/** Mount point → used percentage, as the findings in the thread state it ("/var 61 % used (…"). */
function statedUse(thread: string): Map<string, number> {
  const stated = thread.matchAll(/(?:^|· )(\/\S*) (\d+) % used \(/gm);
  return new Map([...stated].map(([, mount = '', percent]) => [mount, Number(percent)]));
}

function differences(stated: ReadonlyMap<string, number>, measured: ReadonlyMap<string, number>): string[] {
  if (stated.size === 0) return ['the answer states the use of no file system'];
  return [...stated].flatMap(([mount, percent]) => {
    const real = measured.get(mount);
    if (real === undefined) return [`the answer speaks of ${mount}, which df does not list`];
    if (Math.abs(real - percent) <= tolerancePoints) return [];
    return [`${mount}: the answer says ${percent} %, df says ${real} %`];
  });
}

function isFinished(messages: readonly SlackMessage[]): boolean {
  const text = messages.map(messageText).join('\n');
  return text.includes('[Run again]') && text.includes('agent measured inactive') && messages.length > 2;
}

async function answerTo(person: Person): Promise<SlackMessage[]> {
  const { id: channel } = workspace.channel;
  await person.type(channel, command);
  const deadline = performance.now() + answerTimeoutMs;
  while (performance.now() < deadline) {
    const messages = await person.messages(channel);
    if (isFinished(messages)) return messages;
    await sleep(pollMs);
  }
  const seen = (await person.messages(channel)).map(messageText).join('\n\n');
  throw new SandboxError(`No whole answer within ${answerTimeoutMs / 1_000} s. The channel shows:\n${seen}`);
}

async function smoke(): Promise<void> {
  const interrupted = untilAskedToEnd();
  const startedAt = performance.now();
  await using sandbox = await startSandbox({
    port: 0,
    mlflow: false,
    tell: print,
    redisUrl: process.env.REDIS_URL || undefined,
  });
  print(`ready after ${((performance.now() - startedAt) / 1_000).toFixed(1)} s\n\n> /fleet ${command}\n`);
  const messages = await Promise.race([
    answerTo(new Person(sandbox.slackUrl, workspace.sre.id)),
    interrupted.then((reason): never => {
      throw new SandboxError(`Interrupted by ${reason}.`);
    }),
    sandbox.failed,
  ]);
  const thread = messages.map(messageText).join('\n\n');
  print(`${thread}\n`);
  const wrong = differences(statedUse(thread), measureDisk());
  if (wrong.length > 0)
    throw new SandboxError(`The answer differs from df on this computer:\n${wrong.join('\n')}`);
  if (sandbox.agentPid() !== undefined) throw new SandboxError('The agent still runs after its run.');
  print('smoke: ok. The numbers of the answer are those of df on this computer; no agent is left running.');
}

// A terminal that is gone must not keep the parts from being stopped.
process.stdout.on('error', () => {});
try {
  await smoke();
} catch (error) {
  print(`smoke: FAILED. ${toFailure(error).message}`);
  process.exitCode = 1;
}
