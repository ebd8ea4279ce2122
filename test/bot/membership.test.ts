import { WebClient } from '@slack/web-api';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createMembership } from '../../src/bot/membership.ts';
import { FakeSlack } from '../support/fake-workspace.ts';

let slack: FakeSlack;

beforeAll(async () => {
  slack = await FakeSlack.start();
});
afterAll(() => slack.stop());

it.each([
  ['in the channel', { ok: true, channel: { is_member: true } }, false, undefined],
  ['in a direct message', { ok: true, channel: { is_im: true } }, false, undefined],
  ['not in the channel', { ok: true, channel: { is_member: false } }, true, 'I am not in this channel'],
  ['of a channel it cannot see', { ok: false, error: 'channel_not_found' }, true, 'I am not in this channel'],
  ['in an archived channel', { ok: true, channel: { is_member: true, is_archived: true } }, true, 'not in'],
  ['asking Slack in vain', { ok: false, error: 'internal_error' }, false, 'could not be asked'],
])('the bot that is %s', async (_where, answer, isOutside, obstacle) => {
  slack.handlers.set('conversations.info', () => answer);
  const client = new WebClient('xoxb-test', { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 } });
  const log = pino({ level: 'silent' });
  const membership = createMembership({ client, botName: () => 'fleetbot', clock: Date.now, log });
  expect(await membership.isOutside('C1')).toBe(isOutside);
  const told = await membership.obstacle('C1');
  if (obstacle === undefined) expect(told).toBeUndefined();
  else expect(told).toContain(obstacle);
});
