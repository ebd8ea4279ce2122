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
});
