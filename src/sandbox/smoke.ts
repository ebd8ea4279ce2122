import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { toFailure } from '../fleet/errors.ts';
import { postAlert, sandboxAlertName } from './alert-webhook.ts';
import { SandboxError } from './child-process.ts';
import { Conversation } from './conversation.ts';
import { type Sandbox, startSandbox } from './sandbox.ts';
import { untilAskedToEnd } from './until-asked-to-end.ts';
import { sandboxMachineName, workspace } from './workspace.ts';

/**
 * `npm run smoke`: the sandbox without a page. Types a check over Slack's wire that finds something to put right, has
 * a second person approve it, and looks on this computer whether it was done; then checks the disk and compares the
 * numbers in the thread with those of `df`; then fires an alert at the webhook, waits for its answer, and resolves it.
 * Prints the threads. Exit code 0, or 1 and what differs.
 */
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

/** Done; or, on a disk that is rather full, people are asked something, and the answer is there all the same. */
function isFinished(text: string): boolean {
  const isDone = text.includes('[Run again]') && text.includes('agent measured inactive');
  return isDone || text.includes('[Deny]');
}

/** What a thread looks like, under what was done to have it so. */
function show(deed: string, text: string): void {
  print(`> ${deed}\n\n${text}\n`);
}

async function trimLog({ slackUrl, application }: Sandbox): Promise<void> {
  const command = `check ${sandboxMachineName} app-log`;
  const conversation = await Conversation.begin(slackUrl, command);
  const asked = await conversation.until((text) => text.includes('[Approve]'));
  show(`/fleet ${command}`, asked.text);
  await conversation.click(workspace.approver.id, 'approve');
  const done = await conversation.until((text) => text.includes('began at') && text.includes('[Run again]'));
  show(`${workspace.approver.realName} clicks Approve`, done.text);
  const { size } = statSync(application.logFile);
  if (size > 0) throw new SandboxError(`${application.logFile} still has ${size} bytes.`);
}

async function checkDisk({ slackUrl }: Sandbox): Promise<void> {
  const command = `check ${sandboxMachineName} disk`;
  const { text } = await (await Conversation.begin(slackUrl, command)).until(isFinished);
  show(`/fleet ${command}`, text);
  const wrong = differences(statedUse(text), measureDisk());
  if (wrong.length > 0)
    throw new SandboxError(`The answer differs from df on this computer:\n${wrong.join('\n')}`);
}

async function answerAlert({ slackUrl, alerts }: Sandbox): Promise<void> {
  const conversation = await Conversation.now(slackUrl);
  await postAlert(alerts, 'firing', Date.now());
  await conversation.until(
    (text) => text.includes('asked by an alert') && /\[Run again\]|\[Deny\]/.test(text),
  );
  await postAlert(alerts, 'resolved', Date.now());
  const { text } = await conversation.until((said) => said.includes('is resolved after'));
  show(`${sandboxAlertName} fires and is resolved`, text);
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
  print(`ready after ${((performance.now() - startedAt) / 1_000).toFixed(1)} s\n`);
  await Promise.race([
    trimLog(sandbox)
      .then(() => checkDisk(sandbox))
      .then(() => answerAlert(sandbox)),
    interrupted.then((reason): never => {
      throw new SandboxError(`Interrupted by ${reason}.`);
    }),
    sandbox.failed,
  ]);
  if (sandbox.agentPid() !== undefined) throw new SandboxError('The agent still runs after its run.');
  print(
    'smoke: ok. What was approved was done on this computer; the numbers of the disk are those of df; an alert was ' +
      'answered; no agent is left running.',
  );
}

// A terminal that is gone must not keep the parts from being stopped.
process.stdout.on('error', () => {});
try {
  await smoke();
} catch (error) {
  print(`smoke: FAILED. ${toFailure(error).message}`);
  process.exitCode = 1;
}
