import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Incident } from '../../../src/fleet/incident.ts';
import { eventually } from '../parts/eventually.ts';
import { AlertFleet, opsChannel, recordOf, textOf } from './parts/alert-fleet.ts';
import { type Alertmanager, type Fired, startAlertmanager } from './parts/alertmanager.ts';

let fleet: AlertFleet;
let alertmanager: Alertmanager;

const sim = (number: number) => `sim-${String(number).padStart(4, '0')}`;
const on = (name: string, ...machines: readonly string[]): readonly Fired[] =>
  machines.map((machine) => ({ name, instance: `${machine}:9100` }));
const full = [1, 2, 3, 4, 5, 6].map(sim);

beforeAll(async () => {
  fleet = await AlertFleet.start({
    machines: 10,
    alerts: {
      webhookChannel: opsChannel,
      rules: [{ match: { alertname: 'Node*' }, check: 'disk' }],
      debounceSeconds: 1,
    },
  });
  alertmanager = await startAlertmanager({
    folder: join(fleet.folder, 'alertmanager'),
    webhookUrl: fleet.webhookUrl,
    token: fleet.token,
  });
});
afterAll(async () => {
  await alertmanager?.stop();
  await fleet?.[Symbol.asyncDispose]();
});

/** The incident whose message has this title; there is one, and it has one message. */
async function incidentOf(title: string): Promise<{ incident: Incident; root: string; main: string }> {
  const mains = fleet
    .said(opsChannel)
    .filter((message) => recordOf(message)?.startsWith('i-') && textOf(message).includes(`*${title}*`));
  expect(mains).toHaveLength(1);
  const [main] = mains;
  const incident = await fleet.queue.incidents.incident(main ? (recordOf(main) ?? '') : '');
  if (main === undefined || incident === undefined) throw new Error(`no incident ${title}`);
  return { incident, root: main.ts, main: textOf(main) };
}

/** Every machine was looked at by one run, which is done and measured inactive, and its machine saw one. */
async function expectOneRunEach(machines: readonly string[]): Promise<void> {
  for (const name of machines) {
    const runs = await fleet.runsOn(name);
    expect([name, runs.map(({ state, verdict }) => [state, verdict])]).toEqual([name, [['done', 'ok']]]);
    expect(fleet.machines.machine(name).books.violations()).toEqual([]);
  }
}

describe('a real Alertmanager', () => {
  it('fires for six machines and one that nobody knows: each is looked at once, in one thread', async () => {
    await alertmanager.fire(on('NodeDiskFull', ...full, 'elsewhere'));
    await eventually(() => expectOneRunEach(full));
    await eventually(async () => {
      const { incident, root, main } = await incidentOf('NodeDiskFull');
      expect(incident.counts).toMatchObject({ alerts: 7, firing: 7, unmatched: 1 });
      expect(main).toContain('7 of 7 alerts firing');
      for (const name of full) expect(main).toContain(`:mag: *${name}* · check disk`);
      expect(main).toContain('1 alert nobody looks into');
      expect(main).toContain('alerts.machineLabels');
      const said = fleet.said(opsChannel, root).map(textOf).join('\n');
      expect(said).toContain('all 6 machines done');
    });
    // Nothing of it stands outside of the thread.
    expect(fleet.said(opsChannel)).toHaveLength(1);
  });

  it('fires something else for one of them: it was looked at a moment ago, and that is said', async () => {
    await alertmanager.fire(on('NodeSlow', sim(1)));
    await eventually(async () => {
      const { main } = await incidentOf('NodeSlow');
      expect(main).toMatch(/\*sim-0001\* · check disk · not looked at: checked .* in run `?r-/);
    });
    await expectOneRunEach([sim(1)]);
  });

  it('is told to come back while the store is away, and does: nothing is lost and nothing is done twice', async () => {
    await fleet.redis.kill();
    await alertmanager.fire(on('NodeLost', sim(7)));
    await eventually(() => expect(fleet.log()).toContain('asked to send them again'));
    await fleet.redis.restart();
    await eventually(() => expectOneRunEach([sim(7)]));
    await incidentOf('NodeLost');
  });

  it('finds the bot killed, before it looked and before it could take: both are looked at once by the next', async () => {
    await alertmanager.fire(on('NodeBefore', sim(8)));
    await eventually(() => incidentOf('NodeBefore'));
    await fleet.killFleetbot();
    await alertmanager.fire(on('NodeMeanwhile', sim(9)));
    await fleet.startFleetbot();
    await eventually(() => expectOneRunEach([sim(8), sim(9)]));
    for (const title of ['NodeBefore', 'NodeMeanwhile']) await eventually(() => incidentOf(title));
  });

  it('resolves all of it: every thread says so once', async () => {
    await alertmanager.resolve([
      ...on('NodeDiskFull', ...full, 'elsewhere'),
      ...on('NodeSlow', sim(1)),
      ...on('NodeLost', sim(7)),
      ...on('NodeBefore', sim(8)),
      ...on('NodeMeanwhile', sim(9)),
    ]);
    for (const title of ['NodeDiskFull', 'NodeSlow', 'NodeLost', 'NodeBefore', 'NodeMeanwhile']) {
      await eventually(async () => {
        const { incident, root, main } = await incidentOf(title);
        expect(incident.closedAt).toBeDefined();
        expect(main).toContain(':white_check_mark:');
        const ends = fleet.said(opsChannel, root).filter((m) => textOf(m).includes('is resolved after'));
        expect(ends).toHaveLength(1);
      });
    }
    await expectOneRunEach([...full, sim(7), sim(8), sim(9)]);
    expect(await fleet.runsOn(sim(10))).toEqual([]);
  });
});
