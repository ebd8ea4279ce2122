import { describe, expect, it } from 'vitest';
import { manifest, manifestJson } from '../../src/bot/manifest.ts';

describe('the app manifest', () => {
  it('is for Socket Mode, and names no URL', () => {
    expect(JSON.parse(manifestJson())).toEqual(manifest);
    expect(manifestJson()).not.toContain('http');
  });

  it('for HTTP mode sends commands and clicks to the bot', () => {
    const url = 'https://fleetbot.example/slack/events';
    expect(JSON.parse(manifestJson({ requestUrl: url }))).toMatchObject({
      features: { slash_commands: [{ command: '/fleet', should_escape: true, url }] },
      settings: { interactivity: { request_url: url }, socket_mode_enabled: false },
    });
  });

  it('lets the bot hear of messages in its channels, in both modes, and read what it hears of', () => {
    const url = 'https://fleetbot.example/slack/events';
    const events = ['message.channels', 'message.groups'];
    expect(manifest.settings.event_subscriptions).toEqual({ bot_events: events });
    expect(JSON.parse(manifestJson({ requestUrl: url })).settings.event_subscriptions).toEqual({
      bot_events: events,
      request_url: url,
    });
    expect(manifest.oauth_config.scopes.bot).toEqual(
      expect.arrayContaining(['channels:history', 'groups:history']),
    );
  });
});
