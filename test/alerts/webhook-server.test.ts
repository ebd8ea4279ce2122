import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { alertsMax } from '../../src/alerts/alert-list.ts';
import { sign, signatureMaxAgeMs } from '../../src/alerts/authenticate.ts';
import { startWebhookServer, type WebhookServer } from '../../src/alerts/webhook-server.ts';
import { SettingsError } from '../../src/fleet/errors.ts';
import { IntakeUnderTest } from './an-intake.ts';

const test = new IntakeUnderTest();
const token = 'a token, of some-length';
const hmacSecret = 'a-secret-of-some-length';
const maxBytes = 50_000;
let now = 1_800_000_000_000;
let server: WebhookServer;

const options = {
  ...{ host: '127.0.0.1', port: 0, credentials: { token, hmacSecret }, maxBytes },
  ...{ intake: test.intake, meter: test.meter, clock: () => now, log: test.log },
};

beforeAll(async () => {
  server = await startWebhookServer(options);
});
beforeEach(() => {
  test.reset();
  now = 1_800_000_000_000;
});
afterAll(() => server.close());

const bearer = { authorization: `Bearer ${token}` };
const json = { 'content-type': 'application/json' };
const disk = { name: 'DiskAlmostFull', labels: { host: 'web-01' } };
const notification = {
  version: '4',
  groupKey: '{}:{alertname="DiskAlmostFull"}',
  truncatedAlerts: 0,
  alerts: [
    {
      ...{ status: 'firing', fingerprint: '2c3f9d8f5a7d8e21', startsAt: '2026-11-23T00:00:00Z' },
      labels: { alertname: 'DiskAlmostFull', instance: 'web-01:9100' },
      annotations: { summary: 'full' },
    },
  ],
};

const bodySchema = z.looseObject({
  error: z.string().default(''),
  problems: z.array(z.string()).default([]),
});

async function send(path: string, init: RequestInit = {}) {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method: 'POST', ...init });
  return {
    status: response.status,
    headers: response.headers,
    body: bodySchema.parse(await response.json()),
  };
}
const post = (path: string, payload: unknown, headers: Record<string, string> = bearer) =>
  send(path, { body: JSON.stringify(payload), headers: { ...json, ...headers } });

/** Headers of a message that is signed at this moment, or so long before. */
function signed(
  payload: unknown,
  { ageMs = 0, secret = hmacSecret, timestamp = String(Math.floor((now - ageMs) / 1_000)) } = {},
): Record<string, string> {
  const signature = sign(secret, timestamp, JSON.stringify(payload));
  return { 'x-fleetbot-timestamp': timestamp, 'x-fleetbot-signature': signature };
}

