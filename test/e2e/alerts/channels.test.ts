import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as shapes from '../../alerts/shapes.ts';
import { fakeBot } from '../../support/fake-workspace.ts';
import { eventually } from '../parts/eventually.ts';
import { AlertFleet, recordOf, textOf } from './parts/alert-fleet.ts';

/** What each integration posts about web-01, and what makes it over. */
const integrations = [
  ['Alertmanager', shapes.alertmanager('firing'), shapes.alertmanager('resolved')],
  ['PagerDuty', shapes.pagerduty('Triggered'), shapes.pagerduty('Resolved')],
  ['Datadog', shapes.datadog('Triggered'), shapes.datadog('Recovered')],
  ['Zabbix', shapes.zabbix('problem'), shapes.zabbix('resolved')],
  ['Uptime Kuma', shapes.uptimeKuma(false), shapes.uptimeKuma(true)],
  ['CloudWatch', shapes.cloudwatch('ALARM'), shapes.cloudwatch('OK')],
  ['Sentry', shapes.sentry('Critical'), shapes.sentry('Resolved')],
  ['Nagios', shapes.nagios('CRITICAL'), shapes.nagios('OK')],
] as const;
/** Each in a channel of its own: Slack takes one message a second in each. */
const channelOf = (index: number) => `C0ALERTS${index}`;
const channels = integrations.map(([, { bot_id }], index) => ({ channel: channelOf(index), apps: [bot_id] }));

let fleet: AlertFleet;
beforeAll(async () => {
  fleet = await AlertFleet.start({
    machines: integrations.length,
    alerts: { channels, otherwise: 'disk', debounceSeconds: 0 },
  });
});
afterAll(() => fleet?.[Symbol.asyncDispose]());

/** The message about another machine. */
const about = (machine: string, message: object): Readonly<Record<string, unknown>> =>
  JSON.parse(JSON.stringify(message).replaceAll('web-01', machine));

describe('a channel in which apps post alerts', () => {
  it.concurrent.each(integrations.map((row, index) => [...row, index] as const))(
    '%s is answered in the thread of its own message, which is closed when it is over',
    async (_name, firing, resolved, index) => {
      const [machine] = fleet.machines.entries.slice(index).map(({ name }) => name);
      if (machine === undefined) throw new Error('too few machines');
      const channel = channelOf(index);
      const message = about(machine, firing);
      const { ts, again } = await fleet.posts(channel, message);
      const kindsInThread = () => fleet.said(channel, ts).map((m) => recordOf(m)?.slice(0, 2));
      await eventually(async () => {
        const runs = await fleet.runsOn(machine);
        expect(runs.map(({ state, verdict }) => [state, verdict])).toEqual([['done', 'ok']]);
        expect(kindsInThread()).toEqual(expect.arrayContaining(['i-', 'r-']));
      });
      await again();
      // The integration edits its message.
      await fleet.tells({
        ...{ type: 'message', subtype: 'message_changed', channel },
        message: { ...about(machine, resolved), ts },
        previous_message: { ...message, ts },
      });
      await eventually(() =>
        expect(fleet.said(channel, ts).map(textOf).join()).toContain('is resolved after'),
      );
      // Two records, one message each; which of them Slack got first says nothing.
      expect(
        kindsInThread()
          .filter((kind) => kind !== undefined)
          .sort(),
      ).toEqual(['i-', 'r-']);
      expect(fleet.said(channel)).toEqual([]);
    },
  );

  it('is not answered to anybody else, and never to ourselves', async () => {
    const [channel, machine = ''] = [channelOf(0), ...fleet.machines.machines.keys()];
    const text = `${machine}/disk is CRITICAL`;
    const before = fleet.slack.messages.length;
    await fleet.posts(channel, { bot_id: 'B0STRANGER', app_id: 'A0STRANGER', text });
    await fleet.posts(channel, { bot_id: fakeBot.bot_id, user: fakeBot.user_id, text });
    await fleet.posts(channel, { user: 'U0ANN', text });
    // What is taken after them is answered, so they were looked at.
    const { ts } = await fleet.posts(channel, about(machine, shapes.alertmanagerWithDetails));
    await eventually(() => expect(fleet.said(channel, ts)).toHaveLength(1));
    expect(fleet.slack.messages.length).toBe(before + 5);
    expect(fleet.said(channel)).toEqual([]);
  });
});
