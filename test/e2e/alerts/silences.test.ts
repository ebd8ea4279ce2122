import { afterAll, beforeAll, expect, it } from 'vitest';
import { personsSilence } from '../../support/sample-silence.ts';
import { eventually } from '../parts/eventually.ts';
import { AlertFleet, opsChannel, textOf } from './parts/alert-fleet.ts';

const [silenced, other] = ['sim-0001', 'sim-0002'];
const id = 's-0000000000aa';

let fleet: AlertFleet;
beforeAll(async () => {
  fleet = await AlertFleet.start({
    machines: 2,
    alerts: { webhookChannel: opsChannel, otherwise: 'disk', debounceSeconds: 0 },
  });
});
afterAll(() => fleet?.[Symbol.asyncDispose]());

async function alert(machine: string): Promise<void> {
  const url = fleet.webhookUrl.replace(/alertmanager$/, 'generic');
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${fleet.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'DiskFull', labels: { machine }, text: 'a disk is full' }),
  });
  expect(response.ok).toBe(true);
}
const shown = () => fleet.slack.messages.map(textOf);

it('an alert starts nothing on a silenced machine, and that is told once at the end of the silence', async () => {
  const from = Date.now();
  const origin = { channel: opsChannel };
  await fleet.queue.silences.begin(
    personsSilence({ id, machines: silenced, origin, from, until: from + 3_600_000 }),
    'silence',
  );
  await alert(silenced);
  await alert(other);
  await eventually(async () => {
    expect((await fleet.runsOn(other)).map(({ state }) => state)).toEqual(['done']);
    expect(shown().join()).toContain(`*1 run for an alert*: \`disk\` on ${silenced}`);
    expect(shown().join()).toMatch(
      new RegExp(`\\*${silenced}\\* · check disk · not looked at: silenced until`),
    );
  });
  expect(await fleet.runsOn(silenced)).toEqual([]);

  // Nobody is there when its time is over.
  await fleet.killFleetbot();
  await fleet.queue.silences.end(id, { by: personsSilence().by, at: Date.now() });
  await fleet.startFleetbot();
  const [main] = fleet.said(opsChannel).filter((message) => textOf(message).includes(`silence:${id}:main`));
  const ends = () => fleet.said(opsChannel, main?.ts).filter((m) => textOf(m).includes('is over'));
  await eventually(() => expect(ends()).toHaveLength(1));
  expect(textOf(ends()[0])).toContain('alerts that still fire are looked at now');
  expect(textOf(ends()[0])).toContain(`*1 run for an alert*: \`disk\` on ${silenced}`);
  await eventually(async () => {
    expect((await fleet.runsOn(silenced)).map(({ state }) => state)).toEqual(['done']);
  });
});
