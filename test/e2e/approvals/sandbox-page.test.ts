import { copyFileSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';
import { workspace } from '../../../src/sandbox/workspace.ts';
import { launchChromium } from '../parts/chromium.ts';

const out = join(import.meta.dirname, '../out');
const committedPictures = join(import.meta.dirname, '../../../deploy/pictures');
const patience = { timeout: 60_000 };

describe('people at the page of the sandbox', () => {
  let browser: Browser;
  let sandbox: Sandbox;
  let page: Page;

  beforeAll(async () => {
    mkdirSync(out, { recursive: true });
    browser = await launchChromium();
    sandbox = await startSandbox({ port: 0, mlflow: false, tell: () => {} });
  });

  afterAll(async () => {
    await browser?.close();
    await sandbox?.[Symbol.asyncDispose]();
  });

  /** Somebody else sits down at the page. */
  const actAs = (userId: string) => page.locator('label.actas select').last().selectOption(userId);

  /** Types a command in a page of its own; resolves with the thread of its message, opened. */
  async function threadOf(command: string, words: string): Promise<Locator> {
    page = await browser.newPage({ viewport: { width: 1280, height: 1060 } });
    await page.goto(`${sandbox.slackUrl}/archives/${workspace.channel.id}`);
    await actAs(workspace.sre.id);
    const box = page.getByPlaceholder(/Message #ops/);
    await box.fill(`/fleet ${command}`);
    await box.press('Enter');
    const message = page.locator('.msg', { hasText: words }).last();
    await message.locator('.thread-summary').click(patience);
    const thread = page.locator('.thread-pane');
    await thread.getByRole('button', { name: 'Approve', exact: true }).waitFor(patience);
    return thread;
  }

  async function takePicture(name: string): Promise<void> {
    // Away from messages, which otherwise show their tools.
    await page.mouse.move(0, 0);
    await page.screenshot({ path: join(out, name) });
    if (process.env.KEEP_PICTURES) copyFileSync(join(out, name), join(committedPictures, name));
  }

  it('read what would be done, approve it, and read what it changed', async () => {
    const thread = await threadOf('check sandbox-01 app-log', 'check app-log');
    const { logFile } = sandbox.application;
    const card = await thread.innerText();
    expect(card).toContain(`truncate --size=0 ${logFile}`);
    expect(statSync(logFile).size).toBeGreaterThan(0);
    await actAs(workspace.approver.id);
    await takePicture('approval.png');
    await thread.getByRole('button', { name: 'Approve', exact: true }).click();
    await thread.getByText('it helped', { exact: false }).first().waitFor(patience);
    expect(statSync(logFile).size).toBe(0);
    expect(await thread.getByRole('button', { name: 'Approve', exact: true }).count()).toBe(0);
    expect(await thread.innerText()).toMatch(/approved by @?\S*sam/i);

    await takePicture('outcome.png');
    await page.close();
  });

  it('deny it in a window that asks why', async () => {
    const settings = () => readFileSync(sandbox.application.configFile, 'utf8');
    const before = settings();
    const thread = await threadOf('run sandbox-01 reports-off', 'run reports-off');
    await actAs(workspace.approver.id);
    await thread.getByRole('button', { name: 'Deny', exact: true }).click();
    const window = page.locator('.modal');
    await window.locator('textarea, input').first().fill('we still read those reports');
    await window.getByRole('button', { name: 'Deny', exact: true }).click();
    await thread.getByText('we still read those reports', { exact: false }).first().waitFor(patience);
    expect(settings()).toBe(before);
    await page.close();
  });
});
