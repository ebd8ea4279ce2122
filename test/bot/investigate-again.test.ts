import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { investigateAgainActionId } from '../../src/bot/action-ids.ts';
import { sampleAlert, sampleIncident } from '../support/sample-incident.ts';
import { BotUnderTest, fleetOf, machine } from './bot-under-test.ts';

const test = new BotUnderTest();
beforeAll(() => test.start());
afterAll(() => test.stop());

const incident = sampleIncident({ channel: 'C1' });
const { id } = incident;
beforeEach(() => {
  test.reset();
  test.controls.incidents.stored.set(id, incident);
});

const requests = () => test.requests.stored.map(({ request }) => request);
const told = async (count = 1) => {
  await vi.waitFor(() => expect(test.slack.responses).toHaveLength(count), { timeout: 10_000 });
  return String(test.slack.responses.at(-1)?.text);
};

it('asks for the checks of what fires, one request for each check, under the incident and in the name of who clicked', async () => {
  const alerts = [
    ...incident.alerts,
    sampleAlert('db-01', { fingerprint: 'm', check: 'memory' }),
    sampleAlert('web-03', { fingerprint: 'over', status: 'resolved' }),
  ];
  test.controls.incidents.stored.set(id, { ...incident, alerts });
  await test.click(investigateAgainActionId, id);
  await vi.waitFor(() => expect(requests()).toHaveLength(3), { timeout: 10_000 });
  for (const request of requests()) {
    expect(request).toMatchObject({
      origin: { channel: 'C1', under: id },
      requester: { kind: 'person', userId: 'UANN' },
    });
  }
  const asked = requests().map((request) => [request.machine, request.task, request.campaign !== undefined]);
  expect(asked).toEqual([
    ['web-01', { kind: 'check', check: 'disk' }, true],
    ['web-02', { kind: 'check', check: 'disk' }, true],
    ['db-01', { kind: 'check', check: 'memory' }, false],
  ]);
  await told();
});

it('is answered in the thread of the monitoring’s own message', async () => {
  test.controls.incidents.stored.set(id, { ...incident, threadTs: '1.1' });
  await test.click(investigateAgainActionId, id);
  await vi.waitFor(() => expect(requests()[0]?.origin).toEqual({ channel: 'C1', threadTs: '1.1' }), {
    timeout: 10_000,
  });
  await told();
});

it('notes the runs in the incident, and a second click at the same time is the same request', async () => {
  await test.click(investigateAgainActionId, id);
  const noted = () => test.controls.incidents.stored.get(id)?.investigations ?? [];
  await vi.waitFor(() => expect(noted()).toHaveLength(2), { timeout: 10_000 });
  expect(noted()).toEqual(
    test.requests.stored.map((run) => ({
      ...{ machine: run.request.machine, check: 'disk', run: run.id, by: 'UANN' },
      at: run.request.acceptedAt,
    })),
  );
  expect(await told()).toContain('One summary appears here');
  await test.click(investigateAgainActionId, id);
  expect(await told(2)).toContain('began a moment ago');
  expect(requests()).toHaveLength(2);
  expect(noted()).toHaveLength(2);
});

it('asks only for what the person may check, and of more machines than one selector can name in parts', async () => {
  const names = Array.from({ length: 30 }, (_, index) => `a-machine-with-a-rather-long-name-${index}`);
  test.fleet = fleetOf(
    [...names, 'web-01'].map((name) => machine(name)),
    [{ people: ['UANN'], machines: 'a-machine-*' }],
  );
  const alerts = ['web-01', ...names].map((name) => sampleAlert(name));
  test.controls.incidents.stored.set(id, { ...incident, alerts });
  await test.click(investigateAgainActionId, id);
  await vi.waitFor(() => expect(requests()).toHaveLength(names.length), { timeout: 10_000 });
  expect(requests().map((request) => request.machine)).toEqual(names);
  expect(new Set(requests().map(({ eventId }) => eventId)).size).toBeGreaterThan(1);
  await told();
});

it('that the person may not is refused, and so is an incident that is no longer known', async () => {
  test.fleet = fleetOf([machine('web-01')], [{ people: ['UANN'], verbs: ['view'] }]);
  await test.click(investigateAgainActionId, id);
  expect(await told()).toContain('You may not `check` any machine');
  expect(requests()).toEqual([]);
  test.slack.responses.length = 0;
  test.controls.incidents.stored.clear();
  await test.click(investigateAgainActionId, id);
  expect(await told()).toContain('no longer known');
});