describe('a delivery', () => {
  it('of Alertmanager is answered once it is stored', async () => {
    const { status, body } = await post('/alerts/alertmanager', notification);
    expect({ status, body }).toEqual({
      status: 200,
      body: { duplicate: false, stored: 1, unmatched: 0, homeless: 0, problems: [], error: '' },
    });
    expect(test.stored).toEqual(['C0WEB web-01 disk firing']);
  });

  it("of Grafana's webhook has the same fields", async () => {
    await post('/alerts/alertmanager?orgId=1', {
      ...notification,
      version: '1',
      state: 'alerting',
      orgId: 1,
    });
    expect(test.groups).toMatchObject([{ source: 'grafana' }]);
  });

  it.each([
    ['one alert', disk],
    ['a list', [disk]],
    ['a list under alerts', { alerts: [disk] }],
  ])('in our own format may be %s', async (_what, payload) => {
    expect(await post('/alerts/generic', payload)).toMatchObject({ status: 200, body: { stored: 1 } });
    expect(test.stored).toEqual(['C0WEB web-01 disk firing']);
  });

  it('says which alerts nobody looks into, and why', async () => {
    const { status, body } = await post('/alerts/generic', { ...disk, labels: { host: 'foo' } });
    expect({ status, body }).toMatchObject({ status: 200, body: { stored: 1, unmatched: 1 } });
    expect(body.problems).toEqual([expect.stringContaining('host is "foo"')]);
  });

  it('that Alertmanager repeats is taken once, and again when something changed', async () => {
    for (const [duplicate, stored] of [
      [false, 1],
      [true, 0],
    ]) {
      expect((await post('/alerts/alertmanager', notification)).body).toMatchObject({ duplicate, stored });
    }
    const [alert] = notification.alerts;
    const later = { ...notification, alerts: [{ ...alert, status: 'resolved' }] };
    expect((await post('/alerts/alertmanager', later)).body).toMatchObject({ duplicate: false });
    expect(test.stored.map((each) => each.split(' ').at(-1))).toEqual(['firing', 'resolved']);
  });

  it('in our own format is known again by its key, and without one is taken as new', async () => {
    for (const duplicate of [false, true]) {
      const { body } = await post('/alerts/generic', disk, { ...bearer, 'idempotency-key': 'k-1' });
      expect(body).toMatchObject({ duplicate });
    }
    const elsewhere = await post('/alerts/alertmanager', notification, {
      ...bearer,
      'idempotency-key': 'k-1',
    });
    expect(elsewhere.body).toMatchObject({ duplicate: false });
    for (const _delivery of [1, 2]) {
      expect((await post('/alerts/generic', disk)).body).toMatchObject({ duplicate: false });
    }
  });

  it('that cannot be stored is asked for again', async () => {
    test.away = true;
    const { status, headers, body } = await post('/alerts/alertmanager', notification);
    expect({ status, after: headers.get('retry-after') }).toEqual({ status: 503, after: '5' });
    expect(body.error).toContain('Send it again');
    test.away = false;
    expect(await post('/alerts/alertmanager', notification)).toMatchObject({
      status: 200,
      body: { stored: 1 },
    });
    expect(test.counted[0]).toBe('refused: unavailable');
  });

  it('that fails for another reason is answered without it, and logged', async () => {
    const take = vi.spyOn(test.store, 'take').mockRejectedValue(new TypeError('a mistake'));
    const { status, body } = await post('/alerts/generic', disk);
    take.mockRestore();
    expect({ status, ...body }).toEqual({ status: 500, error: expect.stringContaining('log'), problems: [] });
    expect(test.lines.join()).toContain('a mistake');
    expect(test.counted).toEqual(['refused: unavailable']);
  });

  it('of which alerts were left out is told in the log', async () => {
    await post('/alerts/alertmanager', { ...notification, truncatedAlerts: 7 });
    expect(test.lines.join()).toContain('raise max_alerts');
  });
});

