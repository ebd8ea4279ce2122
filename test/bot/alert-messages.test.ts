import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type AlertRetrySettings, alertMessages } from '../../src/bot/alert-messages.ts';
import { FakeAlertMessages } from '../support/fake-alert-messages.ts';
import { FakeControls } from '../support/fake-controls.ts';
import { fakeBot } from '../support/fake-workspace.ts';
import { BotUnderTest, eventually } from './bot-under-test.ts';

const message = {
  type: 'message',
  channel: 'C0ALERTS',
  ts: '1800000000.000100',
  bot_id: 'B0AM',
  text: 'web-01: disk is full',
};

/** What Slack sends for an event. */
const envelope = (event: object, event_id: string) =>
  JSON.stringify({
    ...{ type: 'event_callback', team_id: 'T1', api_app_id: 'A0US', event_id, event_time: 1_800_000_000 },
    event,
    authorizations: [{ team_id: 'T1', user_id: fakeBot.user_id, is_bot: true }],
  });

describe('messages in channels', () => {
  const test = new BotUnderTest();
  beforeAll(() => test.start());
  afterAll(() => test.stop());
  beforeEach(() => {
    test.reset();
    test.controls.alertMessages.reset();
  });

  const deliver = (event: object, id = 'Ev1', secret?: string) =>
    test.deliver(envelope(event, id), secret, { type: 'application/json' });

  it.each([
    ['of an app', message],
    ['of an old-style bot', { ...message, subtype: 'bot_message' }],
    ['that was edited', { ...message, subtype: 'message_changed', message, previous_message: message }],
    ['of ourselves', { ...message, bot_id: fakeBot.bot_id, user: fakeBot.user_id }],
  ])('%s are handed on as Slack sent them, with the event id and who we are', async (_whose, event) => {
    expect(await deliver(event)).toMatchObject({ status: 200 });
    const { taken } = test.controls.alertMessages;
    await eventually(() => expect(taken).toHaveLength(1));
    expect(taken[0]).toEqual({
      event,
      delivery: {
        eventId: 'Ev1',
        us: { userId: fakeBot.user_id, botId: fakeBot.bot_id, appId: 'A0US' },
      },
    });
  });

  it('that Slack did not sign are refused', async () => {
    expect(await deliver(message, 'Ev1', 'another-secret')).toMatchObject({ status: 401 });
    expect(test.controls.alertMessages.taken).toEqual([]);
  });
});

describe('a message that cannot be stored', () => {
  const store = new FakeAlertMessages();
  let lines: string[] = [];
  const controls = new FakeControls();
  let now = 0;
  let stopping = new AbortController();
  const settings = { retryForMs: 10_000, retryPauseMs: 1, waitingMax: 2 };
  beforeEach(() => {
    store.reset();
    controls.counted.length = 0;
    lines = [];
    now = 0;
    stopping = new AbortController();
  });

  function listener(more: Partial<AlertRetrySettings> = {}) {
    const listen = alertMessages({
      ...{
        alerts: store,
        us: () => ({ userId: 'U0BOT' }),
        meter: controls.meter,
        clock: () => now,
        signal: stopping.signal,
        settings: { ...settings, ...more },
      },
      log: pino({ level: 'error' }, { write: (line) => void lines.push(line) }),
    });
    return (eventId: string, event: object = message) =>
      listen({ event, body: JSON.parse(envelope(event, eventId)) } as unknown as Parameters<
        typeof listen
      >[0]);
  }

  it('is tried again until it is', async () => {
    store.away = true;
    const stored = listener()('Ev1');
    await vi.waitFor(() => expect(store.calls).toBeGreaterThan(2), { timeout: 10_000 });
    store.away = false;
    await stored;
    expect(store.taken).toHaveLength(1);
    expect(lines).toEqual([]);
  });

  it('is given up after some time, and the log says which', async () => {
    store.away = true;
    const lost = listener()('Ev1');
    await vi.waitFor(() => expect(store.calls).toBeGreaterThan(1), { timeout: 10_000 });
    now = settings.retryForMs;
    await lost;
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      ...{ eventId: 'Ev1', channel: 'C0ALERTS', ts: message.ts },
      msg: expect.stringContaining('lost'),
    });
    expect(controls.counted).toEqual(['alert message lost']);
  });

  it('is given up at the end of the process', async () => {
    store.away = true;
    const lost = listener({ retryPauseMs: 60_000 })('Ev1');
    await vi.waitFor(() => expect(store.calls).toBe(1), { timeout: 10_000 });
    stopping.abort();
    await lost;
    expect(lines.join()).toContain('lost');
    expect(store.calls).toBe(1);
  });

  it('is stored before those that came after it', async () => {
    store.away = true;
    const listen = listener({ retryPauseMs: 20 });
    const first = listen('Ev1');
    await vi.waitFor(() => expect(store.calls).toBe(1), { timeout: 10_000 });
    await setImmediate();
    await listen('Ev-', { ...message, client_msg_id: 'of a person' });
    store.away = false;
    await Promise.all([first, listen('Ev2')]);
    expect(store.taken.map(({ delivery }) => delivery.eventId)).toEqual(['Ev1', 'Ev2']);
    expect(controls.counted).toEqual([]);
  });

  it('does not fill the memory together with others', async () => {
    store.away = true;
    const listen = listener();
    const kept = [listen('Ev1'), listen('Ev2')];
    await vi.waitFor(() => expect(store.calls).toBeGreaterThan(3), { timeout: 10_000 });
    await listen('Ev3');
    expect(lines.map((line) => JSON.parse(line).eventId)).toEqual(['Ev3']);
    store.away = false;
    await Promise.all(kept);
    await listen('Ev4');
    expect(store.taken.map(({ delivery }) => delivery.eventId).toSorted()).toEqual(['Ev1', 'Ev2', 'Ev4']);

    store.away = true;
    const later = [listen('Ev5'), listen('Ev6')];
    await vi.waitFor(() => expect(store.calls).toBeGreaterThan(10), { timeout: 10_000 });
    store.away = false;
    await Promise.all(later);
    expect(store.taken).toHaveLength(5);
  });

  it('for another reason than the store is not tried again', async () => {
    const broken = vi.spyOn(store, 'take').mockRejectedValue(new TypeError('a mistake'));
    await expect(listener()('Ev1')).rejects.toThrow('a mistake');
    expect(broken).toHaveBeenCalledTimes(1);
    broken.mockRestore();
  });
});
