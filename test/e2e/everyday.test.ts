import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { messageText } from '../../src/sandbox/person.ts';
import { workspace } from '../../src/sandbox/workspace.ts';
import { eventually } from './parts/eventually.ts';
import { type Harness, startHarness } from './parts/harness.ts';

describe('a working day', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await startHarness([
      { name: 'web-01', entry: { role: 'web' } },
      { name: 'web-02', entry: { role: 'web', agent: { transport: 'chat-completions' } } },
      { name: 'web-03', entry: { role: 'web' } },
    ]);
  });

  afterAll(async () => {
    await harness?.[Symbol.asyncDispose]();
  });

  it.each([
    ['gateway-ws', 'web-01'],
    ['chat-completions', 'web-02'],
  ])('over %s a check and a question are answered', async (_transport, name) => {
    const check = await (await harness.sre.ask(`check ${name} disk`)).ended();
    expect(check.main).toContain(':large_green_circle: *ok*');
    expect(check.thread).toContain('not a language model');
    expect(check.run.diagnosis).toMatchObject({ contradictions: [], activations: 1 });

    const question = await (await harness.sre.ask(`ask ${name} what uses the memory?`)).ended();
    expect(question.main).toContain(':speech_balloon: *answered*');
    expect(question.thread).toContain("The agent's answer");
    expect(question.run).toMatchObject({ verdict: 'answered', inertness: 'inactive' });
    await harness.machine(name).expectInert();
  });

  it('a campaign has one live summary, and an entry only for what is not ok', async () => {
    await harness.machine('web-03').link.cut();
    const { main, thread } = await (await harness.sre.ask('check role=web disk')).campaignEnded();
    await harness.machine('web-03').link.restore();
    expect(main).toContain('all 3 machines done');
    expect(main).toContain(':large_green_circle: *ok* 2');
    expect(main).toContain(':grey_question: *inconclusive* · *web-03*');
    const entries = thread.filter(({ files }) => files.length === 0).map(messageText);
    expect(entries).toHaveLength(1);
    expect(entries[0]).toContain('*web-03*');
    expect(thread.flatMap(({ files }) => files)).toHaveLength(2);
    for (const name of ['web-01', 'web-02', 'web-03']) await harness.machine(name).expectInert();
  });

  it('a campaign in waves stops where its first machine is not ok, until a person continues', async () => {
    await harness.machine('web-01').link.cut();
    const campaign = await harness.sre.ask('check role=web disk --wave 1,rest');
    await eventually(async () => expect(await campaign.main()).toContain('stopped after wave 1'));
    await harness.machine('web-01').link.restore();
    expect(await campaign.main()).toContain('2 machines wait until somebody continues');
    await campaign.click('continue');
    const { main } = await campaign.campaignEnded();
    expect(main).toContain('continued after wave 1 by');
    expect(main).toContain(':large_green_circle: *ok* 2');
    for (const name of ['web-01', 'web-02', 'web-03']) await harness.machine(name).expectInert();
  });

  it('two clicks on Run again begin one more run', async () => {
    const first = await harness.sre.ask('check web-01 disk');
    await first.ended();
    const before = await harness.sre.records();
    await Promise.all([first.click('run-again'), first.click('run-again')]);
    const more = await eventually(async () => {
      const added = (await harness.sre.records()).filter((id) => !before.includes(id));
      expect(added).not.toEqual([]);
      return added;
    });
    expect(more).toHaveLength(1);
    const { run } = await harness.sre.answer(more[0] ?? '').ended();
    expect(run).toMatchObject({ verdict: 'ok' });
    const runs = await harness.queue.requests.runs({ limit: 100 });
    expect(runs.filter(({ request }) => request.eventId.startsWith(`again:${first.id}`))).toHaveLength(1);
  });

  it('somebody without access is told so, and nothing is stored', async () => {
    const before = await harness.queue.requests.runs({ limit: 100 });
    expect(await harness.visitor.askAside('check web-01 disk')).toMatch(/may not|not allowed/);
    expect(await harness.visitor.askAside('help')).toContain(workspace.visitor.id);
    expect(await harness.queue.requests.runs({ limit: 100 })).toHaveLength(before.length);
  });

  it('typos are met with suggestions', async () => {
    expect(await harness.sre.askAside('chek web-01 disk')).toContain('`/fleet check`');
    expect(await harness.sre.askAside('check web-1 disk')).toContain('`web-01`');
    expect(await harness.sre.askAside('check web-01 disc')).toContain('`disk`');
  });

  it('list, show, runs and help answer', async () => {
    expect(await harness.sre.askAside('list')).toContain('3 machines');
    expect(await harness.sre.askAside('list web-02')).toContain('*web-02*');
    expect(await harness.sre.askAside('show web-02')).toContain('asked whenever a person asks');
    expect(await harness.sre.askAside('runs web-01')).toContain('check disk');
    expect(await harness.sre.askAside('runs')).toContain('*web-02*');
    expect(await harness.sre.askAside('help')).toContain('/fleet ask');
  });

  it('a changed fleet file is taken up; an invalid one leaves the running one in force', async () => {
    const [first = {}] = harness.fleet.machines;
    const added = { ...first, name: 'web-04', address: '127.0.0.2' };
    const more = { ...harness.fleet, machines: [...harness.fleet.machines, added] };
    harness.writeFleet(stringify(more));
    await eventually(async () => expect(await harness.sre.askAside('list')).toContain('*web-04*'));

    harness.writeFleet('machines: [');
    await eventually(() => expect(harness.fleetbotLog()).toContain('the new fleet file cannot be used'));
    expect(await harness.sre.askAside('list')).toContain('*web-04*');
    const { run } = await (await harness.sre.ask('check web-01 disk')).ended();
    expect(run).toMatchObject({ verdict: 'ok', inertness: 'inactive' });
    harness.writeFleet(stringify(harness.fleet));
    await eventually(async () => expect(await harness.sre.askAside('list')).not.toContain('*web-04*'));
  });

  it('a Redis that could lose requests is refused at the start, with the cure', async () => {
    const redis = new Redis(harness.redis.url);
    await redis.config('SET', 'appendfsync', 'no');
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(import.meta.dirname, '../../src/main.ts'), 'start'],
      { env: { PATH: process.env.PATH, ...harness.workerSettings }, encoding: 'utf8' },
    );
    await redis.config('SET', 'appendfsync', 'always');
    redis.disconnect();
    expect(status).toBe(1);
    expect(stderr).toContain('appendfsync is no: a power loss loses confirmed requests. Set it to always');
  });
});
