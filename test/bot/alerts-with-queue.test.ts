import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createIntake } from '../../src/alerts/intake.ts';
import { createAlertMessages } from '../../src/alerts/slack/create-alert-messages.ts';
import { createQueue, type Queue } from '../../src/queue/create-queue.ts';
import { redact } from '../../src/telemetry/redact.ts';
import { withAlerts } from '../alerts/an-intake.ts';
import * as shapes from '../alerts/shapes.ts';
import { fakeBot } from '../support/fake-workspace.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { BotUnderTest, eventually, silent } from './bot-under-test.ts';

/** From Slack's signed request to the incident in Redis, through the real receiver, intake and store. */
const test = new BotUnderTest();
const fleet = withAlerts({ debounceSeconds: 0 });
const taken: string[] = [];
/** Events that were served to their end. */
let served = 0;
let redis: TestRedis;
let queue: Queue;

beforeAll(async () => {
  redis = await startTestRedis();
  queue = await createQueue({
    ...{ redisUrl: redis.url, log: silent, fleet: () => fleet },
    settings: { requestTimeoutMs: 500 },
  });
  const intake = createIntake({
    ...{ fleet: () => fleet, incidents: queue.incidents, redact, log: silent },
    meter: {
      taken: (source, { firing, resolved }) => void taken.push(`${source} ${firing} ${resolved}`),
      homeless: () => {},
      refused: () => {},
    },
  });
  const messages = createAlertMessages({ fleet: () => fleet, intake, redact });
  const { requests, halts, approvals, ledger, silences } = queue;
  await test.start({
    ...{ requests, halts, approvals, ledger, silences, notices: queue },
    signerSeen: () => queue.signer.seen(),
    alertMessages: {
      tells: messages.tells,
      async take(...args) {
        await messages.take(...args);
        served += 1;
      },
    },
  });
});
beforeEach(() => {
  taken.length = 0;
});
afterAll(async () => {
  await test.stop();
  await queue.close();
  await redis.stop();
});

let events = 0;
/** Delivers an event as Slack does, as a new one unless it has an id. */
const deliver = (event: object, eventId = `Ev${++events}`) =>
  test.deliver(
    JSON.stringify({
      ...{ type: 'event_callback', team_id: 'T1', api_app_id: 'A0US', event_id: eventId, event_time: 1 },
      event,
    }),
    undefined,
    { type: 'application/json' },
  );

async function incidents() {
  const ids = await queue.incidents.due(Date.now() + 86_400_000, 100);
  const found = await Promise.all(ids.map((id) => queue.incidents.incident(id)));
  return found.flatMap((incident) => incident ?? []);
}

describe('alerts that apps post', () => {
  it('become one incident in the thread of the message, however often Slack delivers it', async () => {
    const message = shapes.alertmanager('firing');
    for (const _delivery of [1, 2, 3])
      expect(await deliver(message, 'EvSame')).toMatchObject({ status: 200 });
    await eventually(() => expect(served).toBe(3));
    const [incident, ...others] = await incidents();
    expect(others).toEqual([]);
    expect(incident).toMatchObject({
      ...{ channel: 'C0ALERTS', threadTs: message.ts, title: 'DiskAlmostFull', source: 'alertmanager' },
      alerts: [{ machine: 'web-01', check: 'disk', status: 'firing', times: 1 }],
    });
  });

  it('are resolved in their incident by an edit of the message', async () => {
    const edit = {
      ...{ type: 'message', subtype: 'message_changed', channel: 'C0ALERTS', ts: '1800000002.000100' },
      message: shapes.alertmanager('resolved'),
      previous_message: shapes.alertmanager('firing'),
    };
    await deliver(edit);
    await eventually(async () =>
      expect((await incidents()).map((incident) => incident.alerts)).toMatchObject([
        [{ status: 'resolved' }],
      ]),
    );
  });

  it('are never ours: neither what the bot posts nor what it edits, whatever the fleet file allows', async () => {
    const before = await incidents();
    const own = { ...shapes.pagerduty('Triggered'), bot_id: fakeBot.bot_id, user: fakeBot.user_id };
    await deliver(own);
    await deliver({ ...own, bot_id: 'B0PD', app_id: 'A0US', user: undefined });
    await deliver({
      type: 'message',
      subtype: 'message_changed',
      channel: 'C0ALERTS',
      ts: '2',
      message: own,
    });
    await deliver(shapes.pagerduty('Triggered'), 'EvAfter');
    await eventually(async () => expect(await incidents()).toHaveLength(before.length + 1));
    expect(taken).toEqual(['pagerduty 1 0']);
  });

  it('that come while Redis is away are stored when it is back, though Slack has its acknowledgement', async () => {
    await redis.kill();
    expect(await deliver({ ...shapes.zabbix('problem'), ts: '1800000003.000100' })).toMatchObject({
      status: 200,
    });
    await redis.restart();
    await vi.waitFor(async () => expect(await queue.ready()).toBe(true), 5_000);
    await eventually(() => expect(taken).toEqual(['zabbix 1 0']));
  });
});