describe('a sender', () => {
  it.each([
    ['nothing', {}, 401],
    ['another token', { authorization: 'Bearer another-token-of-some' }, 403],
    ['a token that begins alike', { authorization: `Bearer ${token}x` }, 403],
    ['user and password', { authorization: 'Basic YTpi' }, 401],
  ])('with %s is turned away, at any path, and its body is not read', async (_proof, headers, status) => {
    for (const path of ['/alerts/generic', '/nowhere']) {
      const answer = await send(path, { body: 'not json', headers: { ...json, ...headers } });
      expect(answer.status).toBe(status);
      expect(answer.body.error).toMatch(/token/i);
      expect(answer.headers.has('www-authenticate')).toBe(status === 401);
    }
    expect(test.counted).toEqual(['refused: unauthorized', 'refused: unauthorized']);
  });

  it('may sign the body instead, for some minutes', async () => {
    expect((await post('/alerts/generic', disk, signed(disk))).status).toBe(200);
    const aged = (ageMs: number) => post('/alerts/generic', disk, signed(disk, { ageMs }));
    expect((await aged(signatureMaxAgeMs - 1_000)).status).toBe(200);
    for (const ageMs of [signatureMaxAgeMs + 1_000, -signatureMaxAgeMs - 1_000]) {
      expect(await aged(ageMs)).toMatchObject({
        status: 403,
        body: { error: expect.stringContaining('5 minutes') },
      });
    }
  });

  it('whose signature is repeated by somebody else is taken once, whatever else they send', async () => {
    const headers = signed(disk);
    await post('/alerts/generic', disk, headers);
    const again = await post('/alerts/generic', disk, { ...headers, 'idempotency-key': 'another' });
    expect(again.body).toMatchObject({ duplicate: true });
  });

  it.each([
    ['of another body', { ...signed({ ...disk, name: 'Other' }) }],
    ['with another secret', { ...signed(disk, { secret: 'another-secret' }) }],
    ['of another time', { ...signed(disk), 'x-fleetbot-timestamp': '1800000001' }],
    ['of a time that is none', signed(disk, { timestamp: 'for ever' })],
    ['without a time', { 'x-fleetbot-signature': signed(disk)['x-fleetbot-signature'] ?? '' }],
  ])('with a signature %s is turned away', async (_what, headers) => {
    expect((await post('/alerts/generic', disk, headers)).status).toBe(403);
    expect(test.groups).toEqual([]);
  });

  it('has no way that is not set up', async () => {
    const only = await startWebhookServer({ ...options, credentials: { hmacSecret } });
    const response = await fetch(`http://127.0.0.1:${only.port}/alerts/generic`, {
      ...{
        method: 'POST',
        body: JSON.stringify(disk),
        headers: { ...json, authorization: 'Bearer undefined' },
      },
    });
    expect(response.status).toBe(401);
    expect(await response.text()).toContain('FLEETBOT_ALERTS_HMAC_SECRET');
    await only.close();
  });
});

