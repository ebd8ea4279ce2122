import { beforeEach, describe, expect, it } from 'vitest';
import { createAlertMessages } from '../../src/alerts/slack/create-alert-messages.ts';
import { readAlertEvent } from '../../src/alerts/slack/read-alert-event.ts';
import { callMark } from '../../src/fleet/hand-over.ts';
import { redact } from '../../src/telemetry/redact.ts';
import { alertFleet, IntakeUnderTest } from './an-intake.ts';
import * as shapes from './shapes.ts';

const us = { userId: 'U0BOT', botId: 'B0BOT', appId: 'A0US' };
const read = (event: object) => readAlertEvent(event, alertFleet.alerts, us, redact);
const firing = shapes.alertmanager('firing');

const edited = (message: object, previous_message?: object) => ({
  ...{
    type: 'message',
    subtype: 'message_changed',
    hidden: true,
    channel: 'C0ALERTS',
    ts: '1800000001.000200',
  },
  ...{ message, previous_message },
});

describe('a message is read as alerts', () => {
  it('where its app may tell them in its channel: by app, by bot, by the profile', () => {
    const { bot_id: _bot, app_id: _app, ...byProfile } = firing;
    for (const event of [firing, shapes.uptimeKuma(false), byProfile]) {
      expect(read(event)).toMatchObject({
        channel: 'C0ALERTS',
        ts: firing.ts,
        alerts: [{ status: 'firing' }],
      });
    }
  });

  it.each([
    ['in another channel', { ...firing, channel: 'C0OTHER' }],
    ['by another app', shapes.datadog('Triggered')],
    ['by a person', { type: 'message', channel: 'C0ALERTS', ts: '1.1', user: 'UANN', text: 'web-01 disk?' }],
    ['as an answer in a thread', { ...firing, thread_ts: '1700000000.000100' }],
    [
      'as an answer that is also shown in the channel',
      { ...firing, subtype: 'thread_broadcast', thread_ts: '1.0' },
    ],
    ['about people and channels', { ...firing, subtype: 'channel_topic' }],
    ['without words', { ...firing, attachments: [] }],
    ['of another type', { ...firing, type: 'reaction_added' }],
    ['about our own call of people', shapes.pagerduty('Triggered', `${callMark}web-01: disk is full`)],
  ])('and not %s', (_what, event) => {
    expect(read(event)).toBeUndefined();
  });

  it.each([
    ['our bot', { bot_id: 'B0BOT', app_id: 'A0AM', bot_profile: undefined }],
    ['our app', { bot_id: 'B0X', app_id: 'A0US', bot_profile: undefined }],
    ["our app's profile", { bot_id: 'B0X', app_id: undefined, bot_profile: { id: 'B0X', app_id: 'A0US' } }],
    ['our user', { user: 'U0BOT' }],
  ])('and never one of %s, though the fleet file allows it', (_who, ids) => {
    expect(read({ ...firing, ...ids })).toBeUndefined();
    expect(read(edited({ ...firing, ...ids }))).toBeUndefined();
  });

  it('also when people have answered it', () => {
    expect(read({ ...firing, thread_ts: firing.ts })).toBeDefined();
  });
});

describe('an edited message', () => {
  it('tells the new state of the same alert', () => {
    const before = read(shapes.pagerduty('Triggered'))?.alerts ?? [];
    const after = read(edited(shapes.pagerduty('Resolved'), shapes.pagerduty('Triggered')));
    expect(after).toMatchObject({ ts: firing.ts, alerts: [{ status: 'resolved', name: before[0]?.name }] });
    expect(after?.alerts).toHaveLength(1);
  });

  it('tells nothing where nothing changed but a preview or an answer', () => {
    expect(read(edited({ ...firing, reply_count: 1, thread_ts: firing.ts }, firing))).toBeUndefined();
  });

  it('tells what changed in its colour alone, or in its words alone', () => {
    const version = (color: string, text: string) => ({
      ...firing,
      attachments: [{ title: 'Disk', color, text }],
    });
    const red = version('a30200', '95%');
    expect(read(edited(version('2eb886', '95%'), red))?.alerts).toMatchObject([{ status: 'resolved' }]);
    expect(read(edited(version('a30200', '96%'), red))?.alerts).toMatchObject([{ text: 'Disk\n96%' }]);
  });

  it('tells what it does not mention any more as resolved', () => {
    const list = (hosts: readonly string[]) => ({
      ...firing,
      attachments: [{ title: 'Disk full', text: hosts.map((host) => `Host: ${host}`).join('\n') }],
    });
    const after = read(edited(list(['web-02']), list(['web-01', 'web-02'])));
    expect(after?.alerts).toMatchObject([{ status: 'resolved' }]);
    expect(after?.alerts[0]?.labels.get('host')).toBe('web-01');
  });

  it('is read as a whole where Slack does not say what stood there before', () => {
    expect(read(edited(firing))?.alerts).toHaveLength(1);
  });

  it('that was deleted tells nothing', () => {
    expect(read({ ...edited(firing), subtype: 'message_deleted' })).toBeUndefined();
    expect(read(edited({ ...firing, subtype: 'tombstone' }, firing))).toBeUndefined();
  });
});

describe('alert messages', () => {
  const test = new IntakeUnderTest();
  const messages = createAlertMessages({ fleet: () => test.fleet, intake: test.intake, redact });
  beforeEach(() => test.reset());

  it('are told in their own thread, each event once', async () => {
    for (const _delivery of [1, 2]) await messages.take(firing, { eventId: 'Ev1', us });
    expect(test.groups).toMatchObject([
      { channel: 'C0ALERTS', threadTs: firing.ts, title: 'DiskAlmostFull' },
    ]);
    expect(test.stored).toEqual(['C0ALERTS web-01 disk firing']);
  });

  it('that are resolved later, in a message of their own or by an edit, are of the same group and alert', async () => {
    await messages.take(firing, { eventId: 'Ev1', us });
    await messages.take(
      { ...shapes.alertmanager('resolved'), ts: '1800000009.000100' },
      { eventId: 'Ev2', us },
    );
    await messages.take(edited(shapes.alertmanager('resolved'), firing), { eventId: 'Ev3', us });
    expect(test.stored.map((each) => each.split(' ').at(-1))).toEqual(['firing', 'resolved', 'resolved']);
    expect(new Set(test.groups.map(({ key }) => key)).size).toBe(1);
    const prints = test.groups.flatMap(({ alerts }) => alerts.map(({ alert }) => alert.fingerprint));
    expect(new Set(prints).size).toBe(1);
  });

  it('of anybody else do not reach the store', async () => {
    test.away = true;
    expect(messages.tells(firing, us)).toBe(true);
    expect(messages.tells({ ...firing, channel: 'C1' }, us)).toBe(false);
    await expect(
      messages.take({ ...firing, channel: 'C1' }, { eventId: 'Ev1', us }),
    ).resolves.toBeUndefined();
  });
});
