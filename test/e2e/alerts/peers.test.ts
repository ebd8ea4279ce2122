import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Run } from '../../../src/fleet/run.ts';
import { messageText, type SlackMessage } from '../../../src/sandbox/person.ts';
import { type EdgeFleet, startEdgeFleet } from '../edge/parts/edge-fleet.ts';
import type { Answer } from '../parts/channel.ts';
import { eventually } from '../parts/eventually.ts';

const names = ['edge-01', 'edge-02', 'edge-03'] as const;
const fault = (inode: number) =>
  `EXT4-fs error (device vda1): ext4_lookup:1855: inode #2: deleted inode referenced: ${inode}`;

let fleet: EdgeFleet;

beforeAll(async () => {
  const entry = { role: 'web', agent: { diagnose: 'never' } };
  fleet = await startEdgeFleet(
    names.map((name) => ({ name, entry, flags: ['--no-warm-up'] })),
    { peers: { rules: [{ check: 'kernel', same: 'role' }] } },
  );
});

afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
});

/** The run of an answer whose thread others write into, too. */
async function done(answer: Answer): Promise<Run> {
  await answer.reaches('done');
  return answer.run();
}

/** The messages that join what peers found. */
async function reports(): Promise<SlackMessage[]> {
  const messages = await fleet.centre.sre.messages();
  return messages.filter((message) => messageText(message).includes(' asked: '));
}

it('a fault of one kernel has the two others checked, and one report joins what they found', async () => {
  await fleet.machine('edge-01').kernelSays(3, fault(17));
  await fleet.machine('edge-03').kernelSays(3, fault(4_711));
  const answer = await fleet.centre.sre.ask('check edge-01 kernel');
  const run = await done(answer);
  expect(run).toMatchObject({ verdict: 'critical', peers: { machines: ['edge-02', 'edge-03'] } });

  const report = await eventually(async () => {
    const [first, ...more] = await reports();
    expect(more).toEqual([]);
    expect(first && messageText(first)).toContain('all have answered');
    return first;
  });
  const text = report ? messageText(report) : '';
  expect(text).toMatch(/\*edge-01\* found: kernel reports 1 × file system error/);
  expect(text).toContain('Of the 2 asked: *edge-03* has the same, *edge-02* does not.');
  const posted = (await fleet.centre.queue.views.parts(run.id)).main?.posted;
  expect(report?.thread_ts).toBe(posted?.ts);
  expect(await answer.main()).toContain('asked to check for the same: *edge-02*, *edge-03*');

  const peers = await fleet.centre.queue.requests.campaign(run.peers?.campaign ?? '');
  const runs = await Promise.all(
    (peers?.members ?? []).map(({ runId }) => fleet.centre.queue.requests.run(runId)),
  );
  expect(runs.map((peer) => [peer?.request.machine, peer?.verdict, peer?.peers])).toEqual([
    ['edge-02', 'ok', undefined],
    ['edge-03', 'critical', undefined],
  ]);
  for (const peer of runs) {
    if (peer === undefined) continue;
    const [root] = (await fleet.spansOf(peer)).filter(({ name }) => name === 'message.processed');
    expect(root?.links).toEqual([{ traceId: run.trace.traceId, spanId: run.trace.rootSpanId }]);
    expect(root?.attributes).toMatchObject({ 'fleet.asked_by_run': run.id });
  }
});

it('a machine that was asked does not ask the others the same a moment later', async () => {
  const run = await done(await fleet.centre.sre.ask('check edge-03 kernel'));
  expect(run.verdict).toBe('critical');
  expect(run.peers).toBeUndefined();
  expect(await reports()).toHaveLength(1);
});
