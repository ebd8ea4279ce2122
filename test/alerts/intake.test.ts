import { beforeEach, describe, expect, it } from 'vitest';
import { readAlertmanager } from '../../src/alerts/alertmanager.ts';
import { readGeneric } from '../../src/alerts/generic.ts';
import { alertSchema } from '../../src/fleet/alert.ts';
import { StoreUnavailableError } from '../../src/fleet/errors.ts';
import { IntakeUnderTest, withAlerts } from './an-intake.ts';

const test = new IntakeUnderTest();
beforeEach(() => test.reset());

const webhook = { kind: 'webhook' } as const;
const take = (alerts: object, eventId?: string) => test.intake.take(readGeneric(alerts), webhook, eventId);
const disk = (host: string, more: object = {}) => ({ name: 'DiskAlmostFull', labels: { host }, ...more });

describe('alerts of the webhook', () => {
  it("are told in the machine's channel, else in the webhook's", async () => {
    const taken = await take([disk('web-01'), disk('web-02'), disk('db-01', { status: 'resolved' })]);
    expect(taken).toEqual({ duplicate: false, stored: 3, unmatched: 0, homeless: 0, problems: [] });
    expect(test.stored).toEqual([
      'C0WEB web-01 disk firing',
      'C0OPS web-02 disk firing',
      'C0OPS db-01 disk resolved',
    ]);
    expect(test.groups.every((group) => group.threadTs === undefined)).toBe(true);
    expect(test.counted).toEqual(['generic: 2 firing, 1 resolved, 0 unmatched']);
  });

  it('that have no channel are answered, logged and counted, and the others are stored', async () => {
    const { webhookChannel: _none, ...alerts } = test.fleet.alerts;
    test.fleet = { ...test.fleet, alerts };
    const taken = await take([disk('web-01'), disk('web-02')]);
    expect(taken).toMatchObject({
      ...{ stored: 1, homeless: 1 },
      problems: [
        'DiskAlmostFull: there is no channel to tell of it. Set alerts.webhookChannel, or the channel of web-02 in the fleet file.',
      ],
    });
    expect(test.stored).toEqual(['C0WEB web-01 disk firing']);
    expect(test.counted).toEqual(['generic: 1 firing, 0 resolved, 0 unmatched', 'generic: 1 homeless']);
    expect(test.lines.join()).toContain('no channel to tell of it');
  });

  it('that nobody looks into are stored with the reason', async () => {
    const { unmatched, problems } = await take([disk('foo'), { name: 'Other', labels: { host: 'web-01' } }]);
    expect(unmatched).toBe(2);
    expect(problems).toEqual([
      expect.stringMatching(/^DiskAlmostFull: Its labels name no machine.*\(host is "foo"\)/),
      expect.stringMatching(/^Other: No rule of alerts\.rules fits "Other" on web-01/),
    ]);
    const found = test.groups.flatMap(({ alerts }) => alerts);
    expect(found.map(({ alert }) => alert.fingerprint).join()).not.toContain('@');
    expect(found).toMatchObject([{ problem: expect.stringContaining('foo') }, { machine: 'web-01' }]);
    expect(found[1]).toHaveProperty('problem');
    expect(test.stored).toEqual(['C0OPS - - firing', 'C0WEB web-01 - firing']);
  });

  it('of which many are unmatched are answered with the first reasons, each once', async () => {
    const hosts = Array.from({ length: 60 }, (_, number) =>
      disk(`foo-${Math.floor(number / 2)}`, { fingerprint: `f${number}` }),
    );
    const { unmatched, problems } = await take(hosts);
    expect({ unmatched, problems: problems.length, different: new Set(problems).size }).toEqual({
      ...{ unmatched: 60, problems: 20, different: 20 },
    });
  });

  it('are matched by the fleet file as it is now', async () => {
    await take({ name: 'Other', labels: { host: 'web-01' } });
    test.fleet = withAlerts({ otherwise: 'load' });
    await take({ name: 'Other', labels: { host: 'web-01' } });
    expect(test.stored).toEqual(['C0WEB web-01 - firing', 'C0WEB web-01 load firing']);
  });

  it('are the same alert however often they come, and when they are resolved', async () => {
    for (const status of ['firing', 'firing', 'resolved']) await take(disk('web-02', { status }));
    const prints = test.groups.flatMap(({ alerts }) => alerts.map(({ alert }) => alert.fingerprint));
    expect(prints).toHaveLength(3);
    expect(new Set(prints).size).toBe(1);
    expect(new Set(test.groups.map(({ key }) => key)).size).toBe(1);
  });

  it('of one delivery are taken once', async () => {
    expect(await take(disk('web-01'), 'delivery')).toMatchObject({ duplicate: false });
    expect(await take(disk('web-01'), 'delivery')).toMatchObject({ duplicate: true });
    expect(test.groups).toHaveLength(1);
    expect(test.counted).toHaveLength(1);
  });

  it('that cannot be stored are not counted, and the store is told of', async () => {
    test.away = true;
    await expect(take(disk('web-01'))).rejects.toThrow(StoreUnavailableError);
    expect(test.counted).toEqual([]);
  });

  it('without any alert change nothing', async () => {
    test.away = true;
    expect(await take([])).toMatchObject({ duplicate: false, stored: 0 });
  });
});

