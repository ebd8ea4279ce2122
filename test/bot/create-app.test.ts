import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createApp } from '../../src/bot/create-app.ts';
import { createBot } from '../../src/bot/create-bot.ts';
import { SettingsError } from '../../src/fleet/errors.ts';
import { FakeControls } from '../support/fake-controls.ts';
import { FakeRequests } from '../support/fake-requests.ts';
import { FakeSlack } from '../support/fake-workspace.ts';
import { BotUnderTest, fleetOf, noBudget, noViews, signingSecret, silent } from './bot-under-test.ts';

describe('HTTP mode', () => {
  const test = new BotUnderTest();
  beforeAll(() => test.start());
  afterAll(() => test.stop());
  beforeEach(() => test.reset());

  it('refuses what Slack did not sign', async () => {
    const ack = await test.deliver('command=%2Ffleet&text=check+web-01+disk', 'another-secret');
    expect(ack.status).toBe(401);
    expect(test.requests.stored).toHaveLength(0);
  });

  it('says that it is alive and ready', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const response = await fetch(`http://127.0.0.1:${test.bot.port()}${path}`);
      expect(response.status).toBe(200);
    }
  });

  it('tells the person when a payload is not what Slack promises', async () => {
    await test.deliver(
      new URLSearchParams({
        command: '/fleet',
        response_url: test.slack.responseUrl,
        user_id: 'UANN',
      }).toString(),
    );
    await vi.waitFor(() => expect(test.slack.responses).toHaveLength(1));
    expect(test.slack.responses[0]).toMatchObject({
      response_type: 'ephemeral',
      text: expect.stringContaining('Something went wrong inside the bot'),
    });
  });
});

it('stop waits for what is being served, also after its acknowledgement', async () => {
  const test = new BotUnderTest();
  await test.start();
  test.reset();
  const opened = Promise.withResolvers<void>();
  test.requests.gate = opened.promise;
  const ack = await test.command('check web-01 disk');
  expect(ack.text).toContain('Still storing');
  const stopped = test.bot.stop();
  opened.resolve();
  await stopped;
  expect(test.slack.responses.map((said) => said.text)).toEqual([expect.stringContaining('is stored')]);
  await test.slack.stop();
});

it('a port that is taken is named at start', async () => {
  const first = new BotUnderTest();
  await first.start();
  const port = first.bot.port() ?? 0;
  const second = createApp({
    connection: { mode: 'http', signingSecret, port, host: '127.0.0.1' },
    botToken: 'xoxb-test',
    slackApiUrl: first.slack.apiUrl,
    log: silent,
  });
  await expect(second.start()).rejects.toThrow(`127.0.0.1:${port}. Free the port`);
  await first.stop();
});

it('a start that cannot reach Slack says so with the address, what to check, and the cause, and goes on trying', async () => {
  const slack = await FakeSlack.start();
  slack.away = true;
  const lines: string[] = [];
  const bot = createBot({
    connection: { mode: 'http', signingSecret, port: 0, host: '127.0.0.1' },
    botToken: 'xoxb-test',
    slackApiUrl: slack.apiUrl,
    fleet: { current: () => fleetOf([], []), invalid: () => undefined },
    requests: new FakeRequests(),
    ...new FakeControls(),
    views: noViews,
    budget: noBudget,
    linkTo: () => ({ missing: '' }),
    finishTrace: () => {},
    redact: (text) => text,
    clock: Date.now,
    random: Math.random,
    log: pino({ level: 'warn' }, { write: (line) => void lines.push(line) }),
  });
  const started = bot.start();
  await vi.waitFor(() => expect(lines.join()).toContain('Slack does not answer'), 5_000);
  const line = lines.find((each) => each.includes('Slack does not answer')) ?? '{}';
  expect(JSON.parse(line)).toMatchObject({ address: slack.apiUrl, msg: expect.stringContaining('Check') });
  expect(line).toContain('fetch failed');
  slack.away = false;
  await started;
  await bot.stop();
  await slack.stop();
});

describe('a token that Slack refuses', () => {
  let slack: FakeSlack;
  beforeAll(async () => {
    slack = await FakeSlack.start();
  });
  afterAll(() => slack.stop());

  it('is named at start: the bot token', async () => {
    slack.trouble('auth.test', { kind: 'error', code: 'invalid_auth' });
    const bot = createBot({
      connection: { mode: 'http', signingSecret, port: 0, host: '127.0.0.1' },
      botToken: 'xoxb-wrong',
      slackApiUrl: slack.apiUrl,
      fleet: { current: () => fleetOf([], []), invalid: () => undefined },
      requests: new FakeRequests(),
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
    await expect(bot.start()).rejects.toThrow(SettingsError);
    await expect(bot.stop()).resolves.toBeUndefined();
  });

  it('is named at start: the app-level token', async () => {
    slack.trouble('apps.connections.open', { kind: 'error', code: 'invalid_auth' });
    const app = createApp({
      connection: { mode: 'socket', appToken: 'xapp-wrong' },
      botToken: 'xoxb-test',
      slackApiUrl: slack.apiUrl,
      log: silent,
    });
    await expect(app.start()).rejects.toThrow(/app-level token.*invalid_auth/);
    expect(app.ready()).toBe(false);
  });
});
