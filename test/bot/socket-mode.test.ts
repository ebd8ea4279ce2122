import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Bot, createBot } from '../../src/bot/create-bot.ts';
import { freePort } from '../../src/sandbox/free-port.ts';
import { type LocalSlack, startLocalSlack } from '../../src/sandbox/local-slack.ts';
import { messageText, Person } from '../../src/sandbox/person.ts';
import { workspace } from '../../src/sandbox/workspace.ts';
import { FakeControls } from '../support/fake-controls.ts';
import { FakeRequests } from '../support/fake-requests.ts';
import { fleetOf, machine, noBudget, noViews, silent } from './bot-under-test.ts';

/** The library waits 5 s before its first reconnect. */
const reconnectLimitMs = 15_000;

describe('Socket Mode, with a real Slack-compatible server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fleetbot-bot-'));
  const requests = new FakeRequests();
  const channel = workspace.channel.id;
  const ends: unknown[] = [];
  const onEnd = (error: unknown) => ends.push(error);
  let port: number;
  let slack: LocalSlack;
  let bot: Bot;
  let alex: Person;

  beforeAll(async () => {
    process.on('unhandledRejection', onEnd);
    port = await freePort();
    slack = await startLocalSlack(port, folder);
    alex = new Person(slack.url, workspace.sre.id);
    bot = createBot({
      connection: { mode: 'socket', appToken: workspace.appToken },
      botToken: workspace.botToken,
      slackApiUrl: slack.apiUrl,
      fleet: {
        current: () => fleetOf([machine('web-01')], [{ people: [workspace.sre.id] }]),
        invalid: () => undefined,
      },
      requests,
      ...new FakeControls(),
      views: noViews,
      budget: noBudget,
      linkTo: () => ({ missing: '' }),
      finishTrace: () => {},
      redact: (text) => text,
      clock: Date.now,
      random: Math.random,
      log: silent,
    });
    await bot.start();
  });

  afterAll(async () => {
    await bot.stop();
    await slack.child.stop();
    process.off('unhandledRejection', onEnd);
    rmSync(folder, { recursive: true });
  });

  it('answers /fleet help to who typed it, and to nobody else', async () => {
    await alex.type(channel, 'help');
    const [answer] = await alex.messages(channel);
    expect(answer?.ephemeral_to).toBe(workspace.sre.id);
    expect(answer && messageText(answer)).toContain('/fleet check ‹selector› ‹check›');
  });

  it('stores what a person may ask for', async () => {
    await alex.type(channel, 'check web-01 disk');
    expect(requests.stored.map((run) => run.request.machine)).toEqual(['web-01']);
  });

  it('outlasts Slack being away', async () => {
    expect(bot.ready()).toBe(true);
    await slack.child.stop();
    await vi.waitFor(() => expect(bot.ready()).toBe(false));
    slack = await startLocalSlack(port, folder);
    await vi.waitFor(() => expect(bot.ready()).toBe(true), { timeout: reconnectLimitMs, interval: 100 });
    await alex.type(channel, 'list');
    const [answer] = await alex.messages(channel);
    expect(answer && messageText(answer)).toContain('web-01');
    expect(ends).toEqual([]);
  }, 40_000);
});