describe('alerts that belong together', () => {
  it('have the values of groupBy and the channel in common', async () => {
    test.fleet = withAlerts({ groupBy: ['alertname', 'site'] });
    const at = (host: string, site: string) => ({ name: 'DiskAlmostFull', labels: { host, site } });
    await take([
      at('web-01', 'fra'),
      at('web-02', 'fra'),
      at('db-01', 'fra'),
      at('db-01', 'ber'),
      disk('db-01'),
    ]);
    expect(test.groups.map(({ title, channel, alerts }) => [title, channel, alerts.length])).toEqual([
      ['DiskAlmostFull · fra', 'C0WEB', 1],
      ['DiskAlmostFull · fra', 'C0OPS', 2],
      ['DiskAlmostFull · ber', 'C0OPS', 1],
      ['DiskAlmostFull', 'C0OPS', 1],
    ]);
    expect(new Set(test.groups.map(({ key }) => key)).size).toBe(4);
  });

  it('are called by those values, in so many words', async () => {
    test.fleet = withAlerts({ groupBy: ['Site'] });
    await take({ name: 'DiskAlmostFull', labels: { host: 'web-02', site: 's'.repeat(400) } });
    await take(disk('web-02'));
    expect(test.groups.map(({ title }) => title)).toEqual([`${'s'.repeat(199)}…`, 'DiskAlmostFull']);
  });

  it('may name several machines at once: each is an alert of its own', async () => {
    await take({ name: 'DiskAlmostFull', text: 'web-02 and db-01 are full' });
    expect(test.stored).toEqual(['C0OPS web-02 disk firing', 'C0OPS db-01 disk firing']);
    const [first, second] = test.groups.flatMap(({ alerts }) => alerts.map(({ alert }) => alert.fingerprint));
    expect(first).toMatch(/@web-02$/);
    expect(second).toMatch(/@db-01$/);
  });

  it('of the same name and text are told apart by the machine that the text names', async () => {
    await take({ name: 'DiskAlmostFull', text: 'web-02 is full' });
    await take({ name: 'DiskAlmostFull', text: 'db-01 is full' });
    const prints = test.groups.flatMap(({ alerts }) => alerts.map(({ alert }) => alert.fingerprint));
    expect(new Set(prints).size).toBe(2);
  });

  it('are known by the fingerprint that they bring, else by name and labels', async () => {
    const prints = async (...alerts: object[]) => {
      test.reset();
      await take(alerts);
      const found = test.groups.flatMap((group) => group.alerts.map(({ alert }) => alertSchema.parse(alert)));
      return new Set(found.map(({ fingerprint }) => fingerprint)).size;
    };
    expect(await prints(disk('web-02'), disk('web-02', { name: 'diskalmostfull', text: 'x' }))).toBe(1);
    expect(await prints(disk('web-02'), disk('web-02', { name: 'DiskSlow' }))).toBe(2);
    expect(await prints(disk('web-02', { fingerprint: 'a' }), disk('db-01', { fingerprint: 'a' }))).toBe(1);
    const long = 'f'.repeat(500);
    expect(
      await prints(disk('web-02', { fingerprint: `${long}1` }), disk('web-02', { fingerprint: `${long}2` })),
    ).toBe(2);
  });

  it('are told once for each fingerprint, as the last one says', async () => {
    await take([disk('web-02'), disk('web-02', { status: 'resolved' })]);
    expect(test.stored).toEqual(['C0OPS web-02 disk resolved']);
  });
});

