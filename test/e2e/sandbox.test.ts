import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { freePort } from '../../src/sandbox/free-port.ts';
import { messageText, Person } from '../../src/sandbox/person.ts';
import { workspace } from '../../src/sandbox/workspace.ts';
import { launchChromium } from './parts/chromium.ts';

const root = join(import.meta.dirname, '../..');
const out = join(import.meta.dirname, 'out');
const committedPicture = join(root, 'deploy/pictures/sandbox.png');
const answerTimeoutMs = 60_000;
const readyTimeoutMs = 120_000;
const consoleTimeoutMs = 20_000;
/** Another worker takes a run over when the lease of the dead one is over. */
const takeOverTimeoutMs = 90_000;
const pollMs = 200;

/** `npm run sandbox` as a person starts it, and its output so far. */
function runSandbox(port: number) {
  const child = spawn('npm', ['run', 'sandbox', '--', '--port', String(port)], { cwd: root, detached: true });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  let running = true;
  const ended = once(child, 'exit').then(() => {
    running = false;
  });
  return {
    running: () => running,
    output: () => output,
    /** Ctrl-C: every process of the terminal's foreground group gets it. */
    async interrupt() {
      if (running && child.pid) process.kill(-child.pid, 'SIGINT');
      await ended;
    },
  };
}

/** Mount point → percentage used, as `df -P` prints it. */
function diskUse(): Map<string, number> {
  const lines = execFileSync('df', ['-P'], { encoding: 'utf8' }).trim().split('\n').slice(1);
  return new Map(
    lines.map((line) => {
      const [, , , , capacity = '', ...mount] = line.split(/\s+/);
      return [mount.join(' '), Number.parseInt(capacity, 10)];
    }),
  );
}

describe('a newcomer with the sandbox', () => {
  let browser: Browser;
  let sandbox: ReturnType<typeof runSandbox>;
  let port: number;

  const folder = () => /Logs: (\S+)/.exec(sandbox.output())?.[1] ?? '';
  const person = () => new Person(`http://localhost:${port}`, workspace.sre.id);
  /** The newest message of the channel itself with these words. */
  const shown = async (words: string) => {
    const messages = await person().messages(workspace.channel.id);
    const roots = messages.filter(({ ts, thread_ts: root }) => root === undefined || root === ts);
    return roots.map(messageText).findLast((text) => text.includes(words));
  };
  /**
   * Types a command, does something as soon as it is acknowledged, and resolves with its message once it is finished,
   * or waits for people.
   */
  const ask = async (command: string, afterwards = () => {}) => {
    const words = command.replace('sandbox-01 ', '');
    const before = await shown(words);
    await person().type(workspace.channel.id, command);
    afterwards();
    return vi.waitUntil(
      async () => {
        const text = await shown(words);
        return text !== before && text?.match(/\[Run again\]|waits for <@/) && text;
      },
      { timeout: takeOverTimeoutMs, interval: pollMs },
    );
  };

  beforeAll(async () => {
    mkdirSync(out, { recursive: true });
    port = await freePort();
    browser = await launchChromium();
    sandbox = runSandbox(port);
    await vi.waitUntil(() => sandbox.output().includes('sandbox is ready') || !sandbox.running(), {
      timeout: readyTimeoutMs,
    });
    expect(sandbox.output()).toContain('sandbox is ready');
  });

  afterAll(async () => {
    await browser?.close();
    await sandbox.interrupt();
  });

  it('is told how long it took, where to click and what to type', () => {
    process.stderr.write(`${/sandbox is ready after .*/.exec(sandbox.output())?.[0]}\n`);
    expect(sandbox.output()).toContain(`http://localhost:${port}`);
    expect(sandbox.output()).toContain('/fleet check sandbox-01 disk');
  });

  it('types a check into the page and reads a verdict with the numbers of this computer', async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1060 } });
    await page.goto(`http://localhost:${port}/archives/C0OPS`);
    const box = page.getByPlaceholder(/Message #ops/);
    await box.fill('/fleet check sandbox-01 disk');
    await box.press('Enter');

    const answer = page.locator('.msg', { hasText: 'check disk' }).first();
    await answer.getByRole('button', { name: 'Run again' }).waitFor({ timeout: answerTimeoutMs });
    await answer.locator('.thread-summary').click();
    const thread = page.locator('.thread-pane');
    await thread.getByText('not a language model').first().waitFor({ timeout: answerTimeoutMs });

    const text = await thread.innerText();
    const root = diskUse().get('/');
    expect(text).toMatch(new RegExp(`(^|\\s)/ ${root} % used \\(`, 'm'));

    // Away from the message, which otherwise shows its tools.
    await page.mouse.move(0, 0);
    const picture = join(out, 'sandbox.png');
    await page.screenshot({ path: picture });
    if (process.env.KEEP_PICTURES) copyFileSync(picture, committedPicture);
    expect(existsSync(picture)).toBe(true);
    await page.close();
  });

  it('edits the fleet file and reads at the terminal whether it is in force', async () => {
    const file = /Fleet file .*: (\S+)/.exec(sandbox.output())?.[1] ?? '';
    const text = readFileSync(file, 'utf8');
    const told = (line: string) =>
      vi.waitUntil(() => sandbox.output().includes(line), { timeout: consoleTimeoutMs });
    writeFileSync(file, text.replace('address:', 'adress:'));
    await told('The fleet file cannot be used; the old one stays in force:');
    writeFileSync(file, text.replace('#expect', 'expect'));
    await told('The new fleet file is in force.');
    const answer = await ask('check sandbox-01 disk');
    expect(answer).toMatch(/\*(warning|critical)\*/);
  });

  it('gets the answer also when the worker is killed meanwhile', async () => {
    const log = readFileSync(join(folder(), 'fleetbot/fleetbot.log'), 'utf8');
    const { pid } = z.object({ pid: z.int() }).parse(JSON.parse(log.split('\n')[0] ?? ''));
    const answer = await ask('check sandbox-01 memory', () => process.kill(pid, 'SIGKILL'));
    expect(answer).toContain('memory');
    expect(sandbox.output()).toContain(`fleetbot (pid ${pid}) ended by itself or was killed`);
    expect(sandbox.output()).toMatch(/fleetbot runs again \(pid \d+\)/);
  });

  it('ends it with Ctrl-C and finds nothing left behind', async () => {
    const path = folder();
    expect(existsSync(path)).toBe(true);
    await sandbox.interrupt();
    expect(existsSync(path)).toBe(false);
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain(path);
  });
});
