import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createPublisher, type Publisher } from '../../../src/bot/publisher/create-publisher.ts';
import { createPublisherClient } from '../../../src/bot/publisher/create-publisher-client.ts';
import type { Silence } from '../../../src/fleet/silence.ts';
import { FakeControls } from '../../support/fake-controls.ts';
import { FakeRequests } from '../../support/fake-requests.ts';
import { FakeSlack } from '../../support/fake-workspace.ts';
import { MemoryBudget } from '../../support/memory-budget.ts';
import { MemoryViews } from '../../support/memory-views.ts';
import { sampleSilence } from '../../support/sample-silence.ts';
import { fleetOf, machine } from '../bot-under-test.ts';

let slack: FakeSlack;
let views: MemoryViews;
let publisher: Publisher;
const controls = new FakeControls();
const { silences } = controls;

beforeEach(async () => {
  controls.reset();
  slack = await FakeSlack.start();
  views = new MemoryViews({ leaseMs: 60_000 });
  publisher = createPublisher({
    client: createPublisherClient('xoxb-test', { slackApiUrl: slack.apiUrl }),
    fleet: { current: () => fleetOf([machine('web-01'), machine('web-02')], []), invalid: () => undefined },
    requests: new FakeRequests(),
    ...controls,
    threads: { link: async () => undefined },
    views,
    budget: new MemoryBudget(),
    linkTo: () => ({ missing: 'no MLflow here' }),
    clock: Date.now,
    log: pino({ level: 'silent' }),
    settings: { pollIntervalMs: 5, progressIntervalMs: 20 },
  });
  publisher.start();
});
afterEach(async () => {
  await publisher.stop();
  await slack.stop();
});

const alert = (machine: string, times: number) => ({ kind: 'alert', machine, what: 'disk', times }) as const;

/** The silence is as given from now on; waits until Slack shows it. */
async function publish(silence: Silence, over: boolean, heldBack = [alert('rhel-01', 1)]): Promise<void> {
  silences.stored.set(silence.id, { silence, heldBack, over });
  views.markDirty('silence', silence.id, 'decision');
  await expect.poll(() => views.dirtyCount, { timeout: 8_000, interval: 10 }).toBe(0);
}
const shown = () => slack.messages.map(({ blocks }) => JSON.stringify(blocks));

it("a person's silence is one message, and its end a second one under it that names who made it", async () => {
  await publish(sampleSilence(), false, []);
  await publish(sampleSilence(), false, [alert('rhel-01', 3), alert('rhel-02', 9)]);
  expect(shown()).toHaveLength(1);
  expect(shown()[0]).toContain(':mute: *Silenced*: `all` until');
  expect(shown()[0]).toContain('*12 runs for alerts*: `disk` on rhel-02 ×9, `disk` on rhel-01 ×3');
  expect(shown()[0]).toContain('End now');

  const by = { kind: 'person', userId: 'U0BEN', teamId: 'T1' } as const;
  await publish(sampleSilence({ ended: { by, at: 2_000 } }), true);
  await publish(sampleSilence({ ended: { by, at: 2_000 } }), true);
  const [main, end, ...others] = slack.messages;
  expect(others).toEqual([]);
  expect(end?.thread_ts).toBe(main?.ts);
  expect(shown()[0]).toContain(
    '*No longer silenced*: `all`, since 1970-01-01 00:00:02 UTC, ended by <@U0BEN>: new kernel',
  );
  expect(shown()[0]).not.toContain('until');
  expect(shown()[0]).not.toContain('Held back');
  expect(shown()[0]).not.toContain('End now');
  expect(shown()[1]).toContain('<@U1> The silence of `all` is over: <@U0BEN> ended it at');
  expect(shown()[1]).toContain('*1 run for an alert*: `disk` on rhel-01');
});

it('one that held nothing back mentions nobody at its end', async () => {
  const by = { kind: 'person', userId: 'U0BEN', teamId: 'T1' } as const;
  await publish(sampleSilence(), false, []);
  await publish(sampleSilence({ ended: { by, at: 2_000 } }), true, []);
  expect(shown()[1]).toContain('The silence of `all` is over: ended before its time, at');
  expect(shown()[1]).not.toContain('<@');
});

it('one that ends while another holds says what is silenced still, and by which', async () => {
  const until = Date.now() + 3_600_000;
  const other = sampleSilence({ id: 's-0000000000bb', machines: 'web-01', until });
  silences.stored.set(other.id, { silence: other, heldBack: [], over: false });
  await publish(sampleSilence(), false, []);
  await publish(sampleSilence(), true, []);
  for (const text of shown()) expect(text).toMatch(/still silenced until .* \(`s-0000000000bb`\): `web-01`/);
  expect(shown()[0]).toContain('*This silence is over*');
});

it('a maintenance window says nothing before its end, and then once what it held back', async () => {
  const window = sampleSilence({ id: 'w-patch-night-1', by: { kind: 'window', window: 'patch-night' } });
  await publish(window, false);
  expect(slack.messages).toEqual([]);
  await publish(window, true);
  await publish(window, true, [alert('rhel-01', 2)]);
  expect(shown()).toHaveLength(1);
  expect(shown()[0]).toContain('the maintenance window `patch-night` of `all` is over since');
  expect(shown()[0]).toContain('*2 runs for alerts*');
});

it('a window of machines without a channel is told nowhere', async () => {
  const { origin: _origin, ...window } = sampleSilence({ by: { kind: 'window', window: 'patch-night' } });
  await publish(window, true);
  expect(slack.messages).toEqual([]);
});