describe('what an alert says', () => {
  it('is kept without secrets and in bounded space, and fits the domain', async () => {
    const secret = 'xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx';
    const labels = Object.fromEntries(
      Array.from({ length: 200 }, (_, number) => [`l${number}`, 'v'.repeat(2_000)]),
    );
    await take({
      name: `Disk ${secret} ${'n'.repeat(1_000)}`,
      labels: { host: 'web-01', password: 'hunter2hunter2', token: secret, [`of ${secret}`]: 'x', ...labels },
      text: `${secret} ${'😀'.repeat(5_000)}`,
      url: `https://user:hunter2hunter2@example.com/?token=${secret}`,
    });
    const [group] = test.groups;
    const alert = alertSchema.parse(group?.alerts[0]?.alert);
    expect(JSON.stringify(group)).not.toMatch(/xoxb-1|hunter2/);
    expect(Object.keys(alert.labels).length).toBeLessThanOrEqual(64);
    expect(JSON.stringify(group).length).toBeLessThan(64 * 700 + 5_000);
  });

  it('has whole characters only, wherever it is cut', async () => {
    for (const text of ['😀'.repeat(2_000), `x${'😀'.repeat(2_000)}`, '\ud83d']) {
      await take(disk('web-01', { text }));
      expect(test.groups.at(-1)?.alerts[0]?.alert.text.isWellFormed()).toBe(true);
    }
  });

  it('has a name, also where its sender gave none', async () => {
    const { alerts } = readAlertmanager({ version: '4', alerts: [{ status: 'firing', labels: {} }] });
    await test.intake.take(alerts, webhook);
    expect(test.groups[0]).toMatchObject({ title: 'alert', alerts: [{ alert: { name: 'alert' } }] });
  });

  it('keeps no word of a value whose label says that it is secret', async () => {
    await take(disk('web-01', { labels: { host: 'web-01', passphrase: 'correct horse battery' } }));
    expect(JSON.stringify(test.groups)).toContain('"passphrase":"[redacted:password]"');
    expect(JSON.stringify(test.groups)).not.toMatch(/horse|battery/);
  });

  it('may link to nothing but the web', async () => {
    await take([
      disk('web-01', { url: 'javascript:alert(1)' }),
      disk('web-02', { url: 'https://m.example/1?a=<!channel>' }),
      disk('db-01', { url: `https://m.example/${'x'.repeat(2_000)}` }),
    ]);
    const urls = test.groups.flatMap(({ alerts }) => alerts.map(({ alert }) => alert.url));
    expect(urls).toEqual([undefined, 'https://m.example/1?a=%3C!channel%3E', undefined]);
  });

  it("of Alertmanager is its labels, its annotations, and Alertmanager's own fingerprint", async () => {
    const { alerts } = readAlertmanager({
      ...{ version: '4', groupKey: '{}:{}', truncatedAlerts: 0, status: 'firing', receiver: 'fleetbot' },
      alerts: [
        {
          status: 'firing',
          labels: { alertname: 'DiskAlmostFull', instance: 'web-01:9100' },
          annotations: { summary: 'The disk is full', description: 'Of /var 4% are left', runbook: 'x' },
          startsAt: '2026-11-23T00:00:00.123456789Z',
          endsAt: '0001-01-01T00:00:00Z',
          generatorURL: 'http://prometheus.example/graph?g0.expr=up',
          fingerprint: '2c3f9d8f5a7d8e21',
        },
      ],
    });
    await test.intake.take(alerts, webhook);
    expect(test.groups[0]?.alerts[0]).toEqual({
      ...{ machine: 'web-01', check: 'disk' },
      alert: {
        ...{ fingerprint: '2c3f9d8f5a7d8e21', source: 'alertmanager', status: 'firing' },
        name: 'DiskAlmostFull',
        labels: { alertname: 'DiskAlmostFull', instance: 'web-01:9100' },
        text: 'The disk is full\nOf /var 4% are left',
        startsAt: Date.UTC(2026, 10, 23) + 123,
        url: 'http://prometheus.example/graph?g0.expr=up',
      },
    });
  });
});
