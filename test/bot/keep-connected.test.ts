import { SocketModeReceiver } from '@slack/bolt';
import { describe, expect, it, vi } from 'vitest';
import { keepConnected } from '../../src/bot/keep-connected.ts';
import { silent } from './bot-under-test.ts';

const delayMs = 5;

/** The real client, whose connecting the test decides about. */
function clientWith(connect: () => Promise<{ ok: boolean }>) {
  const { client } = new SocketModeReceiver({ appToken: 'xapp-test' });
  client.start = connect;
  return { client, kept: keepConnected(client, silent, delayMs) };
}

describe('a Socket Mode client that is kept connected', () => {
  it('lets the first connection fail, so that a wrong token is seen at once', async () => {
    const { client } = clientWith(() => Promise.reject(new Error('invalid_auth')));
    await expect(client.start()).rejects.toThrow('invalid_auth');
  });

  it('never lets a reconnect reject, and tries again', async () => {
    const connect = vi
      .fn<() => Promise<{ ok: boolean }>>()
      .mockRejectedValueOnce(new Error('account_inactive'))
      .mockResolvedValueOnce({ ok: true });
    const { client, kept } = clientWith(connect);
    client.emit('connected');
    expect(kept.connected()).toBe(true);
    client.emit('close');
    expect(kept.connected()).toBe(false);

    expect(await client.start()).toEqual({ ok: true });
    expect(connect).toHaveBeenCalledTimes(2);
  });

  it('gives up once it is released', async () => {
    const { client, kept } = clientWith(() => Promise.reject(new Error('stopping')));
    client.emit('connected');
    kept.release();
    expect(await client.start()).toEqual({ ok: false });
  });
});