describe('what is not taken is answered with what to do', () => {
  it('and logged, each reason once in a minute, without what was sent', async () => {
    now += 3_600_000;
    await post('/alerts/generic', disk, { authorization: 'Bearer a-wrong-one' });
    await post('/alerts/generic', disk, { authorization: 'Bearer a-wrong-one' });
    await post('/alerts/generic', { name: 5 });
    const told = () =>
      test.lines.map((line) => z.looseObject({ reason: z.string() }).parse(JSON.parse(line)).reason);
    expect(told()).toEqual(['unauthorized', 'invalid']);
    expect(test.lines.join('')).not.toContain('a-wrong-one');
    now += 60_000;
    await post('/alerts/generic', disk, { authorization: 'Bearer a-wrong-one' });
    expect(told()).toEqual(['unauthorized', 'invalid', 'unauthorized']);
  });

  it.each([
    [
      'another path',
      () => send('/alerts/grafana', { headers: { ...bearer, ...json } }),
      404,
      'Grafana post to /alerts/alertmanager',
    ],
    [
      'another method',
      () => send('/alerts/generic', { method: 'PUT', headers: { ...bearer, ...json } }),
      405,
      'POST',
    ],
    [
      'another type',
      () => send('/alerts/generic', { body: 'a=b', headers: bearer }),
      415,
      'application/json',
    ],
    [
      'no JSON',
      () => send('/alerts/generic', { body: '{', headers: { ...bearer, ...json } }),
      400,
      'not JSON',
    ],
    [
      'another payload',
      () => post('/alerts/generic', { nam: 'x' }),
      400,
      'takes. "name" is missing. "nam" is not known here.',
    ],
    ['much that is wrong', () => post('/alerts/generic', Array(500).fill({})), 400, '"[0].name" is missing.'],
    [
      'another status',
      () =>
        post('/alerts/generic', { alerts: [{ name: 'x', status: 'on', labels: { a: 5 }, startsAt: '1' }] }),
      400,
      '"alerts[0].status" must be firing or resolved. "alerts[0].labels.a" must be a string. "alerts[0].startsAt" must be a time',
    ],
    ['no group', () => post('/alerts/generic', 5), 400, 'It must be an object.'],
    [
      'another version',
      () => post('/alerts/alertmanager', { ...notification, version: '3' }),
      400,
      'version',
    ],
    [
      'too many',
      () =>
        post(
          '/alerts/generic',
          Array.from({ length: alertsMax + 1 }, () => 0),
        ),
      400,
      'max_alerts',
    ],
    [
      'too much',
      () => post('/alerts/generic', { ...disk, text: 'x'.repeat(maxBytes) }),
      413,
      'FLEETBOT_ALERTS_MAX_BYTES',
    ],
  ])('%s', async (_what, request, status, word) => {
    const answer = await request();
    expect(answer.status).toBe(status);
    expect(answer.body.error).toContain(word);
    expect(answer.body.error.length).toBeLessThan(1_100);
    expect(answer.headers.get('connection')).toBe('close');
    expect(answer.headers.get('allow')).toBe(status === 405 ? 'POST' : null);
    expect(test.groups).toEqual([]);
  });

  it.each([
    ['that is announced, before it comes', `content-length: ${maxBytes + 1}\r\n\r\n`],
    [
      'that does not say so beforehand, while it comes',
      `transfer-encoding: chunked\r\n\r\n${(maxBytes + 1).toString(16)}\r\n${'x'.repeat(maxBytes + 1)}\r\n`,
    ],
  ])('too much %s', async (_what, rest) => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write(
      `POST /alerts/generic HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\n${rest}`,
    );
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toContain('HTTP/1.1 413 ');
    socket.destroy();
  });

  it('more at the same time than can be served', async () => {
    const opened = Promise.withResolvers<void>();
    const take = vi.spyOn(test.store, 'take').mockImplementation(async () => {
      await opened.promise;
      return { duplicate: false };
    });
    const answers = Promise.all(Array.from({ length: 20 }, () => post('/alerts/generic', disk)));
    await vi.waitFor(() => expect(test.counted.filter((each) => each === 'refused: busy')).toHaveLength(4), {
      timeout: 10_000,
    });
    opened.resolve();
    const statuses = (await answers).map(({ status }) => status);
    take.mockRestore();
    expect(statuses.filter((status) => status === 200)).toHaveLength(16);
    expect(statuses.filter((status) => status === 503)).toHaveLength(4);
  });
});

it('a sender that goes away before the end is not believed, and leaves the others served', async () => {
  const socket = connect(server.port, '127.0.0.1');
  socket.write(
    `POST /alerts/generic HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n${JSON.stringify(disk)}`,
  );
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.destroy();
  expect((await post('/alerts/generic', disk)).status).toBe(200);
  await vi.waitFor(() => expect(test.counted).toContain('refused: invalid'), { timeout: 10_000 });
  expect(test.stored).toHaveLength(1);
});

it('closing waits for what arrived', async () => {
  const other = await startWebhookServer(options);
  const opened = Promise.withResolvers<void>();
  const take = vi.spyOn(test.store, 'take').mockImplementation(async () => {
    await opened.promise;
    return { duplicate: false };
  });
  const answer = fetch(`http://127.0.0.1:${other.port}/alerts/generic`, {
    ...{ method: 'POST', body: JSON.stringify(disk), headers: { ...json, ...bearer } },
  });
  await vi.waitFor(() => expect(take).toHaveBeenCalled(), { timeout: 10_000 });
  const closed = other.close();
  opened.resolve();
  // Else the end waits until the sender closes its connection.
  expect(await answer).toMatchObject({ status: 200 });
  expect((await answer).headers.get('connection')).toBe('close');
  await closed;
  take.mockRestore();
});

it('a port that is taken is named', async () => {
  await expect(startWebhookServer({ ...options, port: server.port })).rejects.toThrow(SettingsError);
});
